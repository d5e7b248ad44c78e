"""A reviewer proposes a change of what the guideline means; an admin agrees, and it becomes a version, or says why not.

A proposal says what it changes of the classes, not a whole version: what others amend of other classes meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.guidelines import (
    Entry,
    amend_guideline,
    lock_newest,
    read_entries,
    refuse_unchanged,
    refuse_unsaid,
    reworded,
)
from labeling.catalog.models import Guideline, GuidelineProposal, Project, ProposalAnswer
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.notes import kept_whole


@transaction.atomic
def propose_guideline(
    *,
    project: Project,
    by: User,
    note: str,
    criteria: Mapping[str, str] | None = None,
    checklist: Mapping[str, Sequence[str]] | None = None,
    exemplars: Mapping[str, Sequence[str]] | None = None,
    more_exemplars: Mapping[str, Sequence[str]] | None = None,
    expected: int | None = None,
) -> GuidelineProposal:
    """Keep the change until an admin answers; the arguments, and what is refused of them, are those of
    :func:`~labeling.catalog.guidelines.amend_guideline`. Nothing changes by it."""
    refuse_unsaid(note)
    current = lock_newest(project, expected)
    changes: dict[str, Any] = {
        "criteria": dict(criteria or {}),
        "checklist": {key: list(checks) for key, checks in (checklist or {}).items()},
        "exemplars": {key: list(hashes) for key, hashes in (exemplars or {}).items()},
        "more_exemplars": {key: list(hashes) for key, hashes in (more_exemplars or {}).items()},
    }
    before = read_entries(current)
    refuse_unchanged(before, reworded(project, before, **changes))
    proposal = GuidelineProposal.objects.create(
        project=project,
        base=current,
        note=kept_whole(note, field="note"),
        changes={name: value for name, value in changes.items() if value},
        by=by,
    )
    log_activity(project=project, kind="guideline_proposed", actor=by, note=proposal.note)
    return proposal


@transaction.atomic
def agree_to_proposal(
    *, project: Project, proposal_id: int, by: User, expected: int | None = None
) -> Guideline:
    """Publish it as the next version; what answers mean changes, and with it falls what rests on that.

    Raises :class:`Refused` ``not_found`` (404); ``answered``, ``proposal_outdated``, where a class that it changes was
    amended since, and ``guideline_moved`` (409).
    """
    current = lock_newest(project, expected)
    proposal = _unanswered(project, proposal_id)
    if names := outdated(proposal, current):
        raise Refused(
            "proposal_outdated",
            _(
                "%(classes)s: amended since this was proposed. Decline it, or write it into the guideline yourself."
            )
            % {"classes": ", ".join(f"“{name}”" for name in names)},
        )
    version = amend_guideline(project=project, by=by, note=proposal.note, **proposal.changes)
    ProposalAnswer.objects.create(proposal=proposal, guideline=version, by=by)
    return version


@transaction.atomic
def decline_proposal(*, project: Project, proposal_id: int, by: User, note: str) -> ProposalAnswer:
    """Raises :class:`Refused` ``invalid`` (422) without a reason, ``not_found`` (404), ``answered`` (409)."""
    if not note.strip():
        raise Refused.invalid("note", _("Say why not: whoever proposed it reads it."), short=_("missing"))
    lock_newest(project, None)
    proposal = _unanswered(project, proposal_id)
    answer = ProposalAnswer.objects.create(proposal=proposal, note=kept_whole(note, field="note"), by=by)
    log_activity(
        project=project, kind="proposal_declined", actor=by, whose=str(proposal.by), note=answer.note
    )
    return answer


def _unanswered(project: Project, proposal_id: int) -> GuidelineProposal:
    proposal = (
        GuidelineProposal.objects.filter(project=project, pk=proposal_id).select_related("base", "by").first()
    )
    if proposal is None:
        raise Refused("not_found", _("There is no such proposal."), status=404)
    if ProposalAnswer.objects.filter(proposal=proposal).exists():
        raise Refused("answered", _("This proposal is answered already. Nothing was changed."))
    return proposal


def outdated(proposal: GuidelineProposal, current: Guideline) -> list[str]:
    """Names of the classes that it changes and that say something else today than when it was made."""
    if proposal.base_id == current.pk:
        return []
    then, now = read_entries(proposal.base), read_entries(current)
    touched = sorted({key for part in proposal.changes.values() for key in part})
    return [then[key].name for key in touched if key not in now or _said(then[key]) != _said(now[key])]


def _said(entry: Entry) -> tuple[Any, ...]:
    return entry.state, entry.criteria, entry.checklist, entry.exemplars
