import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from labeling.notify.listening import FAN_OUT, HEARD, WAKE, listens

_PHOTOS = """
SELECT CASE WHEN kind = 'withdrawn' THEN 'photo.reopened' ELSE 'photo.decided' END,
       project_id, 'photo/' || item_id, id::text FROM came WHERE origin <> 'gold' ORDER BY id
"""
# What an audit drew is people's to say, blind: they settle it, and that is told.
_DECISIONS = """
SELECT 'photo.decided', d.project_id, 'photo/' || d.item_id, d.id::text FROM came d
JOIN catalog_item i ON i.id = d.item_id
WHERE d.mode = 'on' AND NOT d.audit AND i.audit_drawn_at IS NULL ORDER BY d.id
"""
_OVERRULED = """
SELECT 'photo.reopened', d.project_id, 'photo/' || d.item_id, came.id::text FROM came
JOIN frontier_automaticdecision d ON d.id = came.decision_id ORDER BY came.id
"""
_DISPUTES = "SELECT 'dispute.opened', project_id, 'photo/' || item_id, id::text FROM came ORDER BY created_at"
_RULINGS = """
SELECT 'dispute.ruled', d.project_id, 'photo/' || d.item_id, came.id::text FROM came
JOIN truth_dispute d ON d.id = came.dispute_id ORDER BY came.id
"""
_BANDS = """
SELECT 'band.settled', project_id, 'bands/' || project_id, id::text FROM came
WHERE cause IN ('pace', 'exhausted') ORDER BY id
"""
_CERTIFICATES = """
SELECT 'certificate.issued', project_id, 'class/' || label_class_id, id::text FROM came ORDER BY id
"""
_ENDS = """
SELECT 'certificate.suspended', c.project_id, 'class/' || c.label_class_id, came.id::text FROM came
JOIN frontier_certificate c ON c.id = came.certificate_id WHERE came.kind = 'suspended' ORDER BY came.id
"""
_VERSIONS = "SELECT 'version.trained', project_id, 'versions/' || project_id, id::text FROM came ORDER BY id"
_PROMOTIONS = "SELECT 'version.promoted', project_id, 'versions/' || project_id, id::text FROM came ORDER BY id"
_ALERTS = """
SELECT 'monitor.alerted', project_id, 'monitor/' || project_id || '/' || monitor, id::text FROM came ORDER BY id
"""
_CLOSINGS = """
SELECT 'monitor.ended', a.project_id, 'monitor/' || a.project_id || '/' || a.monitor, came.id::text FROM came
JOIN monitors_monitoralert a ON a.id = came.alert_id ORDER BY came.id
"""
# A verdict speaks of all projects that its protocol asks. Admins of one of several may not see it.
_VERDICTS = """
SELECT 'inspection.decided',
       (SELECT CASE WHEN count(DISTINCT c.project_id) = 1 THEN min(c.project_id) END
        FROM inspections_check c JOIN inspections_shot s ON s.id = c.shot_id WHERE s.version_id = v.version_id),
       'inspection/' || v.inspection_id, v.id::text
FROM came v ORDER BY v.id
"""
_ACTIVITIES = """
SELECT CASE kind WHEN 'intake_finished' THEN 'intake.finished' WHEN 'exported' THEN 'export.finished'
                 ELSE 'erasure.finished' END,
       project_id,
       CASE kind WHEN 'intake_finished' THEN 'intake/' || coalesce(data ->> 'batch', id::text) WHEN 'exported' THEN 'exports/' || project_id
                 ELSE 'erasure/' || coalesce(data ->> 'erasure', id::text) END,
       id::text
FROM came WHERE kind IN ('intake_finished', 'exported', 'erasure_done') ORDER BY id
"""
_PAUSES = "SELECT 'labeler.paused', project_id, 'labeler/' || labeler_id, id::text FROM came ORDER BY id"

_TOLD = {
    "photos": ("truth_groundtruth", _PHOTOS),
    "decisions": ("frontier_automaticdecision", _DECISIONS),
    "overruled": ("frontier_decisionoverruled", _OVERRULED),
    "disputes": ("truth_dispute", _DISPUTES),
    "rulings": ("truth_ruling", _RULINGS),
    "bands": ("queue_bandopening", _BANDS),
    "certificates": ("frontier_certificate", _CERTIFICATES),
    "ends": ("frontier_certificateend", _ENDS),
    "versions": ("learning_modelversion", _VERSIONS),
    "promotions": ("learning_promotion", _PROMOTIONS),
    "alerts": ("monitors_monitoralert", _ALERTS),
    "closings": ("monitors_alertclosing", _CLOSINGS),
    "verdicts": ("inspections_verdict", _VERDICTS),
    "activities": ("catalog_activity", _ACTIVITIES),
    "pauses": ("truth_pause", _PAUSES),
}
_SQL = {name: listens(name, *what) for name, what in _TOLD.items()}
_FORWARD = [
    WAKE,
    HEARD,
    FAN_OUT,
    """CREATE TRIGGER notify_fan_out AFTER INSERT ON notify_event REFERENCING NEW TABLE AS came
       FOR EACH STATEMENT EXECUTE FUNCTION notify_fan_out()""",
    *(forward for forward, _backward in _SQL.values()),
]
_BACKWARD = [
    *(backward for _forward, backward in _SQL.values()),
    "DROP TRIGGER notify_fan_out ON notify_event",
    "DROP FUNCTION notify_fan_out",
    "DROP FUNCTION notify_heard",
    "DROP FUNCTION notify_wake",
]


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ('catalog', '0031_referenced'),
        ('truth', '0016_said_in_dispute'),
        ('learning', '0009_fused_versions'),
        ('queue', '0012_question_sheets'),
        ('frontier', '0013_erased'),
        ('monitors', '0001_from_the_frontier'),
        ('inspections', '0003_templates'),
        ('procrastinate', '0041_post_retry_failed_job'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Endpoint',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('webhook', 'Webhook')], default='webhook', max_length=12)),
                ('name', models.CharField(max_length=80)),
                ('url', models.CharField(max_length=1000)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), help_text='kinds of event', size=None)),
                ('secret', models.TextField(blank=True)),
                ('old_secret', models.TextField(blank=True, db_default='', default='')),
                ('old_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('off_at', models.DateTimeField(null=True)),
                ('off_reason', models.CharField(blank=True, choices=[('admin', 'An admin switched it off'), ('failing', 'Nothing was taken for a day'), ('gone', 'It said that it is gone (410)')], db_default='', default='', max_length=7)),
                ('failing_since', models.DateTimeField(null=True)),
                ('failures', models.PositiveIntegerField(db_default=0, default=0, help_text='in a row')),
                ('not_before', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='endpoints', to='catalog.project')),
            ],
            options={
                'ordering': ['created_at'],
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, unique=True)),
                ('kind', models.CharField(max_length=40)),
                ('subject', models.CharField(max_length=80)),
                ('source', models.CharField(max_length=63)),
                ('row', models.CharField(max_length=40)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('project', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='catalog.project')),
            ],
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notify.endpoint')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notify.event')),
                ('subject', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('waiting', 'Waits'), ('delivered', 'Delivered'), ('failed', 'Given up')], db_default='waiting', default='waiting', max_length=9)),
                ('attempts', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('next_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('delivered_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('ms', models.PositiveIntegerField()),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('answer', models.CharField(blank=True, max_length=500)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='log', to='notify.delivery')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddConstraint(
            model_name='endpoint',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('off_at__isnull', True), ('off_reason', '')), models.Q(('off_at__isnull', False), models.Q(('off_reason', ''), _negated=True)), _connector='OR'), name='off_for_a_reason'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['at'], name='events_by_time'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['endpoint', 'next_at', 'event'], name='deliveries_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['endpoint', 'subject', 'event'], name='deliveries_of_subject'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['endpoint', '-id'], name='deliveries_of_endpoint'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('endpoint', 'event'), name='delivered_once'),
        ),
        migrations.RunSQL(_FORWARD, _BACKWARD),
    ]
