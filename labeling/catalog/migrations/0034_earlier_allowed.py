"""Whether labelers may have the asset's earlier photo shown beside."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("catalog", "0031_referenced"),
    ]

    operations = [
        migrations.AddField(
            model_name="project",
            name="earlier_allowed",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Labelers may have the asset's photo of an earlier inspection shown beside. Such answers are not blind.",
            ),
        ),
    ]
