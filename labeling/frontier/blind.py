"""Photos of which people may have been told what they are: they prove nothing, and the machine does not decide them.

An exemplar is shown with its class to everybody who labels, and a near-duplicate of it looks the same. What the machine
decided for real stands in lists that reviewers read, who may label too; where its certificate is suspended or a person took
it back it is people's for good. Both are settled before a photo is drawn: a drawn one is never decided, and becomes neither
gold nor an exemplar.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext as _

from labeling.catalog.models import Project

_EXEMPLARS = """
    SELECT j.%s FROM catalog_exemplar x
    JOIN catalog_classdefinition d ON d.id = x.definition_id JOIN catalog_guideline g ON g.id = d.guideline_id
    JOIN catalog_item j ON j.project_id = g.project_id AND j.image_id = x.image_id
    WHERE g.project_id = %%(project)s"""
#: SQL over ``catalog_item i``, with ``%(project)s``: an exemplar of any guideline, or nearly the same photo.
SHOWN = f"""(i.id IN ({_EXEMPLARS % "id"})
    OR coalesce(i.twins_of IN ({_EXEMPLARS % "twins_of"} AND j.twins_of IS NOT NULL), false))"""
#: SQL over ``catalog_item i``: the machine decided it for real, whatever became of that.
DECIDED = (
    "EXISTS (SELECT 1 FROM frontier_automaticdecision told WHERE told.item_id = i.id AND told.mode = 'on')"
)
#: SQL over ``catalog_item i``: one answer that agreed with the machine was taken for it, or drawn for the audit.
ASSISTED = "EXISTS (SELECT 1 FROM frontier_assistedlabel helped WHERE helped.item_id = i.id)"

_DRAWN = """
SELECT i.id FROM catalog_item i WHERE i.project_id = %s AND i.id = ANY(%s) AND (
    i.audit_drawn_at IS NOT NULL
    OR EXISTS (SELECT 1 FROM frontier_drawnphoto d WHERE d.item_id = i.id)
    OR EXISTS (SELECT 1 FROM frontier_automaticdecision a WHERE a.item_id = i.id AND a.audit AND a.mode = 'on')
    OR EXISTS (SELECT 1 FROM frontier_assistedlabel l WHERE l.item_id = i.id))
"""


def drawn_among(*, project: Project, item_ids: Iterable[int]) -> set[int]:
    """Ids of those that were drawn by lot."""
    with connection.cursor() as cursor:
        cursor.execute(_DRAWN, [project.pk, list(item_ids)])
        return {row[0] for row in cursor.fetchall()}


def drawn_message() -> str:
    """Whoever took photos out of a random sample, or showed what they are, would choose what certificates and audits see."""
    return _(
        "This photo was drawn at random: what people say of it, blind, certifies or audits the machine. "
        "Choose another."
    )
