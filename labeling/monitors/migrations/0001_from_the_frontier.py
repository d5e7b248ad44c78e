"""The monitors' tables come from the frontier as they are, under names of their own (frontier 0006); only the state is new."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('frontier', '0006_monitors_move_out'),
        ('catalog', '0005_intake_file_by_hash'),
        ('jobs', '0003_crashes'),
        ('learning', '0005_domain_backbones'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='MonitorAlert',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('monitor', models.CharField(choices=[('embeddings', 'Drift of the photos'), ('scores', 'Drift of the scores'), ('balance', 'Class balance'), ('quality', 'Photo quality'), ('calibration', 'Calibration'), ('audit', 'Audited precision'), ('agreement', 'Agreement of labelers'), ('speed', 'Speed of labelers'), ('queue', 'Age of the queue')], max_length=12)),
                        ('opened_at', models.DateTimeField(auto_now_add=True)),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='monitor_alerts', to='catalog.project')),
                    ],
                    options={
                        'ordering': ['-id'],
                    },
                ),
                migrations.CreateModel(
                    name='AlertAcknowledgement',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('note', models.CharField(max_length=300)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('alert', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='acknowledgement', to='monitors.monitoralert')),
                    ],
                ),
                migrations.CreateModel(
                    name='MonitorReading',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('monitor', models.CharField(choices=[('embeddings', 'Drift of the photos'), ('scores', 'Drift of the scores'), ('balance', 'Class balance'), ('quality', 'Photo quality'), ('calibration', 'Calibration'), ('audit', 'Audited precision'), ('agreement', 'Agreement of labelers'), ('speed', 'Speed of labelers'), ('queue', 'Age of the queue')], max_length=12)),
                        ('state', models.CharField(choices=[('ok', 'Fine'), ('alert', 'Alert'), ('not_enough', 'Not enough yet')], max_length=10)),
                        ('value', models.FloatField(null=True)),
                        ('low', models.FloatField(help_text='95 % interval', null=True)),
                        ('high', models.FloatField(null=True)),
                        ('p_value', models.FloatField(help_text='adjusted for all tests of the look', null=True)),
                        ('threshold', models.FloatField(null=True)),
                        ('figures', models.JSONField(default=dict)),
                        ('item_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, help_text='photos that drive it, the most telling first', size=None)),
                        ('evidence', models.CharField(max_length=160)),
                        ('at', models.DateTimeField(auto_now_add=True)),
                        ('job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='jobs.job')),
                        ('model_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='learning.modelversion')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='monitor_readings', to='catalog.project')),
                    ],
                    options={
                        'ordering': ['-id'],
                    },
                ),
                migrations.AddField(
                    model_name='monitoralert',
                    name='reading',
                    field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='alert', to='monitors.monitorreading'),
                ),
                migrations.CreateModel(
                    name='AlertClosing',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('alert', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='closing', to='monitors.monitoralert')),
                        ('reading', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='closings', to='monitors.monitorreading')),
                    ],
                ),
                migrations.CreateModel(
                    name='MonitorThresholds',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('drift_level', models.FloatField(default=0.005, help_text='probability of a false alarm in one look, over all drift tests', validators=[django.core.validators.MinValueValidator(1e-06), django.core.validators.MaxValueValidator(0.2)])),
                        ('window', models.PositiveIntegerField(default=100, help_text='newest photos that a look compares; it also compares three times as many, if there are', validators=[django.core.validators.MinValueValidator(30), django.core.validators.MaxValueValidator(2000)])),
                        ('calibration', models.FloatField(default=0.05, help_text='expected calibration error that is borne', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)])),
                        ('agreement', models.FloatField(default=0.7, help_text='share of photos on which all blind answers agree', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)])),
                        ('speed', models.FloatField(default=2.0, help_text='so many times faster or slower than before', validators=[django.core.validators.MinValueValidator(1.1), django.core.validators.MaxValueValidator(100)])),
                        ('queue_days', models.FloatField(default=30.0, help_text='age of the oldest photo that waits', validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(36500)])),
                        ('reason', models.CharField(blank=True, max_length=300)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='monitor_thresholds', to='catalog.project')),
                    ],
                    options={
                        'ordering': ['-id'],
                    },
                ),
                migrations.AddIndex(
                    model_name='monitorreading',
                    index=models.Index(fields=['project', 'monitor', '-id'], name='readings_of_monitor'),
                ),
                migrations.AddConstraint(
                    model_name='monitorreading',
                    constraint=models.CheckConstraint(condition=models.Q(('state', 'not_enough'), ('value__isnull', False), _connector='OR'), name='a_reading_has_a_value'),
                ),
                migrations.AddIndex(
                    model_name='monitoralert',
                    index=models.Index(fields=['project', 'monitor', '-id'], name='alerts_of_monitor'),
                ),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='alertacknowledgement',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b74aa09f9bfd37aa20bd8fa03135e132027396be', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_9f30c', table='monitors_alertacknowledgement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='monitorreading',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='deb92431d7872541910862653cbae8748c13abb0', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_51a46', table='monitors_monitorreading', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='monitoralert',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1d0b676c26adf722beacf3f7cd5db4c67314b8c9', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_1e40e', table='monitors_monitoralert', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='alertclosing',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='24d00d04d72048e0f1af4723e9da88333f10022f', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_99f46', table='monitors_alertclosing', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='monitorthresholds',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d066fd52eee15c1b18457355540a754214e407de', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_c3cb7', table='monitors_monitorthresholds', when='BEFORE')),
        ),
    ]
