"""Why the machine has not decided a photo that waits for people: in one code a photo, and how many wait for which reason.

Most reasons say something of what the model makes of the photo (it is ``outside`` where the model is unsure), so they are
for programs that send photos, and as counts for whoever looks at a job. Whoever may be asked about the photo is told no more
of it than :func:`why_told`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from django.db import connection
from django.db.models import QuerySet

from labeling.catalog.models import Project
from labeling.frontier import auditing
from labeling.frontier.arrivals import why_unlike
from labeling.frontier.certificates import in_force
from labeling.frontier.models import Certificate, DecisionOverruled, Mode
from labeling.frontier.policy import policy_of
from labeling.learning.models import Score
from labeling.learning.selectors import champion
from labeling.truth.current import SETTLED

#: So many photos of a project are looked through, the newest first, however large its pool is.
NEWEST = 1000

_WAITING = f"""
SELECT i.id FROM (SELECT id FROM catalog_item WHERE project_id = %s ORDER BY id DESC LIMIT %s) i
WHERE NOT {SETTLED}
  AND NOT EXISTS (SELECT 1 FROM frontier_automaticdecision a
                  WHERE a.item_id = i.id AND a.mode = 'on'
                    AND NOT EXISTS (SELECT 1 FROM frontier_decisionoverruled o WHERE o.decision_id = a.id)
                    AND NOT EXISTS (SELECT 1 FROM frontier_certificateend x
                                    WHERE x.certificate_id = a.certificate_id AND x.kind = 'suspended'))
"""  # noqa: S608


def waiting_by_reason(project: Project) -> dict[str, int]:
    """Of the ``NEWEST`` photos, those that nobody has settled and the machine has not decided: reason -> how many."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [project.pk, NEWEST])
        waiting = [row[0] for row in cursor.fetchall()]
    return dict(Counter(why_waiting(project, waiting).values()))


def why_waiting(project: Project, item_ids: Collection[int]) -> dict[int, str]:
    """Item id -> why people are asked, of photos that nobody settled and on which no decision stands.

    Of the whole project: ``off``, ``shadow``, ``no_model``, ``no_certificate``. Of the photo: ``overruled``,
    ``not_scored``, ``outside`` (its class has no certificate, or its margin lies below what is certified), ``audits_wait``
    (of its class), ``only_the_pool``, ``unlike_the_pool`` or ``not_looked_at`` (it came after the plan: see ``arrivals``),
    ``with_people`` (all that it takes is there, but people have it: it was drawn, begun, or is to be asked first).
    """
    whole, certificates = _certified(project)
    if whole:
        return dict.fromkeys(item_ids, whole)
    taken_back = DecisionOverruled.objects.filter(decision__item__in=item_ids)
    overruled = set(taken_back.values_list("decision__item", flat=True))
    by_class = {each.label_class_id: each for each in certificates}
    scores = {score.item_id: score for score in _scores(certificates, item_ids)}
    found, inside = {}, set()
    for item in item_ids:
        score = scores.get(item)
        certificate = by_class.get(score.predicted_id) if score else None
        if item in overruled:
            found[item] = "overruled"
        elif score is None:
            found[item] = "not_scored"
        elif certificate is None or score.confidence < certificate.threshold:
            found[item] = "outside"
        else:
            inside.add(item)
    if inside:
        paused = auditing.paused_classes(project)
        found |= {item: "audits_wait" for item in inside if scores[item].predicted_id in paused}
        found |= _unlike(project, certificates, inside - found.keys(), otherwise="with_people")
    return found


def why_told(project: Project, item_ids: Collection[int]) -> dict[int, str]:
    """The same as far as it says nothing of what the model makes of a photo: what depends on that is ``not_told``.

    Also of photos that the machine decided and that people are asked about, blind, for its audit.
    """
    whole, certificates = _certified(project)
    if whole:
        return dict.fromkeys(item_ids, whole)
    scored = set(_scores(certificates, item_ids).values_list("item", flat=True))
    found = dict.fromkeys(item_ids, "not_scored")
    return found | _unlike(project, certificates, scored, otherwise="not_told")


def _unlike(
    project: Project, certificates: Sequence[Certificate], item_ids: Collection[int], *, otherwise: str
) -> dict[int, str]:
    why = why_unlike(certificates[0], project, item_ids)
    return {item: why[item] or otherwise for item in item_ids}


def _certified(project: Project) -> tuple[str, list[Certificate]]:
    """Why nothing of the project is decided, or else its certificates."""
    mode = policy_of(project).mode
    if mode != Mode.ON:
        return str(mode), []
    certificates = in_force(project)
    if certificates:
        return "", certificates
    return "no_model" if champion(project) is None else "no_certificate", []


def _scores(certificates: Sequence[Certificate], item_ids: Collection[int]) -> QuerySet[Score]:
    return Score.objects.filter(model_version=certificates[0].model_version_id, item__in=item_ids)
