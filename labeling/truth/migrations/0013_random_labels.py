"""How many ground truths photos drawn at random ever got: whoever keeps what these say knows by it whether they say more.

It only grows while photos stay drawn, and is counted and counted anew as the other counts are.
"""

from importlib import import_module

from django.db import migrations

before = import_module("labeling.truth.migrations.0009_pace_of_rulings")

_VIEW, _TRIGGERS = before.FORWARD[:2]
_DRAWN_TRUTHS = """UNION ALL
SELECT t.project_id, 'drawn', NULL, ARRAY['truths'], 1, 0
FROM catalog_item i JOIN truth_groundtruth t ON t.item_id = i.id WHERE i.audit_drawn_at IS NOT NULL"""
_FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION truth_tally_drawn_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT NEW.project_id, 'drawn', NULL, ARRAY[each.key], sum(each.n), 0, false
    FROM catalog_item i CROSS JOIN LATERAL (
        SELECT 'truths'::text AS key, 1 AS n
        UNION ALL
        SELECT 'settled', 1 WHERE {before._BY_PEOPLE.format("NEW")}
        UNION ALL
        SELECT 'settled', -1 FROM truth_groundtruth b
        WHERE b.id = NEW.supersedes_id AND {before._BY_PEOPLE.format("b")}) each
    WHERE i.id = NEW.item_id AND i.audit_drawn_at IS NOT NULL GROUP BY each.key HAVING sum(each.n) <> 0;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION truth_tally_settled_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign int := CASE WHEN NEW.audit_drawn_at IS NULL THEN -1 ELSE 1 END;
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT NEW.project_id, 'drawn', NULL::timestamptz, ARRAY['settled'], sign, 0, false
    FROM truth_groundtruth t WHERE t.item_id = NEW.id AND {before._IN_FORCE}
    UNION ALL
    SELECT NEW.project_id, 'drawn', NULL, ARRAY['truths'], sign, 0, false FROM truth_groundtruth t WHERE t.item_id = NEW.id;
    RETURN NULL;
END $$;
"""
_MEND = "SELECT truth_tally_mend(NULL)"
FORWARD = [f"{_VIEW} {_DRAWN_TRUTHS}", _FUNCTIONS, _MEND]
BACKWARD = [
    "DROP TRIGGER tally_drawn_settled ON truth_groundtruth",
    "DROP TRIGGER tally_settled_drawn ON catalog_item",
    "DROP FUNCTION truth_tally_drawn_settled, truth_tally_settled_drawn",
    _TRIGGERS,
    _VIEW,
    _MEND,
]


class Migration(migrations.Migration):
    dependencies = [("truth", "0012_open_disputes_in_order")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
