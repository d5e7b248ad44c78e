import uuid

import django.db.models.deletion
from django.db import migrations, models

from labeling.notify.listening import LOOK, PRIORITY, QUEUE

_LOOK = f"""
CREATE FUNCTION notify_look() RETURNS void LANGUAGE sql AS $$
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW('{QUEUE}', '{LOOK}', {PRIORITY}, '{LOOK}', NULL, '{{}}'::jsonb, NULL)::procrastinate_job_to_defer_v1])
$$;
"""
# Two questions, so that the first is all that is asked where nobody waits.
_PHOTOS = """
CREATE FUNCTION notify_call_back_on_photos() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM notify_callback WHERE event_id IS NULL) THEN
        IF EXISTS (SELECT 1 FROM came JOIN catalog_item i ON i.id = came.item_id
                   JOIN catalog_image m ON m.id = i.image_id
                   JOIN notify_callback c ON c.project_id = i.project_id AND c.sha256 = m.sha256
                   WHERE c.event_id IS NULL AND c.sha256 <> '') THEN
            PERFORM notify_look();
        END IF;
    END IF;
    RETURN NULL;
END $$;
"""
_VERDICTS = """
CREATE FUNCTION notify_call_back_on_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM notify_callback c JOIN came ON came.inspection_id = c.inspection_id
               WHERE c.event_id IS NULL AND came.outcome <> 'held') THEN
        PERFORM notify_look();
    END IF;
    RETURN NULL;
END $$;
"""
_HEARD = {
    'truth_groundtruth': 'notify_call_back_on_photos',
    'frontier_automaticdecision': 'notify_call_back_on_photos',
    'inspections_verdict': 'notify_call_back_on_verdicts',
}
# What is for one endpoint alone nobody else hears.
_ALONE = """
CREATE OR REPLACE FUNCTION notify_fan_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notify_delivery (endpoint_id, event_id, subject)
    SELECT e.id, came.id, came.subject
    FROM came JOIN notify_endpoint e
    ON (e.project_id IS NULL OR e.project_id = came.project_id) AND came.kind = ANY (e.events)
    WHERE NOT came.alone
    ORDER BY came.id
    FOR KEY SHARE OF e;
    IF FOUND THEN PERFORM notify_wake(); END IF;
    RETURN NULL;
END $$;
"""
_BEFORE = _ALONE.replace("    WHERE NOT came.alone\n", "")
_FORWARD = [
    _LOOK,
    _PHOTOS,
    _VERDICTS,
    *(
        f"CREATE TRIGGER notify_call_back AFTER INSERT ON {table} REFERENCING NEW TABLE AS came"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        for table, function in _HEARD.items()
    ),
    _ALONE,
]
_BACKWARD = [
    _BEFORE,
    *(f"DROP TRIGGER notify_call_back ON {table}" for table in _HEARD),
    "DROP FUNCTION notify_call_back_on_photos",
    "DROP FUNCTION notify_call_back_on_verdicts",
    "DROP FUNCTION notify_look",
]


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0034_earlier_allowed'),
        ('inspections', '0005_overdue'),
        ('notify', '0008_overdue'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='alone',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name='endpoint',
            name='kind',
            field=models.CharField(choices=[('webhook', 'Webhook'), ('mail', 'Mail'), ('slack', 'Slack'), ('call_back', 'Calls back')], default='webhook', max_length=12),
        ),
        migrations.CreateModel(
            name='CallBack',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('url', models.CharField(max_length=1000)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('strict', models.BooleanField(default=False)),
                ('opened_at', models.DateTimeField(auto_now_add=True)),
                ('until', models.DateTimeField()),
                ('because', models.CharField(blank=True, db_default='', default='', max_length=40)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls_back', to='notify.endpoint')),
                ('event', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='call_back', to='notify.event')),
                ('inspection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inspections.inspection')),
                ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.project')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('sha256', ''), _negated=True), fields=['sha256'], name='calls_back_by_hash'), models.Index(condition=models.Q(('event', None)), fields=['opened_at'], name='open_calls_back')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('event', None), ('inspection', None)), fields=('endpoint', 'project', 'sha256', 'strict'), name='one_open_call_back_a_photo'), models.UniqueConstraint(condition=models.Q(('event', None), ('inspection__isnull', False)), fields=('endpoint', 'inspection'), name='one_open_call_back_an_inspection')],
            },
        ),
        migrations.RunSQL(_FORWARD, _BACKWARD),
    ]
