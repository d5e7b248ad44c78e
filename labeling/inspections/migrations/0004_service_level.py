"""Within which time a held inspection is to be settled, and those that are held by it."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inspections", "0003_templates"),
    ]

    operations = [
        migrations.AddField(
            model_name="protocol",
            name="settle_within_hours",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="service level: from when the photographer was done until a held one is to be settled; null: none",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(8760),
                ],
            ),
        ),
        migrations.AddIndex(
            model_name="inspection",
            index=models.Index(
                condition=models.Q(("outcome", "held")),
                fields=["protocol", "submitted_at"],
                name="held_inspections",
            ),
        ),
    ]
