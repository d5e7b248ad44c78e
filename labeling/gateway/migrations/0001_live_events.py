"""Tell listening web processes, at commit, that something of a project changed.

One payload a kind and project: PostgreSQL drops repeats within a transaction, so a bulk insert says it once. The
payload names no row and holds no content; whoever hears it asks again, with their own permissions.
"""

from django.db import migrations

WATCHED = {
    "jobs_job": "jobs",
    "catalog_activity": "activity",
    "truth_pause": "activity",
    "truth_groundtruth": "progress",
    "truth_dispute": "progress",
    "queue_bandopening": "progress",
    "queue_ranking": "progress",
    "learning_promotion": "progress",
}

FUNCTIONS = """
CREATE FUNCTION gateway_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.project_id IS NOT NULL THEN
        PERFORM pg_notify('hilltop_events', TG_ARGV[0] || ' ' || NEW.project_id);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION gateway_notify_ruling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('hilltop_events', 'progress ' || project_id) FROM truth_dispute WHERE id = NEW.dispute_id;
    RETURN NULL;
END $$;
CREATE TRIGGER gateway_notify AFTER INSERT ON truth_ruling
    FOR EACH ROW EXECUTE FUNCTION gateway_notify_ruling();
"""

TRIGGERS = "".join(
    f"CREATE TRIGGER gateway_notify AFTER INSERT OR UPDATE ON {table}"
    f" FOR EACH ROW EXECUTE FUNCTION gateway_notify('{kind}');\n"
    for table, kind in WATCHED.items()
)

BACK = (
    "".join(f"DROP TRIGGER gateway_notify ON {table};\n" for table in [*WATCHED, "truth_ruling"])
    + "DROP FUNCTION gateway_notify();\nDROP FUNCTION gateway_notify_ruling();\n"
)


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("jobs", "0002_initial"),
        ("catalog", "0002_initial"),
        ("truth", "0001_initial"),
        ("queue", "0001_initial"),
        ("learning", "0002_initial"),
    ]
    operations = [migrations.RunSQL(FUNCTIONS + TRIGGERS, BACK)]
