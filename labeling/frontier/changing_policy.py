"""Append another policy, and end what was proven under the one before."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.versions import append_version
from labeling.frontier import requests
from labeling.frontier.certificates import end_certificates
from labeling.frontier.models import EndKind, EndReason, FrontierPolicy, Mode, PromiseKind
from labeling.frontier.policy import FIELDS, LEAST_AUDITED, policy_of
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.percentage import percentage

#: What another certificate would be needed for.
_PROOF = frozenset({"promise", "precision", "delta", "undecided_are_errors"})


@transaction.atomic
def set_policy(*, project: Project, by: User, reason: str = "", **changes: Any) -> FrontierPolicy:
    """Append a policy that differs in ``changes``; certificates of another promise, precision or δ are void from now on.

    Raises :class:`Refused` ``invalid`` (422) for a value out of range, for switching on without a reason, and for a
    reason that is too long to keep; ``no_audit`` (422) for a machine that decides and is hardly audited.
    """
    policy, changed = append_version(
        project=project,
        by=by,
        in_force=policy_of,
        fields=FIELDS,
        changes=changes,
        reason=reason,
        kind="frontier_policy",
        refuse=_refuse,
    )
    proof = _PROOF | ({"floor"} if policy.promise == PromiseKind.DELIVERED else set())
    if proof & changed:
        end_certificates(project=project, kind=EndKind.VOID, reason=EndReason.POLICY, by=by)
    if (proof | {"planned_labels"}) & changed:
        requests.certify_when_wanted(project=project)
    if changed and policy.mode != Mode.OFF:
        requests.request_deciding(project=project)
    return policy


def _refuse(policy: FrontierPolicy, changed: frozenset[str]) -> None:
    if policy.promise == PromiseKind.DELIVERED and policy.floor > policy.precision:
        message = _("The floor under what the machine decides lies below what is promised of all labels.")
        raise Refused.invalid("floor", message)
    if policy.promise != PromiseKind.ALONE and not policy.undecided_are_errors:
        message = _(
            "With a second reader or a delivered set, photos that people hold or call unusable count against the machine."
        )
        raise Refused.invalid("undecided_are_errors", message)
    _refuse_unwatched(policy, changed)


def _refuse_unwatched(policy: FrontierPolicy, changed: frozenset[str]) -> None:
    """The machine is switched on with a reason, and while it is on, people see some of what it decides."""
    if policy.mode != Mode.ON:
        return
    if "mode" in changed and not policy.reason:
        message = _("Say why the machine may decide from now on: it is kept.")
        raise Refused.invalid("reason", message)
    if policy.audit_share < LEAST_AUDITED:
        message = _(
            "While the machine decides, at least %(least)s of its decisions are audited: nothing else tells when a "
            "certificate no longer holds."
        ) % {"least": percentage(LEAST_AUDITED, "g")}
        raise Refused.invalid("audit_share", message, code="no_audit")
