"""What a person can say of a photo, and what of it contradicts itself. Knows neither projects nor guidelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from labeling.refusals import Refused
from labeling.truth.models import AnswerKind, HoldReason, UnusableReason

#: Kind -> the reasons that it may give; a class gives none.
REASONS = {AnswerKind.HOLD.value: HoldReason.values, AnswerKind.UNUSABLE.value: UnusableReason.values}


@dataclass(frozen=True)
class Answer:
    """What a person said of a photo, before it is checked."""

    kind: str
    class_key: str = ""
    reason: str = ""
    comment: str = ""
    checklist: tuple[str, ...] = ()


@dataclass(frozen=True)
class Viewing:
    """How a photo came before the person who answers it, in which round of answers.

    ``draw`` and ``context`` are of the loan, which began at ``lent_at``; ``shown_at`` and ``view_ms`` (for how long) are
    what the browser says. ``guideline``: number of the version that the answer was given under, whose classes it may
    name. Without it, the one in force at ``lent_at``; without that, the newest.
    """

    item_id: int
    round: int
    draw: str
    context: Mapping[str, Any]
    lent_at: datetime | None = None
    shown_at: datetime | None = None
    view_ms: int = 0
    guideline: int | None = None


def refuse_contradiction(answer: Answer) -> None:
    """Raises :class:`Refused` ``invalid`` (422): nothing that was said is dropped silently."""
    if answer.kind == AnswerKind.CLASS:
        if answer.reason:
            raise Refused.invalid(
                "reason", _("An answer that names a class takes no reason."), short=_("not with a class")
            )
        return
    known = REASONS.get(answer.kind)
    if known is None:
        raise Refused.invalid("kind", _("An answer is one of: class, hold, unusable."), short=_("unknown"))
    if answer.class_key:
        message = _(
            "An answer of kind “%(kind)s” takes no class. Leave the class out, or send the kind “class”."
        )
        raise Refused.invalid("class", message % {"kind": answer.kind}, short=_("only with the kind “class”"))
    if answer.reason not in known:
        raise Refused.invalid(
            "reason",
            _("Give the reason, one of: %(reasons)s.") % {"reasons": ", ".join(known)},
            short=_("unknown"),
        )
