"""What is in force now, of everything that was ever appended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import OuterRef, QuerySet

from labeling.catalog.models import Project
from labeling.database.planner import LookedUp
from labeling.people.models import User
from labeling.truth.models import Dispute, GroundTruth, Outcome, Pause, Ruling, TruthKind

#: SQL over ``catalog_item i``: a ground truth is in force; a dispute is open.
SETTLED = """
    EXISTS (SELECT 1 FROM truth_groundtruth t
            WHERE t.item_id = i.id AND t.kind <> 'withdrawn'
              AND NOT EXISTS (SELECT 1 FROM truth_groundtruth n WHERE n.supersedes_id = t.id))"""
#: The same, and people settled it as strictly as the project asks: not one answer with the machine's consent, nor elsewhere.
SETTLED_STRICTLY = SETTLED.replace(
    "t.kind <> 'withdrawn'", "t.kind <> 'withdrawn' AND t.origin NOT IN ('assisted', 'imported')"
)
#: SQL over ``catalog_item i``: what was said elsewhere counts for the photo, or did once. Of its strict, blind label nothing
#: will ever be known, whatever people say of it later (docs/decisions/0040-labels-from-elsewhere.md).
IMPORTED = """(
    EXISTS (SELECT 1 FROM truth_groundtruth x WHERE x.item_id = i.id AND x.origin = 'imported')
    OR EXISTS (SELECT 1 FROM truth_annotation x WHERE x.item_id = i.id AND jsonb_exists(x.context, 'import')))"""
DISPUTED = """
    EXISTS (SELECT 1 FROM truth_dispute d
            WHERE d.item_id = i.id AND NOT EXISTS (SELECT 1 FROM truth_ruling r WHERE r.dispute_id = d.id))"""


def is_settled() -> LookedUp:
    """Of rows with an ``item``: its ground truth is in force. It is looked up, where ``NOT IN`` would read all there are."""
    return LookedUp(GroundTruth.objects.current().filter(item=OuterRef("item")))


def is_disputed() -> LookedUp:
    """The same: a dispute on it is open."""
    return LookedUp(Dispute.objects.open().filter(item=OuterRef("item")))


def newest_truth(item_id: int) -> GroundTruth | None:
    """The end of the photo's chain of ground truths, a withdrawal included."""
    return newest_truths([item_id]).get(item_id)


def newest_truths(item_ids: Collection[int]) -> dict[int, GroundTruth]:
    """The same of several photos, by item id; those without a ground truth are missing."""
    return {truth.item_id: truth for truth in ends_of_chains().filter(item__in=item_ids)}


def ends_of_chains() -> QuerySet[GroundTruth]:
    return GroundTruth.objects.exclude(LookedUp(GroundTruth.objects.filter(supersedes=OuterRef("pk"))))


def truth_in_force(item_id: int) -> GroundTruth | None:
    truth = newest_truth(item_id)
    return None if truth is None or truth.kind == TruthKind.WITHDRAWN else truth


def open_dispute(item_id: int) -> Dispute | None:
    return Dispute.objects.open().filter(item_id=item_id).first()


@dataclass(frozen=True, slots=True)
class Given:
    """What a standing answer says, as the rule needs it, and the guideline version that it was given under."""

    kind: str
    label_class_id: int | None
    guideline_id: int


@dataclass(frozen=True, slots=True)
class PhotoState:
    """All that settling looks at. ``newest_truth`` may be a withdrawal; ``assisted``: the class of the ground truth in
    force where one answer settled it; ``paused``: the person who just answered; ``swept``: one of the answers was given in
    a sweep, which is not blind; ``wanted``: the answers that it was drawn to get, where these are more than others get;
    ``over``: a reviewer has ended the round that was asked for, and people are asked anew."""

    newest_truth: int | None
    in_force: bool
    assisted: int | None
    disputed: bool
    paused: bool
    answers: list[Given]
    swept: bool
    wanted: int | None
    over: bool


def photo_state(project: Project, item_id: int, round: int, labeler: User | None = None) -> PhotoState:
    """In one look: what :func:`newest_truth`, :func:`open_dispute` and :func:`pause_of` say, and the standing answers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.id, t.kind, CASE WHEN t.origin = 'assisted' THEN t.label_class_id END,
                   EXISTS (SELECT 1 FROM truth_dispute d WHERE d.item_id = %(item)s
                             AND NOT EXISTS (SELECT 1 FROM truth_ruling r WHERE r.dispute_id = d.id)),
                   EXISTS (SELECT 1 FROM truth_pause p
                           WHERE p.project_id = %(project)s AND p.labeler_id = %(labeler)s AND p.lifted_at IS NULL),
                   given.kinds, given.classes, given.guidelines, given.swept,
                   (SELECT i.answers_wanted FROM catalog_item i WHERE i.id = %(item)s),
                   (SELECT count(*) FROM truth_ruling r JOIN truth_dispute d ON d.id = r.dispute_id
                    WHERE d.item_id = %(item)s AND r.outcome = 'send_back') >= %(round)s
            FROM (SELECT array_agg(a.kind ORDER BY a.id) AS kinds, array_agg(a.label_class_id ORDER BY a.id) AS classes,
                         array_agg(a.guideline_id ORDER BY a.id) AS guidelines, bool_or(a.draw = 'sweep') AS swept
                  FROM truth_annotation a
                  WHERE a.item_id = %(item)s AND a.round = %(round)s AND a.draw <> 'gold'
                    AND NOT EXISTS (SELECT 1 FROM truth_retraction r WHERE r.annotation_id = a.id)) given
            LEFT JOIN truth_groundtruth t ON t.item_id = %(item)s
              AND NOT EXISTS (SELECT 1 FROM truth_groundtruth n WHERE n.supersedes_id = t.id)
            """,
            {
                "item": item_id,
                "round": round,
                "project": project.pk,
                "labeler": labeler.pk if labeler else None,
            },
        )
        newest, kind, assisted, disputed, paused, kinds, classes, guidelines, swept, wanted, over = (
            cursor.fetchone()
        )
    return PhotoState(
        newest_truth=newest,
        in_force=newest is not None and kind != TruthKind.WITHDRAWN,
        assisted=assisted,
        disputed=disputed,
        paused=paused,
        answers=[Given(*each) for each in zip(kinds or (), classes or (), guidelines or (), strict=True)],
        swept=bool(swept),
        wanted=wanted,
        over=over,
    )


def current_round(item_id: int) -> int:
    """1, and one more for each time that a reviewer sent the photo back."""
    return current_rounds([item_id])[item_id]


def current_rounds(item_ids: Collection[int]) -> dict[int, int]:
    """The same of several photos, by item id."""
    sent_back = Ruling.objects.filter(dispute__item__in=item_ids, outcome=Outcome.SEND_BACK)
    times = Counter(sent_back.values_list("dispute__item", flat=True))
    return {item_id: 1 + times[item_id] for item_id in item_ids}


def pause_of(project: Project, labeler: User) -> Pause | None:
    return Pause.objects.filter(project=project, labeler=labeler, lifted_at__isnull=True).first()
