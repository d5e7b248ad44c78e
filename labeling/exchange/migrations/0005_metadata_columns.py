"""Metadata that become columns of a data set."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0004_filters'),
    ]

    operations = [
        migrations.AddField(
            model_name='dataset',
            name='metadata',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), blank=True, db_default=[], default=list, help_text='names of the metadata that become columns', size=50),
        ),
    ]
