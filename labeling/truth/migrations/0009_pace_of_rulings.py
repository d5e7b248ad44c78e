"""How long rulings take, and how many of the photos drawn at random people settled, kept as other counts are; and the nightly
recount leaves to other rooms what they count."""

from importlib import import_module

from django.conf import settings
from django.db import migrations, models

before = import_module("labeling.truth.migrations.0008_disputes_by_time")

_QUARTER = "date_bin('15 minutes', {0}, TIMESTAMPTZ '2000-01-01 00:00+00')"
#: Who rules again within three minutes went on at once; longer gaps say nothing of how long a ruling takes.
_ON = "interval '180 seconds'"
_KEY = f"ARRAY[{{0}}::text, CASE WHEN {{1}} <= {_ON} THEN 'on' ELSE 'first' END]"
_AMOUNT = f"CASE WHEN {{0}} <= {_ON} THEN round(extract(epoch FROM {{0}}) * 1000)::bigint ELSE 0 END"
_PER_ROW = f"""SELECT d.project_id, 'rulings', {_QUARTER.format("r.created_at")}, ARRAY[r.reviewer_id::text], 1, 0
FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id WHERE r.reviewer_id IS NOT NULL"""
_WITH_GAPS = f"""SELECT project_id, 'rulings', {_QUARTER.format("created_at")}, {_KEY.format("reviewer_id", "gap")}, 1,
       {_AMOUNT.format("gap")}
FROM (SELECT d.project_id, r.reviewer_id, r.created_at,
             r.created_at - lag(r.created_at) OVER (PARTITION BY d.project_id, r.reviewer_id ORDER BY r.created_at, r.id) AS gap
      FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id WHERE r.reviewer_id IS NOT NULL) each"""
_VIEW = before.VIEW
assert _PER_ROW in _VIEW
#: What this room's view says; what else is kept is others' to count anew.
_OWN = (
    "answers", "labelers", "units", "held", "truths", "newest", "settled", "compared", "disputes", "disputed", "rulings", "photos",
    "drawn",
)  # fmt: skip
_MEND = """
CREATE OR REPLACE FUNCTION truth_tally_mend(of_project bigint) RETURNS bigint LANGUAGE sql AS $$
    WITH missing AS (
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT project_id, what, at, key, sum(n), sum(amount), false
        FROM (SELECT project_id, what, at, key, n, amount FROM truth_contribution
              WHERE of_project IS NULL OR project_id = of_project
              UNION ALL
              SELECT project_id, what, at, key, -n, -amount FROM truth_tally
              WHERE {0} AND (of_project IS NULL OR project_id = of_project)) each
        GROUP BY project_id, what, at, key HAVING sum(n) <> 0 OR sum(amount) <> 0
        RETURNING 1)
    SELECT count(*) FROM missing
$$;
"""
_RULING = """
CREATE OR REPLACE FUNCTION truth_tally_ruling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- As it waits now: whoever draws its photo meanwhile has changed that row, or finds it gone.
    WITH ended AS (DELETE FROM truth_opendispute WHERE dispute_id = NEW.dispute_id RETURNING project_id, held)
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT project_id, 'disputes', NULL, ARRAY[CASE WHEN held THEN 'held' ELSE 'waiting' END], -1, 0, false FROM ended;
    IF NEW.reviewer_id IS NULL THEN
        RETURN NULL;
    END IF;
    {0}
    RETURN NULL;
END $$;
"""
# Its own time, and the next one's, which followed another until now. Of one statement's rows, as if one came after the other.
_PACE = f"""
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT asked.project_id, 'rulings', {_QUARTER.format("each.at")}, {_KEY.format("NEW.reviewer_id", "each.at - each.since")},
           sum(each.sign), sum(each.sign * {_AMOUNT.format("each.at - each.since")}), false
    FROM truth_dispute asked
    CROSS JOIN LATERAL (
        SELECT max(r.created_at) FILTER (WHERE (r.created_at, r.id) < (NEW.created_at, NEW.id)) AS last,
               min(r.created_at) FILTER (WHERE (r.created_at, r.id) > (NEW.created_at, NEW.id)) AS next
        FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
        WHERE r.reviewer_id = NEW.reviewer_id AND d.project_id = asked.project_id AND r.id < NEW.id
          AND r.created_at BETWEEN NEW.created_at - {_ON} AND NEW.created_at + {_ON}) beside
    CROSS JOIN LATERAL (
        VALUES (1, NEW.created_at, beside.last), (1, beside.next, NEW.created_at), (-1, beside.next, beside.last)
    ) AS each (sign, at, since)
    WHERE asked.id = NEW.dispute_id AND each.at IS NOT NULL
    GROUP BY 1, 3, 4 HAVING sum(each.sign) <> 0 OR sum(each.sign * {_AMOUNT.format("each.at - each.since")}) <> 0;
"""
_COUNT = f"""
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT project_id, 'rulings', {_QUARTER.format("NEW.created_at")}, ARRAY[NEW.reviewer_id::text], 1, 0, false
    FROM truth_dispute WHERE id = NEW.dispute_id;
"""
_BY_PEOPLE = "{0}.kind <> 'withdrawn' AND {0}.origin <> 'gold'"
_IN_FORCE = f"""{_BY_PEOPLE.format("t")}
      AND NOT EXISTS (SELECT 1 FROM truth_groundtruth newer WHERE newer.supersedes_id = t.id)"""
_DRAWN = f"""UNION ALL
SELECT i.project_id, 'drawn', NULL, ARRAY['settled'], 1, 0
FROM catalog_item i JOIN truth_groundtruth t ON t.item_id = i.id
WHERE i.audit_drawn_at IS NOT NULL AND {_IN_FORCE}"""
_DRAWN_TRIGGERS = f"""
CREATE FUNCTION truth_tally_drawn_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT i.project_id, 'drawn', NULL, ARRAY['settled'], sum(each.n), 0, false
    FROM catalog_item i CROSS JOIN LATERAL (
        SELECT 1 AS n WHERE {_BY_PEOPLE.format("NEW")}
        UNION ALL
        SELECT -1 FROM truth_groundtruth b WHERE b.id = NEW.supersedes_id AND {_BY_PEOPLE.format("b")}) each
    WHERE i.id = NEW.item_id AND i.audit_drawn_at IS NOT NULL GROUP BY i.project_id HAVING sum(each.n) <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER tally_drawn_settled AFTER INSERT ON truth_groundtruth
    FOR EACH ROW EXECUTE FUNCTION truth_tally_drawn_settled();

CREATE FUNCTION truth_tally_settled_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT NEW.project_id, 'drawn', NULL, ARRAY['settled'], CASE WHEN NEW.audit_drawn_at IS NULL THEN -1 ELSE 1 END, 0, false
    FROM truth_groundtruth t WHERE t.item_id = NEW.id AND {_IN_FORCE};
    RETURN NULL;
END $$;
CREATE TRIGGER tally_settled_drawn AFTER UPDATE OF audit_drawn_at ON catalog_item FOR EACH ROW
    WHEN ((OLD.audit_drawn_at IS NULL) <> (NEW.audit_drawn_at IS NULL)) EXECUTE FUNCTION truth_tally_settled_drawn();
"""
FORWARD = [
    f"{_VIEW.replace(_PER_ROW, _WITH_GAPS)} {_DRAWN}",
    _DRAWN_TRIGGERS,
    _MEND.format(f"what IN ({', '.join(map(repr, _OWN))})"),
    _RULING.format(_PACE),
    "SELECT truth_tally_mend(NULL)",
]
BACKWARD = [
    "DROP TRIGGER tally_drawn_settled ON truth_groundtruth",
    "DROP TRIGGER tally_settled_drawn ON catalog_item",
    "DROP FUNCTION truth_tally_drawn_settled, truth_tally_settled_drawn",
    _VIEW,
    _MEND.format("what NOT IN ('entries', 'placed')"),
    _RULING.format(_COUNT),
    "SELECT truth_tally_mend(NULL)",
]


class Migration(migrations.Migration):
    dependencies = [
        ("truth", "0008_disputes_by_time"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="ruling",
            index=models.Index(fields=["reviewer", "created_at"], name="rulings_by_time"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
