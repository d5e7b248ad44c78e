"""How many entries of a ranking wait in each band, and how many of them people have begun: kept as truth's counts are.

A ranking that is copied in as a whole is counted once, when it is written; after that each entry that comes, goes, moves or is
begun changes a count.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION queue_tally_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT r.project_id, 'entries', NULL, ARRAY[each.ranking_id::text, coalesce(each.ladder_id::text, ''), each.band::text],
           sum(each.sign), sum(each.sign * (each.taken > 0)::int), false
    FROM (SELECT 1 AS sign, NEW.ranking_id, NEW.ladder_id, NEW.band, NEW.taken WHERE TG_OP <> 'DELETE'
          UNION ALL
          SELECT -1, OLD.ranking_id, OLD.ladder_id, OLD.band, OLD.taken WHERE TG_OP <> 'INSERT') each
    JOIN queue_ranking r ON r.id = each.ranking_id
    GROUP BY r.project_id, each.ranking_id, each.ladder_id, each.band
    HAVING sum(each.sign) <> 0 OR sum(each.sign * (each.taken > 0)::int) <> 0;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_entry_there AFTER INSERT OR DELETE ON queue_entry FOR EACH ROW EXECUTE FUNCTION queue_tally_entry();
CREATE TRIGGER tally_entry_changed AFTER UPDATE ON queue_entry FOR EACH ROW
    WHEN (OLD.band <> NEW.band OR OLD.ladder_id IS DISTINCT FROM NEW.ladder_id OR (OLD.taken > 0) <> (NEW.taken > 0))
    EXECUTE FUNCTION queue_tally_entry();

-- Of one ranking, or of all: also what was counted of rankings that are gone.
CREATE FUNCTION queue_tally_mend(of_ranking bigint) RETURNS bigint LANGUAGE sql AS $$
    WITH missing AS (
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT project_id, 'entries', NULL, key, sum(n), sum(amount), false
        FROM (SELECT r.project_id, ARRAY[e.ranking_id::text, coalesce(e.ladder_id::text, ''), e.band::text] AS key,
                     count(*) AS n, count(*) FILTER (WHERE e.taken > 0) AS amount
              FROM queue_entry e JOIN queue_ranking r ON r.id = e.ranking_id
              WHERE of_ranking IS NULL OR e.ranking_id = of_ranking GROUP BY 1, 2
              UNION ALL
              SELECT project_id, key, -n, -amount FROM truth_tally
              WHERE what = 'entries' AND (of_ranking IS NULL OR key[1] = of_ranking::text)) each
        GROUP BY project_id, key HAVING sum(n) <> 0 OR sum(amount) <> 0
        RETURNING 1)
    SELECT count(*) FROM missing
$$;
SELECT queue_tally_mend(NULL);
"""
BACKWARD = """
DROP TRIGGER tally_entry_there ON queue_entry;
DROP TRIGGER tally_entry_changed ON queue_entry;
DROP FUNCTION queue_tally_entry;
DROP FUNCTION queue_tally_mend;
DELETE FROM truth_tally WHERE what = 'entries';
"""


class Migration(migrations.Migration):
    dependencies = [("queue", "0006_sent_back_gold"), ("truth", "0007_tallies")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
