"""The same done with photos that somebody has looked at and ticked: each by itself, at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.catalog.permissions import may
from labeling.explorer.bulk.acting import do
from labeling.explorer.bulk.deeds import NEEDS, Asked, Outcome, check, why
from labeling.explorer.models import DONE
from labeling.people.models import User
from labeling.refusals import Refused

#: In one request: a page of photos.
MOST = 100


@dataclass(frozen=True)
class Done:
    """``left``: names of photos that stayed as they were, and why."""

    done: int
    left: list[tuple[str, str]]


def do_with(
    *, project: Project, hashes: Iterable[str], by: User, deed: str, comment: str = "", class_key: str = ""
) -> Done:
    """``comment`` says why, where photos are asked again or called unusable; ``class_key`` what gold is known to be.

    Raises :class:`Refused` ``invalid`` (422) for no deed of ours, no photo of the project, or more than :data:`MOST`;
    :class:`PermissionDenied` where the deed is not theirs to do.
    """
    asked = Asked(project, by, deed, comment, class_key)
    wanted = set(hashes)
    if len(wanted) > MOST:
        raise Refused.invalid("photo", _("Mark at most %(most)d photos at once.") % {"most": MOST})
    items = Item.objects.filter(project=project, image__sha256__in=wanted).select_related("image")
    by_id = {item.pk: item for item in items.order_by("pk")}
    if not by_id:
        raise Refused.invalid("photo", _("Tick at least one photo."))
    check(asked)
    refuse_others(asked)
    outcomes: list[Outcome] = []
    do(asked, list(by_id.values()), outcomes.extend)
    left = [each for each in outcomes if each.code != DONE]
    return Done(
        len(outcomes) - len(left),
        [(named(by_id[each.item_id]), why(each.code, each.message)) for each in left],
    )


def refuse_others(asked: Asked) -> None:
    """Raises :class:`PermissionDenied` where the deed is not theirs to do."""
    if not may(asked.by, asked.project, NEEDS[asked.deed]):
        raise PermissionDenied(_("Only an admin says what is asked first, and what is gold. Ask one."))


def named(item: Item) -> str:
    return item.name or item.image.sha256[:12]
