"""Photos leave their project when they are erased, and a list of digests keeps them out; diary, proposals and exemplars forget."""

import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0025_watched_sources'),
    ]

    operations = [
        migrations.CreateModel(
            name='Erased',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('everywhere', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('lifted_at', models.DateTimeField(null=True)),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='activity',
            name='append_only',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='exemplar',
            name='append_only',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='guidelineproposal',
            name='append_only',
        ),
        migrations.AddField(
            model_name='project',
            name='keep_days',
            field=models.PositiveIntegerField(blank=True, help_text='So many days after a photo is decided it is erased. Empty: it is kept.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36500)]),
        ),
        migrations.AlterField(
            model_name='item',
            name='project',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='catalog.project'),
        ),
        migrations.AddIndex(
            model_name='item',
            index=models.Index(condition=models.Q(('project__isnull', True)), fields=['id'], name='item_erased'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='activity',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND current_setting('hilltop.erasing', true) = 'on' THEN IF to_jsonb(NEW) - ARRAY['data'] = to_jsonb(OLD) - ARRAY['data'] AND OLD.data @> NEW.data THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='88590591a98ccd3178af818a599bc75f37af2ec7', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_d3085', table='catalog_activity', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='exemplar',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'DELETE' AND current_setting('hilltop.erasing', true) = 'on' THEN RETURN OLD; END IF; RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f7586e425ae490185f369676441f047c6b445a27', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_7f714', table='catalog_exemplar', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='guidelineproposal',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND current_setting('hilltop.erasing', true) = 'on' THEN IF to_jsonb(NEW) - ARRAY['changes'] = to_jsonb(OLD) - ARRAY['changes'] AND OLD.changes @> NEW.changes THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='03e18134f626af34902517cc2114d7e46f7c8e27', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_34f46', table='catalog_guidelineproposal', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='erased',
            name='project',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='catalog.project'),
        ),
        migrations.AddConstraint(
            model_name='erased',
            constraint=models.UniqueConstraint(fields=('digest', 'project'), name='erased_once_a_project', nulls_distinct=False),
        ),
    ]
