"""Certificates that are in force, and how they end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from labeling.catalog.meaning import meaning_now
from labeling.catalog.models import Guideline, Project
from labeling.catalog.services import log_activity
from labeling.database.read_once import read_once
from labeling.frontier import events
from labeling.frontier.models import (
    AssistedLabel,
    AutomaticDecision,
    Certificate,
    CertificateEnd,
    EndKind,
    EndReason,
)
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.queue import priority
from labeling.queue.services import request_ranking
from labeling.refusals import Refused
from labeling.text.notes import kept_whole
from labeling.truth import services as truth
from labeling.truth.current import is_settled


@transaction.atomic
def end_certificates(
    *,
    project: Project,
    kind: str,
    reason: str,
    by: User | None = None,
    note: str = "",
    only: Sequence[int] | None = None,
) -> int:
    """End those in force (``only``: of these ids); return how many."""
    found = Certificate.objects.in_force().filter(project=project)
    if only is not None:
        found = found.filter(pk__in=only)
    ended = CertificateEnd.objects.bulk_create(
        [
            CertificateEnd(certificate=each, kind=kind, reason=reason, by=by, note=note[:300])
            for each in found
        ],
        ignore_conflicts=True,
    )
    if ended and kind == EndKind.VOID:
        log_activity(
            project=project, kind="certificates_void", actor=by, reason=reason, certificates=len(ended)
        )
    return len(ended)


@transaction.atomic
def suspend(
    *,
    certificate: Certificate,
    by: User | None,
    reason: str = EndReason.ADMIN,
    note: str = "",
    figures: dict[str, Any] | None = None,
) -> int:
    """The machine decides no more of this class by this version, and what it decided goes to people; return how many.

    With what one answer settled that agreed with it: these labels are withdrawn, and wait for their second person.
    All certificates of the class and version are suspended, renewed ones too: their decisions are in the same doubt. The
    audit's doubt is of one guideline, and ends with it; an admin's is of the model.
    Raises :class:`Refused` ``invalid`` (422) where an admin gives no reason or one too long to keep, ``suspended`` (409)
    where the certificate is suspended already; the audit, which may come second, then changes nothing.
    """
    words = _words_of_suspension(by, note)
    project = certificate.project
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    doubted = _in_the_same_doubt(certificate, reason)
    list(
        doubted.select_for_update()
    )  # answers that are just being taken by it come to their end (``assisting``)
    decided, assisted = _decided_alone(project, doubted), _assisted(doubted)
    if not _end_as_suspended(doubted, reason=reason, note=words, figures=figures or {}, by=by):
        if by is not None:
            raise Refused(
                "suspended",
                _("This certificate is suspended already. Nothing was changed, and your note was not kept."),
            )
        return 0
    returned = priority.restore(project=project, item_ids=decided)
    withdrawn = truth.withdraw_assisted(project=project, item_ids=assisted)
    if decided:
        events.taken_back.send(sender=CertificateEnd, project=project, item_ids=decided)
    log_activity(
        project=project,
        kind="certificate_suspended",
        actor=by,
        **{
            "class": certificate.label_class.key,
            "model": certificate.model_version.number,
            "reason": reason,
            "note": words,
            "photos": len(decided) + withdrawn,
            "withdrawn": withdrawn,
            **(figures or {}),
        },
    )
    if returned:
        request_ranking(project=project, by=by)
    return len(decided) + withdrawn


def _words_of_suspension(by: User | None, note: str) -> str:
    if by is not None and not note.strip():
        raise Refused.invalid(
            "note", _("Say why this certificate does not hold: it is kept."), short=_("missing")
        )
    return kept_whole(note, field="note")


def _in_the_same_doubt(certificate: Certificate, reason: str) -> QuerySet[Certificate]:
    """All of the class and version; where the audit doubts, those of the same guideline."""
    return Certificate.objects.filter(
        project=certificate.project_id,
        model_version=certificate.model_version_id,
        label_class=certificate.label_class_id,
        **({"guideline": certificate.guideline_id} if reason == EndReason.AUDIT else {}),
    )


def _decided_alone(project: Project, certificates: QuerySet[Certificate]) -> list[int]:
    """Item ids of what the machine decided by these certificates, and people have not settled."""
    return list(
        AutomaticDecision.objects.standing()
        .filter(certificate__in=certificates)
        .exclude(is_settled())
        .values_list("item_id", flat=True)
    )


def _assisted(certificates: QuerySet[Certificate]) -> list[int]:
    """Item ids of what one answer settled under these certificates."""
    labels = AssistedLabel.objects.filter(certificate__in=certificates, audit=False)
    return list(labels.values_list("item_id", flat=True))


def _end_as_suspended(
    certificates: QuerySet[Certificate], *, reason: str, note: str, figures: dict[str, Any], by: User | None
) -> int:
    """Suspend those that are not suspended yet; return how many."""
    ends = [
        CertificateEnd(
            certificate=each, kind=EndKind.SUSPENDED, reason=reason, note=note, figures=figures, by=by
        )
        for each in certificates.exclude(ends__kind=EndKind.SUSPENDED)
    ]
    return len(CertificateEnd.objects.bulk_create(ends))


@read_once
def under_champion(project: Project) -> list[Certificate]:
    """All of the champion, oldest first, with ``ended`` and ``suspended``."""
    model = champion(project)
    if model is None:
        return []
    ends = CertificateEnd.objects.filter(certificate=OuterRef("pk"))
    return list(
        Certificate.objects.filter(project=project, model_version=model)
        .annotate(ended=Exists(ends), suspended=Exists(ends.filter(kind=EndKind.SUSPENDED)))
        .select_related("label_class", "model_version", "guideline", "run__plan")
        .order_by("pk")
    )


def in_force(project: Project) -> list[Certificate]:
    """Certificates that allow something now: not ended, of the champion, of what the guideline means today."""
    found = under_champion(project)
    meaning = meaning_now(project).pk if found else None
    return [each for each in found if each.guideline_id == meaning and not getattr(each, "ended")]  # noqa: B009 - annotated


def suspended(project: Project, *, meaning: Guideline | None = None) -> dict[int, Certificate]:
    """Class id -> the newest certificate of the champion that is suspended; ``meaning``: of this guideline."""
    return {
        each.label_class_id: each
        for each in under_champion(project)
        if getattr(each, "suspended")  # noqa: B009 - annotated
        and (meaning is None or each.guideline_id == meaning.pk)
    }
