"""Everything that ever happened to a photo in a project, as one line of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from django.db.models import Exists, Max, OuterRef, TextChoices
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import IntakeFile, IntakeOutcome, Item, MetadataChange, Project
from labeling.catalog.selectors import class_names, current_guideline
from labeling.frontier.models import AssistedLabel, AutomaticDecision, Mode
from labeling.queue.models import EarlierShown
from labeling.queue.sheets.lending import COVER
from labeling.text.percentage import percentage
from labeling.text.plain import isolated
from labeling.truth.models import (
    EARLIER,
    Annotation,
    AnswerKind,
    Dispute,
    Draw,
    Gold,
    GroundTruth,
    Origin,
    Outcome,
    Ruling,
)
from labeling.truth.selectors import reason_text
from labeling.truth.templatetags.shares import decimals

#: Files of intakes that are listed, and changes of metadata: a photo that is delivered every day would fill the page.
MOST_FILES = 20


class Kind(TextChoices):
    INTAKE = "intake", gettext_lazy("Intake")
    GONE = "gone", gettext_lazy("Gone from its source")
    METADATA = "metadata", gettext_lazy("Metadata")
    DRAWN = "drawn", gettext_lazy("Drawn at random")
    ANSWER = "answer", gettext_lazy("Answer")
    UNDO = "undo", gettext_lazy("Taken back")
    HINT = "hint", gettext_lazy("Said elsewhere")
    GOLD = "gold", gettext_lazy("Gold")
    DISPUTE = "dispute", gettext_lazy("Dispute")
    RULING = "ruling", gettext_lazy("Ruling")
    TRUTH = "truth", gettext_lazy("Ground truth")
    DECISION = "decision", gettext_lazy("Automatic decision")
    OVERRULED = "overruled", gettext_lazy("Overruled")
    ASSISTED = "assisted", gettext_lazy("Second reader")


#: Icon by kind.
ICONS = {
    Kind.INTAKE: "folder-up", Kind.GONE: "folder-x", Kind.METADATA: "list-plus", Kind.DRAWN: "dices", Kind.ANSWER: "tag",
    Kind.UNDO: "undo-2", Kind.GOLD: "badge-check", Kind.DISPUTE: "scale", Kind.RULING: "gavel", Kind.TRUTH: "circle-check",
    Kind.DECISION: "shield-check", Kind.OVERRULED: "hand", Kind.ASSISTED: "users", Kind.HINT: "package-open",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. ``what`` in the reader's words; ``details`` beside it; ``note``: what somebody wrote.

    ``label``: for programs, the class's key or the kind that was said.
    """

    at: datetime
    kind: Kind
    what: str
    by: str = ""
    details: list[str] = field(default_factory=list)
    note: str = ""
    link: str = ""
    label: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.kind]


def history(project: Project, item: Item, *, told: bool, gold: bool) -> list[Moment]:
    """Oldest first. Not ``told``: how its file came in, its metadata, and no more; ``gold``: what is or was gold is told.

    Of a photo that was erased it tells what was said and decided, and nothing that it would be known by.
    """
    found = [*_intake(project, item), *(_metadata(item) if item.project_id is not None else [])]
    if told:
        names = class_names(current_guideline(project))
        found += [
            *_drawn(item),
            *_gold(item, names) * gold,
            *_answers(item, names, gold),
            *_hints(item, names),
            *_disputes(project, item, names),
            *_truths(item, names, gold),
            *_decisions(project, item, names),
        ]
    return sorted(found, key=attrgetter("at"))


def _intake(project: Project, item: Item) -> Iterator[Moment]:
    files = (
        IntakeFile.objects.filter(batch__project=project, image=item.image_id)
        .exclude(outcome=IntakeOutcome.PENDING)
        .select_related("batch__created_by")
        .annotate(gone_at=Max("watched__gone_at"))
        .order_by("id")[:MOST_FILES]
    )
    listed = False
    for file in files:
        came = file.outcome == IntakeOutcome.ADDED
        listed = listed or came
        yield Moment(
            # The batch is older than the photo, which came in when its turn was.
            at=item.added_at if came else file.batch.created_at,
            kind=Kind.INTAKE,
            what=_("Came in as %(name)s") % {"name": isolated(file.name)}
            if came
            else _("The same file came again as %(name)s") % {"name": isolated(file.name)},
            by=str(file.batch.created_by),
            details=[_("from %(source)s") % {"source": isolated(file.batch.source)}]
            if file.batch.source
            else [],
        )
        if file.gone_at is not None:
            yield Moment(
                file.gone_at,
                Kind.GONE,
                _("Gone from its source: %(path)s") % {"path": isolated(file.name)},
                details=[_("from %(source)s") % {"source": isolated(file.batch.source)}],
            )
    if not listed:
        yield Moment(
            item.added_at,
            Kind.INTAKE,
            _("Came in")
            if item.project_id is None
            else _("Came in as %(name)s") % {"name": isolated(item.name or item.image.sha256[:12])},
            details=[_("from %(source)s") % {"source": isolated(item.source)}] if item.source else [],
        )


def _metadata(item: Item) -> Iterator[Moment]:
    for change in MetadataChange.objects.filter(item=item).select_related("by").order_by("id")[:MOST_FILES]:
        yield Moment(
            change.created_at,
            Kind.METADATA,
            _("Metadata: %(values)s")
            % {
                "values": isolated(
                    ", ".join(f"{name} = {_said(value)}" for name, value in change.data.items())
                )
            },
            by=str(change.by),
            details=[_("from %(source)s") % {"source": isolated(change.origin)}] if change.origin else [],
        )


def _said(value: object) -> str:
    return _("taken away") if value is None else str(value)


def _drawn(item: Item) -> Iterator[Moment]:
    if item.audit_drawn_at is not None:
        yield Moment(item.audit_drawn_at, Kind.DRAWN, _("Drawn at random for the audit"))


def _gold(item: Item, names: dict[int, str]) -> list[Moment]:
    gold = Gold.objects.filter(item=item).select_related("added_by", "label_class").first()
    if gold is None:
        return []
    known = _named(gold.label_class_id, "", names)
    found = [
        Moment(
            gold.created_at,
            Kind.GOLD,
            _("Made gold: known to be %(label)s") % {"label": known},
            by=str(gold.added_by),
            label=gold.label_class.key,
        )
    ]
    if gold.retired_at is not None:
        found.append(Moment(gold.retired_at, Kind.GOLD, _("Gold no more: it is not asked blind again")))
    return found


def _hints(item: Item, names: dict[int, str]) -> Iterator[Moment]:
    for hint in item.hints.select_related("label_class").order_by("id"):
        yield Moment(
            hint.created_at,
            Kind.HINT,
            _("Said elsewhere: %(label)s") % {"label": _named(hint.label_class_id, hint.kind, names)},
            by=hint.said_by,
            details=[_("taken back")] if hint.retired_at else [],
            label=hint.label_class.key if hint.label_class else hint.kind,
        )


_COVER = gettext_lazy("asked beside a check, counts for nothing")
_BESIDE = gettext_lazy("beside an earlier photo, not blind")
_DRAWS = {
    Draw.AUDIT: gettext_lazy("drawn at random"),
    Draw.GOLD: gettext_lazy("asked as gold"),
    Draw.SWEEP: gettext_lazy("in a grid, not blind"),
}


def _asked(answer: Annotation) -> Iterator[str]:
    """Why its labeler was shown the photo, and what they were shown beside it."""
    if "import" in answer.context:
        yield _("imported, not blind")
    elif COVER in answer.context:
        yield str(_COVER)
    elif answer.draw != Draw.SWEEP or EARLIER not in answer.context:
        yield str(_DRAWS.get(Draw(answer.draw), ""))
    if EARLIER in answer.context:
        yield str(_BESIDE)


def _answers(item: Item, names: dict[int, str], gold: bool) -> Iterator[Moment]:
    answers = (
        Annotation.objects.filter(item=item)
        .select_related("labeler", "label_class", "guideline", "retraction__by")
        .order_by("id")
    )
    for answer in answers if gold else answers.exclude(draw=Draw.GOLD):
        details = [
            _("round %(n)d") % {"n": answer.round} if answer.round > 1 else "",
            _("%(n).1f\u00a0s") % {"n": answer.view_ms / 1000} if answer.view_ms else "",
            _("guideline %(n)d") % {"n": answer.guideline.number},
            *_asked(answer),
            reason_text(answer.kind, answer.reason) if answer.reason else "",
        ]
        label = _named(answer.label_class_id, answer.kind, names)
        yield Moment(
            answer.created_at,
            Kind.ANSWER,
            _("Answered: %(label)s") % {"label": label},
            by=str(answer.labeler),
            details=[each for each in details if each],
            note=answer.comment,
            label=answer.label_class.key if answer.label_class else answer.kind,
        )
        if hasattr(answer, "retraction"):
            yield Moment(
                answer.retraction.created_at,
                Kind.UNDO,
                _("Took the answer back: %(label)s") % {"label": label},
                by=str(answer.retraction.by),
            )


def _disputes(project: Project, item: Item, names: dict[int, str]) -> Iterator[Moment]:
    shown = EarlierShown.objects.filter(
        image=item.image_id, labeler=OuterRef("ruling__reviewer"), shown_at__lt=OuterRef("ruling__created_at")
    )
    disputes = (
        Dispute.objects.filter(item=item)
        .select_related("ruling__reviewer", "ruling__label_class", "ruling__retraction__by")
        .annotate(beside=Exists(shown))
        .order_by("created_at")
    )
    for dispute in disputes:
        link = reverse("review-dispute", args=[project.slug, dispute.pk])
        cause = dispute.get_cause_display()
        yield Moment(
            dispute.created_at,
            Kind.DISPUTE,
            _("Held at the boundary: %(cause)s") % {"cause": cause}
            if dispute.held
            else _("To review: %(cause)s") % {"cause": cause},
            note=dispute.note,
            link=link,
        )
        if not hasattr(dispute, "ruling"):
            continue
        ruling: Ruling = dispute.ruling
        details = [
            str(_BESIDE) if dispute.beside else "",  # type: ignore[attr-defined]
            reason_text(ruling.outcome, ruling.reason) if ruling.reason else "",
        ]
        label = (
            _named(ruling.label_class_id, "", names)
            if ruling.label_class_id
            else str(Outcome(ruling.outcome).label)
        )
        yield Moment(
            ruling.created_at,
            Kind.RULING,
            _("Ruled: %(label)s") % {"label": label},
            by=str(ruling.reviewer) if ruling.reviewer else "",
            details=[each for each in details if each],
            note=ruling.comment,
            link=link,
            label=ruling.label_class.key if ruling.label_class else ruling.outcome,
        )
        if hasattr(ruling, "retraction"):
            yield Moment(
                ruling.retraction.created_at,
                Kind.UNDO,
                _("Took the ruling back: %(label)s") % {"label": label},
                by=str(ruling.retraction.by),
            )


def _truths(item: Item, names: dict[int, str], gold: bool) -> Iterator[Moment]:
    truths = GroundTruth.objects.filter(item=item).select_related("label_class", "guideline").order_by("id")
    rows = list(truths if gold else truths.exclude(origin=Origin.GOLD))
    for truth in rows:
        withdrawn = truth.kind == Outcome.WITHDRAWN
        yield Moment(
            truth.created_at,
            Kind.TRUTH,
            _("The ground truth was withdrawn")
            if withdrawn
            else _("Ground truth: %(label)s") % {"label": _named(truth.label_class_id, truth.kind, names)},
            details=[
                truth.get_origin_display(),
                _("guideline %(n)d") % {"n": truth.guideline.number},
                *([_("in force")] if truth is rows[-1] and not withdrawn else []),
            ],
            label=truth.label_class.key if truth.label_class else truth.kind,
        )


def _decisions(project: Project, item: Item, names: dict[int, str]) -> Iterator[Moment]:
    decisions = (
        AutomaticDecision.objects.filter(item=item)
        .told()
        .select_related(
            "model_version", "certificate", "label_class", "overruled__by", "overruled__label_class"
        )
        .order_by("id")
    )
    for decision in decisions:
        link = reverse("frontier-decision", args=[project.slug, decision.pk])
        label = _named(decision.label_class_id, "", names)
        shadow = decision.mode == Mode.SHADOW
        yield Moment(
            decision.created_at,
            Kind.DECISION,
            _("The machine would have decided: %(label)s") % {"label": label}
            if shadow
            else _("The machine decided: %(label)s") % {"label": label},
            details=[
                _("version %(n)d") % {"n": decision.model_version.number},
                _("margin %(margin)s") % {"margin": decimals(decision.confidence)},
                _("certificate %(n)d (%(precision)s stated)")
                % {"n": decision.certificate_id, "precision": percentage(decision.certificate.precision)},
                *([_("drawn by lot for the audit")] if decision.audit else []),
            ],
            link=link,
            label=decision.label_class.key,
        )
        if hasattr(decision, "overruled"):
            overruled = decision.overruled
            yield Moment(
                overruled.created_at,
                Kind.OVERRULED,
                _("The decision was overruled"),
                by=str(overruled.by),
                details=[_named(overruled.label_class_id, "", names)] if overruled.label_class_id else [],
                note=overruled.reason,
                link=link,
            )
    for assisted in AssistedLabel.objects.filter(item=item).order_by("id"):
        yield Moment(
            assisted.created_at,
            Kind.ASSISTED,
            _("One answer agreed with the machine; drawn for a second person")
            if assisted.audit
            else _("One answer agreed with the machine, which settled it"),
            details=[_("certificate %(n)d") % {"n": assisted.certificate_id}],
        )


def _named(class_id: int | None, kind: str, names: dict[int, str]) -> str:
    return str(AnswerKind(kind).label) if class_id is None else isolated(names.get(class_id, "?"))
