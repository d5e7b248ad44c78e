"""A person overrules a verdict, and says why. What they said stands until something that they saw changes."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.services import log_activity
from labeling.inspections.asking_first import release
from labeling.inspections.evidence import Reader
from labeling.inspections.looking import HELD_BY_A_PERSON, append, in_force
from labeling.inspections.models import Inspection, Outcome, Verdict
from labeling.inspections.naming import asked_by
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.notes import kept_whole


def overrule(*, inspection: Inspection, by: User, outcome: str, reason: str) -> Verdict:
    """Append a verdict of this person, beside what is known now.

    Raises :class:`Refused` ``invalid`` (422), ``same_verdict`` (409) where it is so already.
    """
    if outcome not in Outcome.values:
        raise Refused.invalid("outcome", _("One of: %(values)s.") % {"values": ", ".join(Outcome.values)})
    if not reason.strip():
        raise Refused.invalid("reason", _("Say why the verdict is wrong: it is kept."), short=_("missing"))
    words = kept_whole(reason, field="reason")
    verdict = _append(inspection.pk, by, Outcome(outcome), words)
    if outcome != Outcome.HELD:
        release(inspection)
    return verdict


@transaction.atomic
def _append(inspection_id: int, by: User, outcome: Outcome, reason: str) -> Verdict:
    locked = Inspection.objects.select_for_update(no_key=True, of=("self",))
    inspection = locked.select_related("verdict", "protocol").get(pk=inspection_id)
    before = inspection.verdict
    if before is not None and before.outcome == outcome:
        raise Refused("same_verdict", _("That is the verdict already. Nothing was changed."))
    evidence = Reader().read([inspection.pk])[inspection.pk]
    verdict = Verdict(
        inspection=inspection,
        number=before.number + 1 if before else 1,
        outcome=outcome,
        by=by,
        reason=reason,
        version=in_force([inspection.protocol_id])[inspection.protocol_id],
        told={
            "rule": None,
            "parts": [each.as_json() for each in evidence.known],
            "unknown": [[*each.part, each.why] for each in evidence.known if each.answer is None],
            "missing": sorted(evidence.missing),
        },
    )
    append([verdict])
    if outcome == Outcome.HELD:
        Inspection.objects.filter(pk=inspection.pk).update(held_for=HELD_BY_A_PERSON)
    # Without the reason: it is kept in one place, from which it can be erased.
    for project in asked_by(verdict.version):
        log_activity(
            project=project,
            kind="verdict_overruled",
            actor=by,
            inspection=inspection.pk,
            protocol=inspection.protocol.slug,
            said=verdict.version.name_of(outcome),
        )
    return verdict
