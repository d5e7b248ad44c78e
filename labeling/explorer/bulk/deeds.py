"""What may be done with several photos at once, and why one of them stays as it is.

Each deed is looked up whole pages at a time for what would refuse it, which changes nothing, and then asked of the same
services that do it for one photo, a page in a transaction. These judge again, under the photos' locks: between a look and a
deed people go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Item, Project
from labeling.catalog.permissions import Action
from labeling.explorer.models import DONE, Deed
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import Ruling

#: Of the order of the queue, and of what people are checked with, admins say what it is.
NEEDS: dict[str, Action] = dict.fromkeys(Deed.values, Action.REVIEW) | {
    Deed.FIRST: Action.ADMIN,
    Deed.GOLD: Action.ADMIN,
}


@dataclass(frozen=True)
class Asked:
    """``comment``: why, where something is settled anew; ``class_key``: what gold is known to be."""

    project: Project
    by: User
    deed: str
    comment: str = ""
    class_key: str = ""


@dataclass(frozen=True)
class Outcome:
    """``code``: :data:`DONE`, or why not; ``message``: as a service said it; ``ruling``: id of what it appended."""

    item_id: int
    code: str = DONE
    message: str = ""
    ruling: int | None = None


Keep = Callable[[list[Outcome]], None]


class Act(Protocol):
    """A deed. ``left``: item id -> code, of those that it would not be done with.

    ``do`` and ``undo`` tell ``keep`` of each outcome inside the transaction that made it. ``undo`` takes item id -> ruling.
    """

    def left(self, asked: Asked, items: Sequence[Item]) -> dict[int, str]: ...

    def do(self, asked: Asked, items: Sequence[Item], keep: Keep) -> None: ...

    def undo(self, asked: Asked, done: Mapping[int, int | None], keep: Keep) -> None: ...


def outcome(item_id: int, made: Refused | Ruling | None) -> Outcome:
    """Of what a service made of a photo, which may be nothing."""
    if isinstance(made, Refused):
        return Outcome(item_id, made.code, made.message)
    return Outcome(item_id, ruling=made.pk if made else None)


def check(asked: Asked) -> None:
    """Raises :class:`Refused` ``invalid`` (422) where the deed is none of ours, or lacks what it needs."""
    if asked.deed not in Deed:
        raise Refused.invalid("deed", _("One of: %(values)s.") % {"values": ", ".join(Deed.values)})
    if asked.deed in {Deed.SEND_BACK, Deed.UNUSABLE} and not asked.comment.strip():
        raise Refused.invalid("comment", _("Say why: the reason stays beside the ground truth."))
    if asked.deed == Deed.GOLD and not asked.class_key:
        raise Refused.invalid("class", _("Choose a class."))


_WHY = {
    "not_asked": gettext_lazy("Nobody is to be asked about it."),
    "not_told": gettext_lazy("People may yet be asked about it, blind, or nobody has settled it."),
    "nothing_changed": gettext_lazy("That is what it is called already."),
    "own_answer": gettext_lazy("You answered it yourself, so somebody else must say so."),
    "settled": gettext_lazy("It is settled already, so it can no longer be asked blind."),
    "gold": gettext_lazy("It is gold already."),
    "conflict": gettext_lazy("It is or was gold as another class."),
    "already_answered": gettext_lazy("People have answered it, so it can no longer be asked blind."),
    "exemplar": gettext_lazy("It is an exemplar, so everybody sees its class."),
    "drawn": gettext_lazy("It was drawn at random, to prove something."),
    "already_ruled": gettext_lazy("Somebody has said since what it is, so that stands."),
    "in_review": gettext_lazy("It is before reviewers now."),
    "begun": gettext_lazy("People have begun on it, or it is first for another reason."),
}


def why(code: str, message: str = "") -> str:
    """In the reader's words; where a service refused for another reason, in those of its ``message``."""
    return str(_WHY[code]) if code in _WHY else message or code.replace("_", " ")
