"""How many disputes came, by quarter of an hour: what the queue's pace asks of the time since a band opened.

Ground truths are found by time too, as an order that takes over asks for those that came meanwhile. The nightly recount leaves to the queue what it counts by its orders.
"""

from importlib import import_module

from django.db import migrations, models

before = import_module("labeling.truth.migrations.0007_tallies")

_AT = "date_bin('15 minutes', {0}.created_at, TIMESTAMPTZ '2000-01-01 00:00+00')"
VIEW = f"""{before._VIEW.replace("CREATE VIEW", "CREATE OR REPLACE VIEW")}
UNION ALL
SELECT d.project_id, 'disputed', {_AT.format("d")}, ARRAY[d.cause::text], 1, 0
FROM truth_dispute d
WHERE NOT EXISTS (SELECT 1 FROM truth_ruling r WHERE r.dispute_id = d.id AND r.outcome = 'withdrawn')
"""
_MEND = """
CREATE OR REPLACE FUNCTION truth_tally_mend(of_project bigint) RETURNS bigint LANGUAGE sql AS $$
    WITH missing AS (
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT project_id, what, at, key, sum(n), sum(amount), false
        FROM (SELECT project_id, what, at, key, n, amount FROM truth_contribution
              WHERE of_project IS NULL OR project_id = of_project
              UNION ALL
              SELECT project_id, what, at, key, -n, -amount FROM truth_tally
              WHERE what NOT IN ({0}) AND (of_project IS NULL OR project_id = of_project)) each
        GROUP BY project_id, what, at, key HAVING sum(n) <> 0 OR sum(amount) <> 0
        RETURNING 1)
    SELECT count(*) FROM missing
$$;
"""
FORWARD = f"""
{VIEW};
{_MEND.format("'entries', 'placed'")}
CREATE FUNCTION truth_tally_disputed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    VALUES (NEW.project_id, 'disputed', {_AT.format("NEW")}, ARRAY[NEW.cause::text], 1, 0, false);
    RETURN NULL;
END $$;
CREATE FUNCTION truth_tally_dispute_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT d.project_id, 'disputed', {_AT.format("d")}, ARRAY[d.cause::text], -1, 0, false
    FROM truth_dispute d WHERE d.id = NEW.dispute_id;
    RETURN NULL;
END $$;
CREATE TRIGGER tally_disputed AFTER INSERT ON truth_dispute FOR EACH ROW EXECUTE FUNCTION truth_tally_disputed();
CREATE TRIGGER tally_dispute_withdrawn AFTER INSERT ON truth_ruling FOR EACH ROW WHEN (NEW.outcome = 'withdrawn')
    EXECUTE FUNCTION truth_tally_dispute_withdrawn();
SELECT truth_tally_mend(NULL);
"""
BACKWARD = f"""
DROP TRIGGER tally_disputed ON truth_dispute;
DROP TRIGGER tally_dispute_withdrawn ON truth_ruling;
DROP FUNCTION truth_tally_disputed;
DROP FUNCTION truth_tally_dispute_withdrawn;
{before._VIEW.replace("CREATE VIEW", "CREATE OR REPLACE VIEW")};
{_MEND.format("'entries'")}
DELETE FROM truth_tally WHERE what = 'disputed';
"""


class Migration(migrations.Migration):
    dependencies = [("truth", "0007_tallies")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddIndex(
            model_name="groundtruth",
            index=models.Index(fields=["project", "created_at"], name="truths_by_time"),
        ),
    ]
