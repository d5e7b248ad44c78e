"""Where an order puts photos, and how many ground truths lie in each of its bands: kept as truth's counts are.

Bands are begun and photos counted once, when an order is written. After that each ground truth that comes into force or goes
changes a count of the current order, under the lock that swaps orders: so each is in the order of before or in the next one,
and in neither twice.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Scores are kept as they were computed, band limits went through 32 bits: a photo at the very limit stays in.
_EPSILON = "1e-6"
#: Of the density ridge within one band.
_STEPS = 8
_KEY = """ARRAY[r.id::text, p.ladder_id::text, (cardinality(p.edges) - width_bucket(s.confidence, p.edges))::text,
              coalesce({0}.label_class_id::text, ''), {0}.guideline_id::text]::text[]"""
_COUNTS = "{0}.kind <> 'withdrawn' AND {0}.origin <> 'gold'"
_OF_ORDER = """JOIN learning_score s ON s.model_version_id = r.model_version_id AND s.item_id = {0}.item_id
JOIN queue_placement p ON p.ranking_id = r.id AND p.predicted_id = s.predicted_id"""

FORWARD = f"""
-- A band that was empty when the order was made takes no room: it begins where the one outside it begins. What is predicted
-- as a class that was merged lies on the ladder of the class that it counts for.
CREATE FUNCTION queue_place(of_ranking bigint) RETURNS void LANGUAGE sql AS $$
    WITH RECURSIVE r AS (
        SELECT id, model_version_id, summary, greatest(bands, 1) AS bands,
               (SELECT g.id FROM catalog_guideline g WHERE g.project_id = queue_ranking.project_id
                ORDER BY g.number DESC LIMIT 1) AS guideline_id
        FROM queue_ranking WHERE id = of_ranking AND model_version_id IS NOT NULL
    ), d AS (
        SELECT label_class_id, merged_into_id FROM catalog_classdefinition JOIN r USING (guideline_id) WHERE state <> 'retired'
    ), counts_as (predicted_id, class_id) AS (
        SELECT label_class_id, label_class_id FROM d
        UNION
        SELECT c.predicted_id, d.merged_into_id FROM counts_as c JOIN d ON d.label_class_id = c.class_id
        WHERE d.merged_into_id IS NOT NULL
    ), low AS (
        SELECT d.label_class_id AS ladder_id, n, CASE WHEN n = r.bands - 1 THEN 0.0 ELSE
               least(1.0, min((r.summary -> d.label_class_id::text -> n::text ->> 0)::float8)
                          OVER (PARTITION BY d.label_class_id ORDER BY n)) END AS low
        FROM r, d, generate_series(0, r.bands - 1) n
        WHERE d.merged_into_id IS NULL AND r.summary ? d.label_class_id::text
    ), ladder AS (
        SELECT ladder_id, array_agg(low ORDER BY n) AS lows,
               coalesce(array_agg(low - {_EPSILON} ORDER BY low) FILTER (WHERE n < (SELECT bands - 1 FROM r)), '{{}}') AS edges
        FROM low GROUP BY ladder_id
    ), step AS (
        SELECT ladder_id, array_agg(inner_edge ORDER BY inner_edge) AS edges
        FROM (SELECT ladder_id, n, each, outer_low + (low - outer_low) * each / {_STEPS} - {_EPSILON} AS inner_edge
              FROM (SELECT *, lag(low, 1, 1.0::float8) OVER (PARTITION BY ladder_id ORDER BY n) AS outer_low FROM low) band,
                   generate_series(1, {_STEPS}) each) every
        WHERE NOT (n = (SELECT bands - 1 FROM r) AND each = {_STEPS}) GROUP BY ladder_id
    ), photos AS (
        SELECT s.predicted_id, cardinality(step.edges) - width_bucket(s.confidence, step.edges) AS at, count(*) AS n
        FROM r JOIN learning_score s ON s.model_version_id = r.model_version_id
        JOIN counts_as c ON c.predicted_id = s.predicted_id JOIN step ON step.ladder_id = c.class_id GROUP BY 1, 2
    )
    INSERT INTO queue_placement (ranking_id, predicted_id, ladder_id, lows, edges, ridge)
    SELECT r.id, c.predicted_id, ladder_id, lows, edges,
           ARRAY(SELECT coalesce(photos.n, 0) FROM generate_series(0, r.bands * {_STEPS} - 1) steps
                 LEFT JOIN photos ON photos.at = steps AND photos.predicted_id = c.predicted_id ORDER BY steps)
    FROM r, counts_as c JOIN ladder ON ladder_id = c.class_id
$$;

-- Each ground truth adds itself and takes away what it supersedes, at its time: what is in force is the sum of all.
CREATE VIEW queue_placed AS
SELECT r.id AS ranking_id, each.project_id, each.at, {_KEY.format("each")} AS key, each.n
FROM queue_ranking r
JOIN (SELECT project_id, item_id, created_at AS at, kind, origin, label_class_id, guideline_id, 1 AS n FROM truth_groundtruth
      UNION ALL
      SELECT newer.project_id, old.item_id, newer.created_at, old.kind, old.origin, old.label_class_id, old.guideline_id, -1 AS n
      FROM truth_groundtruth newer JOIN truth_groundtruth old ON old.id = newer.supersedes_id) each
  ON each.project_id = r.project_id
{_OF_ORDER.format("each")}
WHERE {_COUNTS.format("each")};

CREATE FUNCTION queue_tally_placed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- As the settled photo's entry is taken out: whoever swaps orders now is waited for, and the next statement sees its order.
    PERFORM pg_advisory_xact_lock_shared(hashtext('hilltop.ranking'), (NEW.project_id % 2147483648)::integer);
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT NEW.project_id, 'placed', NULL, {_KEY.format("each")}, sum(each.sign), 0, false
    FROM (SELECT 1 AS sign, NEW.item_id, NEW.kind, NEW.origin, NEW.label_class_id, NEW.guideline_id
          UNION ALL
          SELECT -1, item_id, kind, origin, label_class_id, guideline_id FROM truth_groundtruth WHERE id = NEW.supersedes_id) each
    JOIN queue_ranking r ON r.project_id = NEW.project_id AND r.current
    {_OF_ORDER.format("each")}
    WHERE {_COUNTS.format("each")} GROUP BY 4 HAVING sum(each.sign) <> 0;
    RETURN NULL;
END $$;

-- Of the current orders, or of the given one; also what was counted of orders that are gone.
CREATE FUNCTION queue_placed_mend(of_ranking bigint) RETURNS bigint LANGUAGE sql AS $$
    WITH missing AS (
        INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
        SELECT project_id, 'placed', NULL, key, sum(n), 0, false
        FROM (SELECT project_id, key, sum(n) AS n FROM queue_placed
              WHERE ranking_id IN (SELECT id FROM queue_ranking WHERE CASE WHEN of_ranking IS NULL THEN current
                                                                           ELSE id = of_ranking END)
              GROUP BY 1, 2
              UNION ALL
              -- an order that is being written is counted when it takes over
              SELECT project_id, key, -n FROM truth_tally
              WHERE what = 'placed' AND CASE WHEN of_ranking IS NULL
                  THEN NOT EXISTS (SELECT 1 FROM queue_ranking w JOIN queue_ranking c ON c.project_id = w.project_id AND c.current
                                   WHERE w.id = key[1]::bigint AND w.number > c.number)
                  ELSE key[1] = of_ranking::text END) each
        GROUP BY project_id, key HAVING sum(n) <> 0
        RETURNING 1)
    SELECT count(*) FROM missing
$$;

CREATE FUNCTION queue_placed_mended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM queue_placed_mend(NULL);
    RETURN NULL;
END $$;

CREATE TRIGGER tally_placed AFTER INSERT ON truth_groundtruth FOR EACH ROW EXECUTE FUNCTION queue_tally_placed();
CREATE TRIGGER tally_placed_mended AFTER UPDATE OR DELETE ON truth_groundtruth
    FOR EACH STATEMENT EXECUTE FUNCTION queue_placed_mended();
SELECT queue_place(id) FROM queue_ranking WHERE current;
SELECT queue_placed_mend(NULL);
"""
BACKWARD = """
DROP TRIGGER tally_placed ON truth_groundtruth;
DROP TRIGGER tally_placed_mended ON truth_groundtruth;
DROP FUNCTION queue_tally_placed;
DROP FUNCTION queue_placed_mended;
DROP FUNCTION queue_placed_mend;
DROP VIEW queue_placed;
DROP FUNCTION queue_place;
DELETE FROM truth_tally WHERE what = 'placed';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("queue", "0007_entry_tallies"),
        ("truth", "0008_disputes_by_time"),
        ("learning", "0009_fused_versions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Placement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "lows",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(),
                        help_text="lowest margin of each band, outermost first",
                        size=None,
                    ),
                ),
                (
                    "edges",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(),
                        help_text="what parts the bands, rising",
                        size=None,
                    ),
                ),
                (
                    "ridge",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="photos a step, outermost first",
                        size=None,
                    ),
                ),
                (
                    "ladder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.labelclass",
                    ),
                ),
                (
                    "predicted",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.labelclass",
                    ),
                ),
                (
                    "ranking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="placements",
                        to="queue.ranking",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["ranking", "predicted"], name="placed_once"),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
