"""Gold photos that were sent back waited as gold, so that answers to them settled nothing: let them wait as any other."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("queue", "0005_sweeps")]

    operations = [
        migrations.RunSQL(
            # A gold question has neither an entry nor a numbered slot.
            "UPDATE queue_entry SET draw = 'rank' WHERE draw = 'gold';"
            "UPDATE queue_slot SET draw = 'rank' WHERE draw = 'gold' AND number IS NOT NULL AND annotation_id IS NULL;",
            migrations.RunSQL.noop,
        )
    ]
