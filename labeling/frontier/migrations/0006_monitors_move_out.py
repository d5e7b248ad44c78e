"""The monitors' tables get the names of their own room; its first migration takes them over. No row is touched."""

import pgtrigger.migrations
from django.db import migrations

#: Those that point at others first.
TABLES = ["AlertClosing", "AlertAcknowledgement", "MonitorAlert", "MonitorReading", "MonitorThresholds"]


class Migration(migrations.Migration):
    dependencies = [("frontier", "0005_watch_by_guideline")]

    operations = [
        *(pgtrigger.migrations.RemoveTrigger(model_name=name.lower(), name="append_only") for name in TABLES),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.AlterModelTable(name=name.lower(), table=f"monitors_{name.lower()}") for name in TABLES
            ],
            state_operations=[migrations.DeleteModel(name=name) for name in TABLES],
        ),
    ]
