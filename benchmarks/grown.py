"""A project grown to any number of photos and answers, by a few statements a table: for budgets, not for learning.

It begins with the small project in which everything has happened once (``tests.gateway.conftest``), so that every address
leads somewhere, and adds photos that people settled, dispute, have begun or not, and that the machine decided. What is in
it is made up, in shares as a project has them after some months.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from labeling.catalog.metadata.numbers import FILL
from tests.factories import join, make_user, place_order
from tests.gateway.conftest import World

LABELERS = 20
BANDS = 3
#: Of the photos: answered by two people each; of these, on which the two differ; drawn at random; decided by the machine.
ANSWERED, DIFFER, DRAWN, DECIDED = 0.5, 0.05, 0.02, 0.1

# Every statement may use all of ``parameters`` below. ``photo`` numbers the new photos from 0 by their random order.
_STATEMENTS = (
    """
    CREATE TEMPORARY TABLE grown ON COMMIT DROP AS
    WITH images AS (
        INSERT INTO catalog_image (sha256, format, width, height, size, rendered, fingerprint_parts, created_at)
        SELECT encode(sha256(('grown' || number)::bytea), 'hex'), 'PNG', 300, 300, 40000, 32767, '{}',
               now() - interval '90 days'
        FROM generate_series(1, %(photos)s) number
        RETURNING id
    ), items AS (
        INSERT INTO catalog_item (project_id, image_id, source, name, random_key, added_at, audit_drawn_at)
        SELECT %(project)s, id, 'grown/' || id / 2500,
               (ARRAY['앞범퍼', '뒷범퍼', '운전석 문', 'IMG'])[1 + id %% 4] || '_'
                   || lpad((id * 7919 %% 10000019)::text, 8, '0') || '.jpg',
               random(), now() - interval '90 days',
               CASE WHEN random() < %(drawn)s THEN now() - interval '60 days' END
        FROM images ORDER BY id
        RETURNING id
    )
    SELECT id AS item_id, row_number() OVER (ORDER BY id) - 1 AS n, row_number() OVER (ORDER BY random()) - 1 AS photo,
           (%(classes)s::bigint[])[1 + (random() < 0.1)::int] AS predicted, 1 - random() * 0.999 AS confidence,
           random() AS dice,
           now() - interval '80 days' * random() AS at
    FROM items
    """,
    "ANALYZE grown",
    # A value that few photos have, one that a fifth has, and one for each.
    """
    INSERT INTO catalog_metadata (item_id, project_id, data)
    SELECT item_id, %(project)s, jsonb_build_object('vehicle', 'v' || n / 8, 'line', n %% 5, 'number', n) FROM grown
    """,
    FILL,
    """
    INSERT INTO learning_score (model_version_id, item_id, predicted_id, confidence, probabilities)
    SELECT %(model)s, item_id, predicted, confidence, ARRAY[(1 + confidence) / 2, (1 - confidence) / 2] FROM grown
    """,
    # Two answers each: as predicted, and the second differs where the dice say so.
    """
    INSERT INTO truth_annotation (project_id, item_id, round, labeler_id, key, kind, label_class_id, reason, comment,
                                  checklist, guideline_id, draw, context, view_ms, created_at)
    SELECT %(project)s, item_id, 1, (%(people)s::bigint[])[1 + (n + each) %% %(labelers)s], gen_random_uuid(),
           CASE WHEN hold THEN 'hold' ELSE 'class' END,
           CASE WHEN hold THEN NULL WHEN each = 1 AND dice < %(differ)s THEN (%(classes)s::bigint[])[1 + (n %% 2)]
                ELSE predicted END,
           CASE WHEN hold THEN 'between' ELSE '' END, '', '[]', %(guideline)s,
           CASE WHEN audit_drawn_at IS NOT NULL THEN 'audit' ELSE 'rank' END,
           jsonb_build_object('band', floor((1 - confidence) * %(bands)s)::int, 'position', n),
           800 + (random() * 9000)::int, at + interval '1 minute' * each
    FROM grown JOIN catalog_item i ON i.id = item_id, generate_series(0, 1) each,
         LATERAL (SELECT each = 1 AND dice < %(differ)s / 3 AS hold) said
    WHERE photo < %(answered)s
    """,
    """
    INSERT INTO queue_slot (id, project_id, item_id, round, number, holder_id, draw, context, leased_at, expires_at,
                            annotation_id)
    SELECT gen_random_uuid(), project_id, item_id, 1, row_number() OVER (PARTITION BY item_id ORDER BY id) - 1, labeler_id,
           draw, context, created_at - interval '10 seconds', created_at + interval '10 minutes', id
    FROM truth_annotation WHERE item_id IN (SELECT item_id FROM grown)
    """,
    """
    INSERT INTO truth_groundtruth (project_id, item_id, kind, label_class_id, origin, draw, guideline_id, created_at)
    SELECT %(project)s, item_id, 'class', predicted, 'agreement',
           CASE WHEN audit_drawn_at IS NOT NULL THEN 'audit' ELSE 'rank' END, %(guideline)s, at + interval '2 minutes'
    FROM grown JOIN catalog_item i ON i.id = item_id WHERE photo < %(answered)s AND dice >= %(differ)s ORDER BY n
    """,
    """
    INSERT INTO truth_dispute (id, project_id, item_id, round, cause, note, created_at)
    SELECT gen_random_uuid(), %(project)s, item_id, 1, CASE WHEN dice < %(differ)s / 3 THEN 'hold' ELSE 'disagreement' END,
           '', at + interval '2 minutes'
    FROM grown WHERE photo < %(answered)s AND dice < %(differ)s
    """,
    """
    INSERT INTO truth_ruling (dispute_id, reviewer_id, outcome, label_class_id, reason, comment, note, guideline_id,
                              created_at)
    SELECT d.id, %(reviewer)s, 'class', predicted, '', '', '', %(guideline)s, d.created_at + interval '1 day'
    FROM truth_dispute d JOIN grown USING (item_id) WHERE dice < 0.9 * %(differ)s ORDER BY d.created_at
    """,
    """
    INSERT INTO truth_groundtruth (project_id, item_id, kind, label_class_id, origin, draw, ruling_id, guideline_id,
                                   created_at)
    SELECT %(project)s, item_id, 'class', r.label_class_id, 'ruling', 'rank', r.id, %(guideline)s, r.created_at
    FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id JOIN grown USING (item_id) ORDER BY r.id
    """,
    # The surest that nobody answered are the machine's.
    """
    INSERT INTO frontier_automaticdecision (project_id, item_id, certificate_id, model_version_id, label_class_id,
                                            confidence, probabilities, mode, audit, audit_share, created_at)
    SELECT %(project)s, item_id, %(certificate)s, %(model)s, predicted, confidence,
           ARRAY[(1 + confidence) / 2, (1 - confidence) / 2], 'on', random() < 0.01, 0.01, at
    FROM grown JOIN catalog_item i ON i.id = item_id
    WHERE photo >= %(answered)s AND i.audit_drawn_at IS NULL ORDER BY confidence DESC LIMIT %(decided)s
    """,
    """
    INSERT INTO frontier_plancohort (plan_id, item_ids, pool_to)
    SELECT %(plan)s, array_agg(item_id ORDER BY item_id), max(item_id) FROM grown WHERE photo >= %(answered)s / 2
    """,
    """
    INSERT INTO catalog_intakefile (batch_id, name, path, outcome, reason, detail, image_id, sha256)
    SELECT %(batch)s, 'photo ' || n, 'photo ' || n, CASE WHEN dice < 0.01 THEN 'refused' ELSE 'added' END,
           CASE WHEN dice < 0.01 THEN 'not_an_image' ELSE '' END, CASE WHEN dice < 0.01 THEN 'Choose a photo.' ELSE '' END,
           CASE WHEN dice >= 0.01 THEN image_id END, ''
    FROM grown JOIN catalog_item i ON i.id = item_id
    """,
    """
    INSERT INTO catalog_likeness (project_id, item_id, image_id, bits, ratio, set_aside, created_at)
    SELECT %(project)s, lag(item_id) OVER (ORDER BY n), image_id, 3, 0.2, false, now()
    FROM grown JOIN catalog_item i ON i.id = item_id WHERE n %% 100 < 2 ORDER BY n OFFSET 1
    """,
    """
    INSERT INTO truth_gold (item_id, project_id, label_class_id, added_by_id, created_at)
    SELECT item_id, %(project)s, predicted, %(reviewer)s, now() FROM grown
    WHERE photo >= %(answered)s AND confidence < 0.001
    """,
)
_SUMMARY = """
SELECT predicted::text, band::text, min(confidence), max(confidence), count(*)
FROM (SELECT predicted, confidence, floor((1 - confidence) * %(bands)s)::int AS band FROM grown) placed GROUP BY 1, 2
"""
_ENTRIES = """
INSERT INTO {table} (ranking_id, item_id, ladder_id, band, position, confidence, draw, round, taken, free, late)
SELECT %(ranking)s, item_id, predicted, CASE WHEN decided THEN 32100 ELSE floor((1 - confidence) * %(bands)s)::int END, n,
       confidence, CASE WHEN i.audit_drawn_at IS NOT NULL THEN 'audit' ELSE 'rank' END, 1, 0, 2, false
FROM grown JOIN catalog_item i ON i.id = item_id,
     LATERAL (SELECT EXISTS (SELECT 1 FROM frontier_automaticdecision d WHERE d.item_id = i.id) AS decided) d
WHERE photo >= %(answered)s AND NOT EXISTS (SELECT 1 FROM truth_gold g WHERE g.item_id = i.id)
"""


def grow(
    world: World,
    photos: int,
    *,
    answered: float = ANSWERED,
    differ: float = DIFFER,
    decided: float = DECIDED,
) -> None:
    """Add ``photos``, two answers to a share of them, and what follows, to ``world``'s project. Inside a transaction.

    The same each time.
    """
    from labeling.catalog import file_counts
    from labeling.database.partitions import Partition
    from labeling.frontier.decisions import counts as decision_counts
    from labeling.queue import entry_counts
    from labeling.queue.models import BandOpening, Ranking
    from labeling.truth import tallies

    people = [make_user(f"grown{number}") for number in range(LABELERS)]
    join(world.project, *people)
    certificate = world.decision.certificate
    given: dict[str, Any] = {
        "photos": photos,
        "project": world.project.pk,
        "classes": list(world.project.label_classes.order_by("id").values_list("pk", flat=True)),
        "people": [person.pk for person in people],
        "labelers": LABELERS,
        "reviewer": world.reviewer.pk,
        "guideline": world.project.guidelines.order_by("-number")[:1].get().pk,
        "model": world.decision.model_version_id,
        "certificate": certificate.pk,
        "plan": certificate.run.plan_id,
        "batch": world.batch.pk,
        "bands": BANDS,
        "answered": round(photos * answered),
        "decided": int(photos * decided),
        "differ": differ,
        "drawn": DRAWN,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        # The kept counts are made good below, at once: a trigger's run for each of a million rows takes minutes.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in _STATEMENTS:
            cursor.execute(statement, given)
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE")  # a plan made for empty tables counts for minutes
    tallies.mend(world.project)
    decision_counts.mend()
    file_counts.mend()
    tallies.fold(most=10_000_000)
    with connection.cursor() as cursor:
        summary: dict[str, dict[str, list[float]]] = {}
        cursor.execute(_SUMMARY, given)
        for ladder, band, low, high, count in cursor.fetchall():
            summary.setdefault(ladder, {})[band] = [low, high, count]
        Ranking.objects.filter(project=world.project).update(current=False)
        ranking = Ranking.objects.create(
            project=world.project,
            number=1_000,
            strategy="inward",
            bands=BANDS,
            current=True,
            summary=summary,
            model_version_id=given["model"],
        )
        room = Partition("queue_entry", "ranking_id", ranking.pk)
        room.create()
        cursor.execute(_ENTRIES.format(table=room.name), given | {"ranking": ranking.pk})
        room.build_indexes()
        room.attach()
        entry_counts.mend(ranking)
        place_order(ranking)
        cursor.execute(
            "SELECT percentile_disc(ARRAY[0.33, 0.66]) WITHIN GROUP (ORDER BY id) FROM truth_groundtruth"
        )
        for band, (last) in enumerate(cursor.fetchone()[0], 1):
            BandOpening.objects.create(
                project=world.project,
                band=band,
                cause="pace",
                figures={
                    "ground_truths": last,
                    "settled": 20,
                    "agreement": 0.9,
                    "alpha": 0.8,
                    "last_truth": last,
                },
            )
        cursor.execute("ANALYZE")
