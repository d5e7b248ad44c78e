"""Of which photos an order was made, and which photo a count of ground truths in its bands speaks of: so that photos which
come later take places in it (``labeling/queue/joining.py``)."""

import importlib

from django.db import migrations, models

_before = importlib.import_module("labeling.queue.migrations.0008_placed_truths")

_VIEW = f"""
SELECT r.id AS ranking_id, each.project_id, each.at, {_before._KEY.format("each")} AS key, each.n, each.item_id
FROM queue_ranking r
JOIN (SELECT project_id, item_id, created_at AS at, kind, origin, label_class_id, guideline_id, 1 AS n FROM truth_groundtruth
      UNION ALL
      SELECT newer.project_id, old.item_id, newer.created_at, old.kind, old.origin, old.label_class_id, old.guideline_id, -1 AS n
      FROM truth_groundtruth newer JOIN truth_groundtruth old ON old.id = newer.supersedes_id) each
  ON each.project_id = r.project_id
{_before._OF_ORDER.format("each")}
WHERE {_before._COUNTS.format("each")}
"""


class Migration(migrations.Migration):
    dependencies = [("queue", "0013_earlier_shown")]

    operations = [
        migrations.AddField(
            "ranking",
            "photos",
            models.PositiveIntegerField(
                db_default=0, default=0, help_text="of the pool it was made of, those with embeddings"
            ),
        ),
        migrations.AddField(
            "ranking",
            "last_item_id",
            models.BigIntegerField(null=True, help_text="of that pool, the photo that came last"),
        ),
        migrations.AddField(
            "ranking",
            "last_before_missing",
            models.BigIntegerField(
                null=True, help_text="all photos up to this one had embeddings; empty where all had"
            ),
        ),
        migrations.RunSQL(
            f"CREATE OR REPLACE VIEW queue_placed AS {_VIEW}",
            "DROP VIEW queue_placed; CREATE VIEW queue_placed AS "
            f"SELECT ranking_id, project_id, at, key, n FROM ({_VIEW}) each",
        ),
    ]
