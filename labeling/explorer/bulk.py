"""The same done with several photos that somebody has looked at and ticked: each by itself, so that one which cannot be
never stops the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog.models import Item, Project
from labeling.catalog.permissions import Action, may
from labeling.explorer.mending import mend
from labeling.explorer.told import Status, standing
from labeling.people.models import User
from labeling.queue import priority
from labeling.refusals import Refused
from labeling.truth.models import UnusableReason

#: In one request: a page of photos.
MOST = 100


class Deed(TextChoices):
    FIRST = "first", gettext_lazy("Ask people about them first")
    SEND_BACK = "send_back", gettext_lazy("Ask people again")
    UNUSABLE = "unusable", gettext_lazy("Call them unusable")


@dataclass(frozen=True)
class Done:
    """``left``: names of photos that stayed as they were, and why."""

    done: int
    left: list[tuple[str, str]]


def do_with(*, project: Project, hashes: Iterable[str], by: User, deed: str, comment: str = "") -> Done:
    """``comment`` says why, where photos are asked again or called unusable.

    Raises :class:`Refused` ``invalid`` (422) for no deed of ours, no photo of the project, or more than :data:`MOST`;
    :class:`PermissionDenied` where the order of the queue is not theirs to change.
    """
    if deed not in Deed:
        raise Refused.invalid("deed", _("One of: %(values)s.") % {"values": ", ".join(Deed.values)})
    wanted = set(hashes)
    if len(wanted) > MOST:
        raise Refused.invalid("photo", _("Mark at most %(most)d photos at once.") % {"most": MOST})
    items = list(
        Item.objects.filter(project=project, image__sha256__in=wanted).select_related("image").order_by("pk")
    )
    if not items:
        raise Refused.invalid("photo", _("Tick at least one photo."))
    if deed == Deed.FIRST:
        if not may(by, project, Action.ADMIN):
            raise PermissionDenied(_("Only an admin says what is asked first. Ask one."))
        stands = standing(project, [item.pk for item in items], by)
        waiting = [item.pk for item in items if stands[item.pk].status == Status.OPEN]
        # How many of these are in the queue would tell which are gold, or settled by one answer.
        priority.ask_first(project=project, item_ids=waiting)
        settled = _("Nobody is to be asked about it.")
        return Done(len(waiting), [(_named(item), settled) for item in items if item.pk not in waiting])
    if not comment.strip():
        raise Refused.invalid("comment", _("Say why: the reason stays beside the ground truth."))
    reason = UnusableReason.OTHER.value if deed == Deed.UNUSABLE else ""
    done, left = 0, []
    for item in items:
        try:
            mend(project=project, item=item, by=by, outcome=deed, reason=reason, comment=comment)
        except Refused as refused:
            left.append((_named(item), refused.message))
        else:
            done += 1
    return Done(done, left)


def _named(item: Item) -> str:
    return item.name or item.image.sha256[:12]
