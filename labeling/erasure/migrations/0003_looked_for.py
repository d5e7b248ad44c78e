"""The photos of a large request are looked for by a job."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("erasure", "0002_searches")]

    operations = [
        migrations.AddField(
            "Erasure",
            "query",
            models.CharField(
                max_length=4000, blank=True, db_default="", help_text="of a search, while its photos are looked for"
            ),
        ),
        migrations.AddField(
            "Erasure",
            "looks_from",
            models.BigIntegerField(
                null=True, help_text="id behind which a job looks for its other photos; null: all are known"
            ),
        ),
    ]
