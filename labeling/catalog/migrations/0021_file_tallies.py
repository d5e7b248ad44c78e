"""Files of an intake by outcome, counted as they are listed, taken in and refused
(docs/decisions/0031-cost-that-does-not-grow.md)."""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION catalog_tally_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT b.project_id, 'files', NULL, ARRAY[b.id::text, f.outcome], count(*), 0, false
        FROM came f JOIN catalog_intakebatch b ON b.id = f.batch_id GROUP BY b.id, f.outcome;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT b.project_id, 'files', NULL, ARRAY[b.id::text, f.outcome], -count(*), 0, false
        FROM went f JOIN catalog_intakebatch b ON b.id = f.batch_id GROUP BY b.id, f.outcome;
    ELSE
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT b.project_id, 'files', NULL, ARRAY[b.id::text, f.outcome], sum(f.sign), 0, false
        FROM (SELECT 1 AS sign, batch_id, outcome FROM came UNION ALL SELECT -1, batch_id, outcome FROM went) f
        JOIN catalog_intakebatch b ON b.id = f.batch_id GROUP BY b.id, f.outcome HAVING sum(f.sign) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tally_files_listed AFTER INSERT ON catalog_intakefile REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_tally_files();
CREATE TRIGGER tally_files_changed AFTER UPDATE ON catalog_intakefile REFERENCING NEW TABLE AS came OLD TABLE AS went
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_tally_files();
CREATE TRIGGER tally_files_gone AFTER DELETE ON catalog_intakefile REFERENCING OLD TABLE AS went
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_tally_files();

CREATE FUNCTION catalog_tally_mend() RETURNS bigint LANGUAGE sql AS $$
    WITH missing AS (
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT project_id, 'files', NULL, key, sum(n), 0, false
        FROM (SELECT b.project_id, ARRAY[b.id::text, f.outcome]::text[] AS key, count(*) AS n
              FROM catalog_intakefile f JOIN catalog_intakebatch b ON b.id = f.batch_id GROUP BY b.id, f.outcome
              UNION ALL
              SELECT project_id, key, -n FROM truth_tally WHERE what = 'files') each
        GROUP BY project_id, key HAVING sum(n) <> 0
        RETURNING 1)
    SELECT count(*) FROM missing
$$;
SELECT catalog_tally_mend();
"""
BACKWARD = """
DROP TRIGGER tally_files_listed ON catalog_intakefile;
DROP TRIGGER tally_files_changed ON catalog_intakefile;
DROP TRIGGER tally_files_gone ON catalog_intakefile;
DROP FUNCTION catalog_tally_files, catalog_tally_mend;
DELETE FROM truth_tally WHERE what = 'files';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0020_strict_at_the_boundary"),
        # Whose recount leaves alone what other rooms count.
        ("truth", "0009_pace_of_rulings"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="intakefile", name="intake_outcome"),
        migrations.AddIndex(
            model_name="intakefile",
            index=models.Index(fields=["batch", "outcome", "id"], name="intake_outcome"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
