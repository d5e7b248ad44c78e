from django.db import migrations

from labeling.notify.listening import LOOK, PRIORITY, TASK

# What delivers and what looks for call backs, in the queue for which workers keep a place.
_WAKES = """
CREATE OR REPLACE FUNCTION {name}() RETURNS void LANGUAGE sql AS $$
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW('{queue}', '{task}', {priority}, '{task}', NULL, '{{}}'::jsonb, NULL)::procrastinate_job_to_defer_v1])
$$;
"""


def _in(queue):
    return [
        _WAKES.format(name=name, queue=queue, task=task, priority=PRIORITY)
        for name, task in (('notify_wake', TASK), ('notify_look', LOOK))
    ]


class Migration(migrations.Migration):

    dependencies = [
        ('notify', '0009_calls_back'),
    ]

    operations = [
        migrations.RunSQL(forth, back) for forth, back in zip(_in('quick'), _in('cpu'))
    ]
