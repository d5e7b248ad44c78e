"""Photos are found by any part of their folder or name, and by their folder in the order that they came in."""

import django.contrib.postgres.indexes
from django.db import migrations, models

import labeling.catalog.name_parts


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0022_damage'),
    ]

    operations = [
        migrations.RunSQL(labeling.catalog.name_parts.CREATE, labeling.catalog.name_parts.DROP),
        migrations.AddIndex(
            model_name='item',
            index=models.Index(fields=['project', 'source', 'id'], name='item_of_source'),
        ),
        migrations.AddIndex(
            model_name='item',
            index=django.contrib.postgres.indexes.GinIndex(labeling.catalog.name_parts.NameParts(), name='item_by_name_parts'),
        ),
    ]
