"""The lot that each decision was drawn by, what makes it a closer one, pauses of deciding; a watch outlives a changed wish."""

import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0010_near_duplicates'),
        ('frontier', '0006_monitors_move_out'),
        ('learning', '0006_longer_backbone_names'),
    ]

    operations = [
        # Derived: made again from the audits, at the next watch. Two wishes had a watch each.
        migrations.RunSQL("DELETE FROM frontier_auditwatch", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='CloserAudit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('after', models.BigIntegerField(help_text='id of the newest decision at that moment')),
                ('reason', models.CharField(help_text='the monitor that alerted', max_length=40)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='DecidingPause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='auditwatch',
            name='one_watch_a_class_and_guideline',
        ),
        migrations.AddField(
            model_name='automaticdecision',
            name='audit_share',
            field=models.FloatField(help_text='probability of that lot; null for decisions older than this field', null=True),
        ),
        migrations.AlterField(
            model_name='auditwatch',
            name='n',
            field=models.PositiveIntegerField(default=0, help_text='audited, and settled'),
        ),
        migrations.AlterField(
            model_name='auditwatch',
            name='precision',
            field=models.FloatField(help_text='stated of the newest decision; each is held against its own'),
        ),
        migrations.AlterField(
            model_name='auditwatch',
            name='waiting',
            field=models.PositiveIntegerField(default=0, help_text='drawn, and open'),
        ),
        migrations.AlterField(
            model_name='frontierpolicy',
            name='audit_share',
            field=models.FloatField(default=0.01, help_text='of automatic decisions, drawn by lot for people, blind; more of the first ones', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)]),
        ),
        migrations.AddConstraint(
            model_name='auditwatch',
            constraint=models.UniqueConstraint(fields=('model_version', 'guideline', 'label_class'), name='one_watch_a_class_and_guideline'),
        ),
        migrations.AddField(
            model_name='closeraudit',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='closer_audits', to='catalog.project'),
        ),
        migrations.AddField(
            model_name='decidingpause',
            name='label_class',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.labelclass'),
        ),
        migrations.AddField(
            model_name='decidingpause',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deciding_pauses', to='catalog.project'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closeraudit',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='4e899d77404f674fdbd290f453bf75d87c7dacb9', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_1a03f', table='frontier_closeraudit', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='decidingpause',
            constraint=models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('project', 'label_class'), name='deciding_paused_once'),
        ),
    ]
