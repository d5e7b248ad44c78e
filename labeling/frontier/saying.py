"""Where the frontier stands, in sentences: of the project, and of each class, under each promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.frontier.blocking import Blocked, blocked
from labeling.frontier.drawing import MOST_DRAWN
from labeling.frontier.models import (
    Certificate,
    CertificateEnd,
    CertificationRun,
    EndKind,
    FrontierPolicy,
    PromiseKind,
    WatchedPart,
)
from labeling.frontier.parts import Parts
from labeling.frontier.promise import per_cent
from labeling.text.percentage import percentage


def state_says(
    state: str,
    policy: FrontierPolicy,
    look: CertificationRun | None,
    *,
    suspended: Sequence[str],
    shares: tuple[float | None, float],
    nearest: tuple[str, int] | None,
) -> str:
    """The project's state in a sentence.

    ``shares``: of the pool, that the machine may decide alone, and that one answer settles. ``nearest``: the class that
    lacks the fewest labels until its one look, and how many.
    """
    wish = per_cent(policy.precision)
    if state == "no_model":
        return _("No model yet. A certificate is of a model version: train one and promote it first.")
    if state == "not_asked":
        return _(
            "Nothing is certified. Ask for it, and the random labels are held against the model's predictions."
        )
    if state == "certifying":
        return _("Walking inward. The page shows the steps when they are done.")
    if state == "suspended":
        told = _("Suspended for %(classes)s: the machine decides no more of it.") % {
            "classes": ", ".join(suspended)
        }
        return f"{told} {_certified(policy, shares[0] or 0.0, shares[1])}" if any(shares) else told
    if state == "certified":
        return _certified(policy, shares[0] or 0.0, shares[1])
    used = look.counts["used"] if look else 0
    if not used:
        told = _("No random label counts yet. Labels count that the audit draws after the model was trained.")
    else:
        told = ngettext(
            "%(n)d random label proves no precision of %(wish)s yet.",
            "%(n)d random labels prove no precision of %(wish)s yet.",
            used,
        ) % {"n": used, "wish": wish}
    if nearest is None:
        return told
    return f"{told} {look_is_due(policy.promise, *nearest)}"


def _certified(policy: FrontierPolicy, alone: float, ring: float) -> str:
    told = {
        "share": percentage(alone),
        "alone": percentage(alone),
        "ring": percentage(ring),
        "wish": per_cent(policy.precision),
        "floor": per_cent(policy.floor),
    }
    if policy.promise == PromiseKind.DELIVERED:
        return (
            _(
                "Of all labels that leave here at least %(wish)s are right; of what the machine decides, at least "
                "%(floor)s. It may decide %(alone)s of the pool alone; of another %(ring)s one answer that agrees settles a "
                "photo."
            )
            % told
        )
    if policy.promise == PromiseKind.ASSISTED and ring and not alone:
        return (
            _(
                "The machine may decide nothing alone; of %(ring)s of the pool one answer that agrees settles a photo, "
                "right at least %(wish)s of the time."
            )
            % told
        )
    if policy.promise == PromiseKind.ASSISTED and ring:
        return (
            _(
                "The machine may decide %(alone)s of the pool alone, right at least %(wish)s of the time; of another "
                "%(ring)s one answer that agrees settles a photo, right at least %(wish)s of the time by themselves."
            )
            % told
        )
    return _("%(share)s of the pool is certified to be right at least %(wish)s of the time.") % told


def look_is_due(promise: str, name: str, lacks: int) -> str:
    """What is missing until the one look that a promise with a second reader takes."""
    if promise == PromiseKind.DELIVERED:
        return ngettext(
            "The look is due when %(n)d more random label of the pool is settled.",
            "The look is due when %(n)d more random labels of the pool are settled.",
            lacks,
        ) % {"n": lacks}
    return ngettext(
        "The look is due when %(n)d more random label of “%(class)s” is settled.",
        "The look is due when %(n)d more random labels of “%(class)s” are settled.",
        lacks,
    ) % {"n": lacks, "class": name}


def class_says(
    state: str,
    name: str,
    certificate: Certificate | None,
    walk: Mapping[str, Any] | None,
    parts: Parts | None,
    policy: FrontierPolicy,
    *,
    asked: int,
) -> Blocked:
    """A class's state in a sentence: what may be done without people, or what is missing. ``asked``: as ``blocked``."""
    if state == "suspended" and certificate is not None:
        end = certificate.ends.filter(kind=EndKind.SUSPENDED).first()
        return Blocked(_("Suspended: %(why)s. Its photos went back to people.") % {"why": why(end)})
    if state == "certified" and certificate is not None and parts is not None:
        return Blocked(_ways(certificate, parts))
    if walk is None:
        return Blocked(_("Not looked at yet."))
    if policy.promise != PromiseKind.ALONE:
        if lacks := walk.get("lacks"):
            return Blocked(look_is_due(policy.promise, name, lacks), min(lacks, MOST_DRAWN))
        return Blocked(
            _(
                "The planned labels are settled, and prove no precision of %(wish)s. Plan more of them, or train another "
                "version."
            )
            % {"wish": per_cent(policy.precision)}
        )
    following = next((step for step in walk["steps"] if step["state"] == "failed"), None)
    if following is None and state == "certified":
        return Blocked(_("Certified to the boundary."))
    if following is None:
        return Blocked(_("Too few labels are planned for this class: no step could pass. Plan more of them."))
    return blocked(following, asked=asked)


def _ways(certificate: Certificate, parts: Parts) -> str:
    """Who settles what of a class that has a machine's part, or a ring, or both."""
    plan = certificate.run.plan
    told = {
        "alone": percentage(parts.alone_of_class),
        "ring": percentage(parts.ring_of_class),
        "wish": per_cent(plan.precision),
    }
    if not parts.alone:
        ways = (
            _(
                "The machine decides none of them alone; of the surest %(ring)s one answer that agrees settles a photo."
            )
            if certificate.assisted is not None
            else _("People settle all of them strictly.")
        )
    elif certificate.assisted is not None:
        ways = _(
            "The machine may decide the surest %(alone)s of them alone; of the next %(ring)s one answer that agrees settles "
            "a photo."
        )
    else:
        ways = _(
            "The machine may decide the surest %(alone)s of them alone; no single answer settles a photo."
        )
    if plan.promise == PromiseKind.DELIVERED:
        return ways % told
    return ways % told + " " + _("Either part is right at least %(wish)s of the time by itself.") % told


def why(end: CertificateEnd | None) -> str:
    """Why a certificate was suspended."""
    if end is None:
        return ""
    if end.reason == "audit" and end.figures:
        said = {
            WatchedPart.ASSISTED: _("%(errors)d of %(n)d audited labels that one answer settled were wrong"),
            WatchedPart.TOGETHER: _(
                "%(errors)d of %(n)d audited labels, the machine's and those of one answer, were wrong"
            ),
        }.get(end.figures.get("part", ""), _("%(errors)d of %(n)d audited decisions were wrong"))
        return said % {"errors": end.figures["errors"], "n": end.figures["audited"]}
    return end.note or str(end.get_reason_display())


def promised(policy: FrontierPolicy) -> str:
    """What the project promises, in a sentence."""
    told = {"wish": per_cent(policy.precision), "floor": per_cent(policy.floor)}
    if policy.promise == PromiseKind.DELIVERED:
        return (
            _(
                "Promised: of all labels that leave here, the machine's, those settled by one answer that agrees with it, "
                "and strict ones, at least %(wish)s are right; of what the machine decides, at least %(floor)s."
            )
            % told
        )
    if policy.promise == PromiseKind.ASSISTED:
        return (
            _(
                "Promised: of what the machine decides at least %(wish)s is right, and by themselves at least %(wish)s of "
                "the labels that one blind answer settles because it agrees with the machine. All others are strict."
            )
            % told
        )
    return (
        _("Promised: of what the machine decides at least %(wish)s is right. All other labels are strict.")
        % told
    )


def not_promised(policy: FrontierPolicy) -> str:
    """What it does not promise, though one might think so, in a sentence."""
    if policy.promise == PromiseKind.DELIVERED:
        return _(
            "Not promised: that each part is as good as all together. Labels that one answer settles have no bound of their "
            "own, the machine's only their floor, and strict ones pay for both."
        )
    if policy.promise == PromiseKind.ASSISTED:
        return _(
            "Not promised: anything of single photos, or of labels that two people or a reviewer settle. Where person and "
            "machine make the same mistake, only a second person sees it, and that is left to the audit's share."
        )
    return _("Not promised: anything of single photos, or of labels that people settle.")
