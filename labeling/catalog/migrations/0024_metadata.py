"""What is known of photos beside their pictures, found by an index in the order that they came in."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import labeling.catalog.metadata_parts


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0023_search'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(labeling.catalog.metadata_parts.CREATE, labeling.catalog.metadata_parts.DROP),
        migrations.AddField(
            model_name='intakefile',
            name='metadata',
            field=models.JSONField(help_text='what came with it, until the photo has it', null=True),
        ),
        migrations.CreateModel(
            name='MetadataChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('data', models.JSONField()),
                ('origin', models.CharField(blank=True, help_text='the delivery that it came with', max_length=400)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='metadata_changes', to='catalog.item')),
            ],
        ),
        migrations.CreateModel(
            name='Metadata',
            fields=[
                ('item', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='metadata', serialize=False, to='catalog.item')),
                ('data', models.JSONField()),
                ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.project')),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(labeling.catalog.metadata_parts.MetadataParts(), name='metadata_by_parts')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='metadatachange',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1cee0778dd8295f2875a95800c3fcbc25405a5cf', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_df298', table='catalog_metadatachange', when='BEFORE')),
        ),
    ]
