from django.db import migrations, models

from labeling.notify.listening import FAN_OUT

# The key is checked at COMMIT only: who writes for an endpoint keeps it from being deleted until then.
_LOCKING = """
CREATE OR REPLACE FUNCTION notify_fan_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notify_delivery (endpoint_id, event_id, subject)
    SELECT e.id, came.id, came.subject
    FROM came JOIN notify_endpoint e
    ON (e.project_id IS NULL OR e.project_id = came.project_id) AND came.kind = ANY (e.events)
    ORDER BY came.id
    FOR KEY SHARE OF e;
    IF FOUND THEN PERFORM notify_wake(); END IF;
    RETURN NULL;
END $$;
"""
_BEFORE = FAN_OUT.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):

    dependencies = [
        ('notify', '0005_mail'),
    ]

    operations = [
        migrations.AddField(
            model_name='endpoint',
            name='removed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(_LOCKING, _BEFORE),
    ]
