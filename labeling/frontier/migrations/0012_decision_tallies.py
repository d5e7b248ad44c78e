"""What the machine decided and second-read, counted as truth's counts are (docs/decisions/0031-cost-that-does-not-grow.md).

What a photo adds is said once: the view says it of all photos, a trigger of the photos that a statement touches, with the new
rows and without them.
"""

from django.db import migrations

_QUARTER = "date_bin('15 minutes', {0}, TIMESTAMPTZ '2000-01-01 00:00+00')"
_NO_END = "9223372036854775807"
_ALL = f"VALUES (1, {', '.join([_NO_END] * 5)})"
_CAP_MS = 120_000

# {sides}: rows of sign, and the last decision, overruling, end of a certificate, ground truth and second reading; {of}: of
# which photos. A decision stands until it is overruled, its certificate is suspended, or people settle the photo as well.
_CONTRIBUTIONS = f"""
WITH side (sign, last_decision, last_overruled, last_end, last_truth, last_label) AS ({{sides}}),
d AS MATERIALIZED (
    SELECT side.sign, d.project_id, d.item_id, d.certificate_id, d.created_at AS since, o.created_at AS overruled,
           e.created_at AS suspended, s.at AS settled, least(o.created_at, e.created_at, s.at) AS until,
           EXISTS (SELECT 1 FROM truth_groundtruth t WHERE t.item_id = d.item_id AND t.id <= side.last_truth
                   AND t.kind <> 'withdrawn' AND NOT EXISTS (
                       SELECT 1 FROM truth_groundtruth n WHERE n.supersedes_id = t.id AND n.id <= side.last_truth)) AS in_force
    FROM side CROSS JOIN frontier_automaticdecision d
    LEFT JOIN frontier_decisionoverruled o ON o.decision_id = d.id AND o.id <= side.last_overruled
    LEFT JOIN frontier_certificateend e ON e.certificate_id = d.certificate_id AND e.kind = 'suspended' AND e.id <= side.last_end
    LEFT JOIN LATERAL (SELECT min(t.created_at) AS at FROM truth_groundtruth t
                       WHERE t.item_id = d.item_id AND t.project_id = d.project_id AND t.created_at >= d.created_at
                         AND t.kind <> 'withdrawn' AND t.origin <> 'gold' AND t.id <= side.last_truth) s ON true
    WHERE d.mode = 'on' AND d.id <= side.last_decision {{of_decisions}}
), t AS MATERIALIZED (
    SELECT side.sign, t.project_id, t.created_at AS since, n.created_at AS until, coalesce(answer.ms, 0) AS ms
    FROM side CROSS JOIN truth_groundtruth t
    LEFT JOIN truth_groundtruth n ON n.supersedes_id = t.id AND n.id <= side.last_truth
    LEFT JOIN LATERAL (
        SELECT least(a.view_ms, {_CAP_MS}) AS ms FROM frontier_assistedlabel l JOIN truth_annotation a ON a.id = l.annotation_id
        WHERE l.item_id = t.item_id AND l.created_at <= t.created_at AND l.id <= side.last_label
        ORDER BY l.id DESC LIMIT 1) answer ON true
    WHERE t.origin = 'assisted' AND t.id <= side.last_truth {{of_truths}}
)
SELECT d.project_id, 'decided'::varchar AS what, NULL::timestamptz AS at,
       CASE WHEN d.in_force THEN 'settled' ELSE 'open' END || array_agg(d.certificate_id::text ORDER BY d.certificate_id) AS key,
       d.sign::bigint AS n, 0::bigint AS amount
FROM d WHERE d.overruled IS NULL AND d.suspended IS NULL GROUP BY d.sign, d.project_id, d.item_id, d.in_force
UNION ALL
SELECT d.project_id, 'decisions', {_QUARTER.format("each.at")}, each.key, d.sign, 0
FROM d CROSS JOIN LATERAL (
    VALUES (d.since, ARRAY['came']),
           (d.until, ARRAY['went', CASE d.until WHEN d.overruled THEN 'overruled' WHEN d.suspended THEN 'suspended'
                                                ELSE 'settled' END]),
           (d.overruled, ARRAY['overruled'])) AS each (at, key)
WHERE each.at IS NOT NULL
UNION ALL
SELECT t.project_id, 'assisted', {_QUARTER.format("each.at")}, each.key, t.sign, t.sign * each.ms
FROM t CROSS JOIN LATERAL (VALUES (t.since, ARRAY['came'], t.ms), (t.until, ARRAY['went'], -t.ms)) AS each (at, key, ms)
WHERE each.at IS NOT NULL
"""


def _change(sides: str, photos: str, *, new_decisions: str = "") -> str:
    """Append what the counts of ``photos`` change by, between two sides."""
    said = _CONTRIBUTIONS.format(
        sides=sides,
        of_decisions=f"AND d.item_id IN ({photos}) {new_decisions}",
        of_truths=f"AND t.item_id IN ({photos})",
    )
    return f"""
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT each.project_id, each.what, each.at, each.key, sum(each.n), sum(each.amount), false
    FROM ({said}) each
    GROUP BY each.project_id, each.what, each.at, each.key HAVING sum(each.n) <> 0 OR sum(each.amount) <> 0;"""


def _sides(which: str) -> str:
    """All there is, and all but what came with ``NEW`` and after it."""
    columns = ("decision", "overruled", "end", "truth", "label")
    now, before = (
        ", ".join(bound if each == which else _NO_END for each in columns) for bound in ("NEW.id", "NEW.id - 1")
    )
    return f"VALUES (1, {now}), (-1, {before})"


def _trigger(name: str, table: str, body: str) -> str:
    return f"""
CREATE FUNCTION frontier_tally_{name}() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    {body}
    RETURN NULL;
END $$;
CREATE TRIGGER frontier_tally_{name} AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION frontier_tally_{name}();
"""


_OF_OVERRULED = "SELECT item_id FROM frontier_automaticdecision WHERE id = NEW.decision_id"
_OF_ENDED = "SELECT item_id FROM frontier_automaticdecision WHERE certificate_id = NEW.certificate_id AND mode = 'on'"
_TABLES = (
    "frontier_automaticdecision",
    "frontier_decisionoverruled",
    "frontier_certificateend",
    "frontier_assistedlabel",
    "truth_groundtruth",
)

FORWARD = f"""
CREATE VIEW frontier_contribution AS {_CONTRIBUTIONS.format(sides=_ALL, of_decisions="", of_truths="")};

CREATE FUNCTION frontier_tally_mend() RETURNS bigint LANGUAGE sql AS $$
    WITH missing AS (
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT project_id, what, at, key, sum(n), sum(amount), false
        FROM (SELECT project_id, what, at, key, n, amount FROM frontier_contribution
              UNION ALL
              SELECT project_id, what, at, key, -n, -amount FROM truth_tally
              WHERE what IN ('decided', 'decisions', 'assisted')) each
        GROUP BY project_id, what, at, key HAVING sum(n) <> 0 OR sum(amount) <> 0
        RETURNING 1)
    SELECT count(*) FROM missing
$$;

-- A pool is decided in one statement.
CREATE FUNCTION frontier_tally_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_change(
        _ALL + f", (-1, {', '.join([_NO_END] * 5)})",
        "SELECT item_id FROM came",
        new_decisions="AND (side.sign = 1 OR d.id NOT IN (SELECT id FROM came))",
    )}
    RETURN NULL;
END $$;
CREATE TRIGGER frontier_tally_decided AFTER INSERT ON frontier_automaticdecision REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION frontier_tally_decided();
{_trigger("overruled", "frontier_decisionoverruled", _change(_sides("overruled"), _OF_OVERRULED))}
{_trigger("ended", "frontier_certificateend", f'''IF NEW.kind = 'suspended' THEN
    {_change(_sides("end"), _OF_ENDED)}
    END IF;''')}
{_trigger("settled", "truth_groundtruth", f'''IF EXISTS (SELECT 1 FROM frontier_automaticdecision WHERE item_id = NEW.item_id)
       OR EXISTS (SELECT 1 FROM truth_groundtruth WHERE item_id = NEW.item_id AND origin = 'assisted') THEN
    {_change(_sides("truth"), "SELECT NEW.item_id")}
    END IF;''')}
{_trigger("second_read", "frontier_assistedlabel", _change(_sides("label"), "SELECT NEW.item_id"))}

-- Nothing here is changed or removed in the course of things; whoever mends data by hand gets right counts too.
CREATE FUNCTION frontier_tally_mended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM frontier_tally_mend();
    RETURN NULL;
END $$;
{"".join(f'''
CREATE TRIGGER frontier_tally_mended AFTER UPDATE OR DELETE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION frontier_tally_mended();''' for table in _TABLES)}
SELECT frontier_tally_mend();
"""
BACKWARD = f"""
{"".join(f"DROP TRIGGER frontier_tally_mended ON {table};" for table in _TABLES)}
DROP TRIGGER frontier_tally_decided ON frontier_automaticdecision;
DROP TRIGGER frontier_tally_overruled ON frontier_decisionoverruled;
DROP TRIGGER frontier_tally_ended ON frontier_certificateend;
DROP TRIGGER frontier_tally_settled ON truth_groundtruth;
DROP TRIGGER frontier_tally_second_read ON frontier_assistedlabel;
DROP FUNCTION frontier_tally_decided, frontier_tally_overruled, frontier_tally_ended, frontier_tally_settled,
    frontier_tally_second_read, frontier_tally_mended, frontier_tally_mend;
DROP VIEW frontier_contribution;
DELETE FROM truth_tally WHERE what IN ('decided', 'decisions', 'assisted');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("frontier", "0011_second_reader"),
        ("truth", "0009_pace_of_rulings"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
