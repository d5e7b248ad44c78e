"""Counts that the transactions keep which change them (docs/decisions/0031-cost-that-does-not-grow.md).

What a photo adds to them is said once, by ``CONTRIBUTIONS``: the view says it of all photos, the trigger of one, as its
rows are with the new one and were without it. So each row that is appended adds exactly what the sums of the view change by, also where one
statement appends several rows to one photo.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Quarters of an hour: every time zone's days begin with one.
_QUARTER = "date_bin('15 minutes', {}, TIMESTAMPTZ '2000-01-01 00:00+00')"
_VALUE = "CASE WHEN {0}.kind = 'class' THEN {0}.label_class_id::text ELSE {0}.kind END AS value"

# {sides}: rows of sign, last_annotation, last_retraction and last_truth; {of_answers}, {of_truths}: which rows.
CONTRIBUTIONS = f"""
WITH side (sign, last_annotation, last_retraction, last_truth) AS ({{sides}}),
a AS MATERIALIZED (
    SELECT side.sign, a.project_id, a.item_id, a.round, a.labeler_id, a.kind, a.draw, a.view_ms, a.created_at,
           {_VALUE.format("a")}, undone.id IS NULL AS stands, a.context @> '{{{{"wanted": 1}}}}' AS once,
           CASE WHEN jsonb_typeof(a.context -> 'band') = 'number' THEN (a.context ->> 'band')::int END AS band
    FROM side CROSS JOIN truth_annotation a
    LEFT JOIN truth_retraction undone ON undone.annotation_id = a.id AND undone.id <= side.last_retraction
    WHERE a.id <= side.last_annotation {{of_answers}}
), t AS MATERIALIZED (
    SELECT side.sign, t.project_id, t.item_id, t.id, t.kind, t.label_class_id, t.origin, t.guideline_id, t.created_at,
           {_VALUE.format("t")}, newer.id IS NULL AND t.kind <> 'withdrawn' AS in_force,
           t.kind <> 'withdrawn' AND t.origin <> 'gold' AS counts,
           coalesce(b.kind <> 'withdrawn' AND b.origin <> 'gold', false) AS counted
    FROM side CROSS JOIN truth_groundtruth t
    LEFT JOIN truth_groundtruth newer ON newer.supersedes_id = t.id AND newer.id <= side.last_truth
    LEFT JOIN truth_groundtruth b ON b.id = t.supersedes_id
    WHERE t.id <= side.last_truth {{of_truths}}
)
SELECT a.project_id, each.what, each.at, each.key, a.sign::bigint AS n, (a.sign * least(a.view_ms, 120000))::bigint AS amount
FROM a CROSS JOIN LATERAL (SELECT CASE WHEN a.stands THEN 'stands' ELSE 'undone' END AS now) state
CROSS JOIN LATERAL (
    VALUES ('answers'::varchar, {_QUARTER.format("a.created_at")}, ARRAY[state.now]::text[]),
           ('labelers', NULL, ARRAY[a.labeler_id::text, a.kind, a.draw, state.now]::text[])) AS each (what, at, key)
UNION ALL
SELECT a.project_id, 'units', {_QUARTER.format("max(a.created_at)")},
       coalesce(min(a.band)::text, '') || array_agg(a.value::text ORDER BY a.value), a.sign, 0
FROM a WHERE a.stands AND a.draw NOT IN ('gold', 'sweep')
GROUP BY a.sign, a.project_id, a.item_id, a.round HAVING count(*) >= 2 AND NOT bool_or(a.once)
UNION ALL
SELECT a.project_id, 'held', NULL, ARRAY[coalesce(min(a.band)::text, '')], a.sign, 0
FROM a WHERE a.stands AND a.draw <> 'gold'
GROUP BY a.sign, a.project_id, a.item_id, a.round HAVING bool_or(a.kind = 'hold')
UNION ALL
SELECT t.project_id, each.what, NULL, each.key, t.sign, 0
FROM t CROSS JOIN LATERAL (
    VALUES ('truths', ARRAY[t.kind, coalesce(t.label_class_id::text, ''), t.origin, t.guideline_id::text]::text[]),
           ('newest', ARRAY[t.kind, t.origin, (t.id / 256)::text]::text[])) AS each (what, key)
WHERE t.in_force
UNION ALL
SELECT t.project_id, 'settled', {_QUARTER.format("t.created_at")}, ARRAY[CASE WHEN t.counts THEN 'came' ELSE 'went' END], t.sign, 0
FROM t WHERE t.counts <> t.counted
UNION ALL
SELECT a.project_id, 'compared', NULL, ARRAY[a.labeler_id::text, a.value, t.value], a.sign, 0
FROM a JOIN t ON t.item_id = a.item_id AND t.sign = a.sign
WHERE a.stands AND a.draw <> 'gold' AND t.in_force AND t.origin NOT IN ('gold', 'assisted')
"""
# No reviewer is asked for what is held at the boundary, until its photo is drawn at random.
_HELD = "({0}.held AND {1}.audit_drawn_at IS NULL)"
_WAITS = "ARRAY[CASE WHEN {0} THEN 'held' ELSE 'waiting' END]"
# Of these each row changes one count, whatever else there is of its photo.
_OF_ROWS = f"""
SELECT d.project_id, 'disputes', NULL, {_WAITS.format(_HELD.format("d", "i"))}, 1, 0
FROM truth_dispute d JOIN catalog_item i ON i.id = d.item_id
WHERE NOT EXISTS (SELECT 1 FROM truth_ruling r WHERE r.dispute_id = d.id)
UNION ALL
SELECT d.project_id, 'rulings', {_QUARTER.format("r.created_at")}, ARRAY[r.reviewer_id::text], 1, 0
FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id WHERE r.reviewer_id IS NOT NULL
UNION ALL
SELECT i.project_id, 'photos', NULL, ARRAY[CASE WHEN i.audit_drawn_at IS NULL THEN 'left' ELSE 'drawn' END], 1, 0
FROM catalog_item i
"""
_NO_END = "9223372036854775807"
_VIEW = f"""
CREATE VIEW truth_contribution AS
({CONTRIBUTIONS.format(sides=f"VALUES (1, {_NO_END}, {_NO_END}, {_NO_END})", of_answers="", of_truths="")})
UNION ALL {_OF_ROWS}
"""
_OF_PHOTO = CONTRIBUTIONS.format(
    sides="VALUES (1, a_last, r_last, t_last), (-1, a_before, r_before, t_before)",
    of_answers="AND a.item_id = photo",
    of_truths="AND t.item_id = photo",
)
_FUNCTIONS = f"""
CREATE FUNCTION truth_tally_photo() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    photo bigint;
    a_last bigint := {_NO_END}; a_before bigint := {_NO_END};
    r_last bigint := {_NO_END}; r_before bigint := {_NO_END};
    t_last bigint := {_NO_END}; t_before bigint := {_NO_END};
BEGIN
    IF TG_TABLE_NAME = 'truth_retraction' THEN
        SELECT item_id INTO photo FROM truth_annotation WHERE id = NEW.annotation_id;
        r_last := NEW.id; r_before := NEW.id - 1;
    ELSE
        photo := NEW.item_id;
        IF TG_TABLE_NAME = 'truth_annotation' THEN
            a_last := NEW.id; a_before := NEW.id - 1;
        ELSE
            t_last := NEW.id; t_before := NEW.id - 1;
        END IF;
    END IF;
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT each.project_id, each.what, each.at, each.key, sum(each.n), sum(each.amount), false
    FROM ({_OF_PHOTO}) each
    GROUP BY each.project_id, each.what, each.at, each.key HAVING sum(each.n) <> 0 OR sum(each.amount) <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION truth_tally_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH waits AS (
        INSERT INTO truth_opendispute (dispute_id, project_id, held)
        SELECT NEW.id, NEW.project_id, {_HELD.format("NEW", "i")} FROM catalog_item i WHERE i.id = NEW.item_id
        RETURNING project_id, held)
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT project_id, 'disputes', NULL, {_WAITS.format("held")}, 1, 0, false FROM waits;
    RETURN NULL;
END $$;

CREATE FUNCTION truth_tally_ruling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- As it waits now: whoever draws its photo meanwhile has changed that row, or finds it gone.
    WITH ended AS (DELETE FROM truth_opendispute WHERE dispute_id = NEW.dispute_id RETURNING project_id, held)
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT project_id, 'disputes', NULL, {_WAITS.format("held")}, -1, 0, false FROM ended;
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT project_id, 'rulings', {_QUARTER.format("NEW.created_at")}, ARRAY[NEW.reviewer_id::text], 1, 0, false
    FROM truth_dispute WHERE id = NEW.dispute_id AND NEW.reviewer_id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION truth_tally_photos_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT project_id, 'photos', NULL, ARRAY[CASE WHEN audit_drawn_at IS NULL THEN 'left' ELSE 'drawn' END], count(*), 0, false
    FROM came GROUP BY 1, 4;
    RETURN NULL;
END $$;

CREATE FUNCTION truth_tally_photo_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT each.project_id, 'photos', NULL, ARRAY[CASE WHEN each.at IS NULL THEN 'left' ELSE 'drawn' END], each.sign, 0, false
    FROM (VALUES (-1, OLD.project_id, OLD.audit_drawn_at), (1, NEW.project_id, NEW.audit_drawn_at)) AS each (sign, project_id, at);
    WITH other AS (
        UPDATE truth_opendispute o SET held = NOT o.held FROM truth_dispute d
        WHERE d.id = o.dispute_id AND d.item_id = NEW.id AND o.held <> {_HELD.format("d", "NEW")}
        RETURNING o.project_id, o.held)
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT project_id, 'disputes', NULL, {_WAITS.format("each.held")}, each.sign, 0, false
    FROM other, LATERAL (VALUES (-1, NOT other.held), (1, other.held)) AS each (sign, held);
    RETURN NULL;
END $$;

-- What the sums are short of, or have too much, in one statement and so of one moment: whoever writes meanwhile adds theirs.
CREATE FUNCTION truth_tally_mend(of_project bigint) RETURNS bigint LANGUAGE sql AS $$
    WITH missing AS (
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT project_id, what, at, key, sum(n), sum(amount), false
        FROM (SELECT project_id, what, at, key, n, amount FROM truth_contribution
              WHERE of_project IS NULL OR project_id = of_project
              UNION ALL
              SELECT project_id, what, at, key, -n, -amount FROM truth_tally
              -- entries are the queue's
              WHERE what <> 'entries' AND (of_project IS NULL OR project_id = of_project)) each
        GROUP BY project_id, what, at, key HAVING sum(n) <> 0 OR sum(amount) <> 0
        RETURNING 1)
    SELECT count(*) FROM missing
$$;

CREATE FUNCTION truth_open_disputes_mend() RETURNS bigint LANGUAGE sql AS $$
    WITH open AS (
        SELECT d.id, d.project_id, {_HELD.format("d", "i")} AS held FROM truth_dispute d JOIN catalog_item i ON i.id = d.item_id
        WHERE NOT EXISTS (SELECT 1 FROM truth_ruling r WHERE r.dispute_id = d.id)),
    lacking AS (
        INSERT INTO truth_opendispute (dispute_id, project_id, held)
        SELECT id, project_id, held FROM open
        WHERE NOT EXISTS (SELECT 1 FROM truth_opendispute o WHERE o.dispute_id = open.id)
        ON CONFLICT DO NOTHING RETURNING 1),
    other AS (
        UPDATE truth_opendispute o SET held = open.held FROM open
        WHERE o.dispute_id = open.id AND o.held <> open.held RETURNING 1),
    too_many AS (
        DELETE FROM truth_opendispute o WHERE EXISTS (SELECT 1 FROM truth_ruling r WHERE r.dispute_id = o.dispute_id)
        RETURNING 1)
    SELECT (SELECT count(*) FROM lacking) + (SELECT count(*) FROM other) + (SELECT count(*) FROM too_many)
$$;

-- Nothing here is changed or removed in the course of things; whoever mends data by hand gets right counts too.
CREATE FUNCTION truth_tally_mended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM truth_tally_mend(NULL), truth_open_disputes_mend();
    RETURN NULL;
END $$;
"""
_TRIGGERS = {
    "tally_photo": "AFTER INSERT ON {} FOR EACH ROW EXECUTE FUNCTION truth_tally_photo()",
    "tally_mended": "AFTER UPDATE OR DELETE ON {} FOR EACH STATEMENT EXECUTE FUNCTION truth_tally_mended()",
}
_PLACED = [
    *(
        (name, table)
        for name in _TRIGGERS
        for table in ("truth_annotation", "truth_retraction", "truth_groundtruth")
    ),
    ("tally_mended", "truth_dispute"),
    ("tally_mended", "truth_ruling"),
]
_OTHERS = {
    (
        "tally_dispute",
        "truth_dispute",
    ): "AFTER INSERT ON {} FOR EACH ROW EXECUTE FUNCTION truth_tally_dispute()",
    ("tally_ruling", "truth_ruling"): "AFTER INSERT ON {} FOR EACH ROW EXECUTE FUNCTION truth_tally_ruling()",
    ("tally_photos_in", "catalog_item"): """AFTER INSERT ON {} REFERENCING NEW TABLE AS came
        FOR EACH STATEMENT EXECUTE FUNCTION truth_tally_photos_in()""",
    ("tally_photo_drawn", "catalog_item"): """AFTER UPDATE OF project_id, audit_drawn_at ON {} FOR EACH ROW
        WHEN ((OLD.audit_drawn_at IS NULL) <> (NEW.audit_drawn_at IS NULL) OR OLD.project_id <> NEW.project_id)
        EXECUTE FUNCTION truth_tally_photo_drawn()""",
    (
        "tally_mended",
        "catalog_item",
    ): "AFTER DELETE ON {} FOR EACH STATEMENT EXECUTE FUNCTION truth_tally_mended()",
}
TRIGGERS = {(name, table): _TRIGGERS[name] for name, table in _PLACED} | _OTHERS
FORWARD = [
    _VIEW,
    _FUNCTIONS,
    *(f"CREATE TRIGGER {name} {what.format(table)}" for (name, table), what in TRIGGERS.items()),
    "SELECT truth_tally_mend(NULL), truth_open_disputes_mend()",
]
BACKWARD = [
    *(f"DROP TRIGGER {name} ON {table}" for name, table in TRIGGERS),
    *(
        f"DROP FUNCTION {name}"
        for name in (
            "truth_tally_photo",
            "truth_tally_dispute",
            "truth_tally_ruling",
            "truth_tally_photos_in",
            "truth_tally_photo_drawn",
            "truth_tally_mended",
            "truth_open_disputes_mend",
            "truth_tally_mend",
        )
    ),
    "DROP VIEW truth_contribution",
]


class Migration(migrations.Migration):
    dependencies = [
        ("truth", "0006_strict_at_the_boundary"),
        ("catalog", "0020_strict_at_the_boundary"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.project",
                    ),
                ),
                ("what", models.CharField(max_length=10)),
                ("at", models.DateTimeField(null=True, help_text="begin of the quarter of an hour")),
                ("key", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("n", models.BigIntegerField()),
                (
                    "amount",
                    models.BigIntegerField(default=0, db_default=0, help_text="milliseconds, of answers"),
                ),
                ("folded", models.BooleanField(default=False, db_default=False)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["project", "what", "at"], name="tally_of_project"),
                    models.Index(fields=["id"], condition=models.Q(folded=False), name="tally_to_fold"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["project", "what", "at", "key"],
                        condition=models.Q(folded=True),
                        nulls_distinct=False,
                        name="tally_folded_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OpenDispute",
            fields=[
                (
                    "dispute",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="waits",
                        serialize=False,
                        to="truth.dispute",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.project",
                    ),
                ),
                ("held", models.BooleanField(default=False, db_default=False)),
            ],
        ),
        migrations.AddIndex(
            model_name="annotation",
            index=models.Index(fields=["project", "labeler", "created_at"], name="answers_by_time"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
