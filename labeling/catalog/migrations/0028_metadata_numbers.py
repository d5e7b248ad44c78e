"""Numbers and days of metadata, to be found from one to another."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import labeling.catalog.metadata.numbers


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0027_erased_metadata'),
    ]

    operations = [
        migrations.CreateModel(
            name='MetadataNumber',
            fields=[
                ('pk', models.CompositePrimaryKey('item_id', 'name', blank=True, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('number', models.FloatField()),
                ('item', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.item')),
                ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.project')),
            ],
            options={
                'indexes': [models.Index(models.F('project'), models.F('name'), django.db.models.expressions.CombinedExpression(models.F('item'), '>>', models.Value(14)), models.F('number'), name='metadata_by_number')],
            },
        ),
        migrations.RunSQL(labeling.catalog.metadata.numbers.CREATE, labeling.catalog.metadata.numbers.DROP),
        migrations.RunSQL(labeling.catalog.metadata.numbers.FILL, migrations.RunSQL.noop),
    ]
