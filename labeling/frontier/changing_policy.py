"""Append another policy, and end what was proven under the one before."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.services import log_activity
from labeling.frontier import requests
from labeling.frontier.certificates import end_certificates
from labeling.frontier.models import EndKind, EndReason, FrontierPolicy, Mode
from labeling.frontier.notes import kept_whole
from labeling.frontier.policy import FIELDS, LEAST_AUDITED, policy_of
from labeling.people.models import User
from labeling.refusals import Refused

#: What another certificate would be needed for.
_PROOF = frozenset({"precision", "delta", "undecided_are_errors"})


@transaction.atomic
def set_policy(*, project: Project, by: User, reason: str = "", **changes: Any) -> FrontierPolicy:
    """Append a policy that differs in ``changes``; certificates of another precision or δ are void from now on.

    Raises :class:`Refused` ``invalid`` (422) for a value out of range, for switching on without a reason, and for a
    reason that is too long to keep; ``no_audit`` (422) for a machine that decides and is hardly audited.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = policy_of(project)
    values = {name: getattr(before, name) for name in FIELDS}
    changed = {name: value for name, value in changes.items() if values[name] != value}
    if not changed:
        return before
    if changed.get("mode") == Mode.ON and not reason.strip():
        message = _("Say why the machine may decide from now on: it is kept.")
        raise Refused.invalid("reason", message)
    now = values | changes
    if now["mode"] == Mode.ON and now["audit_share"] < LEAST_AUDITED:
        message = _(
            "While the machine decides, at least %(least)s %% of its decisions are audited: nothing else tells when a "
            "certificate no longer holds."
        ) % {"least": f"{100 * LEAST_AUDITED:g}"}
        raise Refused.invalid("audit_share", message, code="no_audit")
    words = kept_whole(reason, field="reason")
    policy = FrontierPolicy(project=project, by=by, reason=words, **now)
    try:
        policy.full_clean(exclude=["project", "by"])
    except ValidationError as error:
        fields = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise Refused("invalid", "; ".join(fields.values()), status=422, fields=fields) from None
    policy.save()
    log_activity(
        project=project,
        kind="frontier_policy",
        actor=by,
        changes={name: [values[name], value] for name, value in changed.items()},
        reason=policy.reason,
    )
    if _PROOF & set(changed):
        end_certificates(project=project, kind=EndKind.VOID, reason=EndReason.POLICY, by=by)
    if (_PROOF | {"planned_labels"}) & set(changed):
        requests.certify_when_wanted(project=project)
    if policy.mode != Mode.OFF:
        requests.request_deciding(project=project)
    return policy
