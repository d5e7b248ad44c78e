"""The time limit of a project: so many days after a photo was decided it is erased, as if an admin had asked for it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from labeling.catalog.models import Project
from labeling.erasure.asking import begin
from labeling.erasure.models import Erasure, Scope

#: Of a project in one night; the others follow in the next ones.
A_NIGHT = 10_000

# Decided is what people settled, and what the machine decided, stands, and nobody is to be asked about. What people are
# checked with, or shown as an exemplar, is in use.
_OVER = """
SELECT i.id FROM catalog_item i
LEFT JOIN LATERAL (
    SELECT t.kind, t.origin, t.created_at FROM truth_groundtruth t
    WHERE t.item_id = i.id AND NOT EXISTS (SELECT 1 FROM truth_groundtruth n WHERE n.supersedes_id = t.id) LIMIT 1) t ON true
WHERE i.project_id = %(project)s
  AND CASE WHEN t.kind IS NOT NULL THEN t.kind <> 'withdrawn' AND t.created_at < %(before)s
           ELSE i.audit_drawn_at IS NULL AND EXISTS (
               SELECT 1 FROM frontier_automaticdecision a
               WHERE a.item_id = i.id AND a.mode = 'on' AND NOT a.audit AND a.created_at < %(before)s
                 AND NOT EXISTS (SELECT 1 FROM frontier_decisionoverruled o WHERE o.decision_id = a.id)
                 AND NOT EXISTS (SELECT 1 FROM frontier_certificateend e
                                 WHERE e.certificate_id = a.certificate_id AND e.kind = 'suspended')) END
  AND NOT EXISTS (SELECT 1 FROM truth_gold g WHERE g.item_id = i.id AND g.retired_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM truth_dispute d JOIN truth_opendispute o ON o.dispute_id = d.id WHERE d.item_id = i.id)
  AND NOT EXISTS (SELECT 1 FROM catalog_exemplar x JOIN catalog_classdefinition c ON c.id = x.definition_id
                  WHERE x.image_id = i.image_id AND c.guideline_id = (
                      SELECT g.id FROM catalog_guideline g WHERE g.project_id = i.project_id ORDER BY g.number DESC LIMIT 1))
ORDER BY i.id LIMIT %(most)s
"""


def photos_over(project: Project) -> list[int]:
    """Ids of those whose time is over, oldest first, :data:`A_NIGHT` at most."""
    if project.keep_days is None:
        return []
    before = timezone.now() - timedelta(days=project.keep_days)
    with connection.cursor() as cursor:
        cursor.execute(_OVER, {"project": project.pk, "before": before, "most": A_NIGHT})
        return [row[0] for row in cursor.fetchall()]


def erase_what_is_over() -> list[Erasure]:
    """For every project that has a limit."""
    made = []
    for project in Project.objects.filter(keep_days__isnull=False):
        if items := photos_over(project):
            with override(settings.LANGUAGE_CODE):
                reason = _("%(n)d days after the decision") % {"n": project.keep_days}
            made.append(
                begin(
                    project=project,
                    by=None,
                    scope=Scope.LIMIT,
                    reason=reason,
                    days=settings.ERASURE_DAYS,
                    item_ids=items,
                )
            )
    return made
