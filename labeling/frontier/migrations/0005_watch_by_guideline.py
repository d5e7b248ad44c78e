"""A watch is over one guideline: truths of another say nothing of what a certificate stated. The table is derived."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0005_intake_file_by_hash"),
        ("frontier", "0004_explanations"),
    ]

    operations = [
        # Made again from the audits, at the next watch.
        migrations.RunSQL("DELETE FROM frontier_auditwatch", migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="auditwatch", name="one_watch_a_class"),
        migrations.AddField(
            model_name="auditwatch",
            name="guideline",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="catalog.guideline"
            ),
        ),
        migrations.AddConstraint(
            model_name="auditwatch",
            constraint=models.UniqueConstraint(
                fields=("model_version", "guideline", "label_class", "precision"),
                name="one_watch_a_class_and_guideline",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, "DELETE FROM frontier_auditwatch"),
    ]
