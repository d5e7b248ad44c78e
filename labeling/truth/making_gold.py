"""Photos become gold (their answer is known, and asked blind from now on), and are gold no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import selectors as catalog
from labeling.catalog.models import Exemplar, Item, Project
from labeling.catalog.services import log_activities
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.models import Annotation, Gold, Origin, TruthKind
from labeling.truth.settling import active_class, append_truths, lock_photos


def add_gold(*, project: Project, item: Item, class_key: str, by: User) -> Gold:
    """:func:`add_golds` of one photo. Raises also what refuses it."""
    (gold,) = add_golds(project=project, items=[item], class_key=class_key, by=by).values()
    if isinstance(gold, Refused):
        raise gold
    return gold


@transaction.atomic
def add_golds(
    *, project: Project, items: Sequence[Item], class_key: str, by: User
) -> dict[int, Gold | Refused]:
    """Declare the answer of photos known, and ask them blind from now on.

    Returns item id -> its gold, or why the photo stays as it is, which stops no other: ``invalid`` (422) for an exemplar,
    ``already_answered`` (409) if people have begun on it, ``drawn`` (409) if it was drawn at random, or ``conflict`` (409)
    if it is or was gold with another class: people were checked against that one, so only a ruling changes it.

    Raises :class:`Refused` ``unknown_class`` (422).
    """
    guideline = catalog.current_guideline(project)
    class_id = active_class(guideline, class_key).label_class_id
    resolution = catalog.class_resolution(project, guideline)
    ids = [item.pk for item in items]
    exemplars = Exemplar.objects.filter(
        definition__guideline=guideline, image__in=[item.image_id for item in items]
    )
    shown = set(exemplars.values_list("image", flat=True))
    lock_photos(ids)
    known = {gold.item_id: gold for gold in Gold.objects.select_related("label_class").filter(item__in=ids)}
    answered = set(Annotation.objects.filter(item__in=ids).values_list("item", flat=True))
    found: dict[int, Gold | Refused] = {}
    for item in items:
        gold = known.get(item.pk)
        if item.image_id in shown:
            found[item.pk] = _exemplar()
        elif gold is not None:
            same = resolution.get(gold.label_class_id) == class_id
            found[item.pk] = gold if same else Refused("conflict", _gold_with_another_class(gold))
        elif item.pk in answered:
            found[item.pk] = _already_answered()
    fresh = [item for item in items if item.pk not in found]
    found |= refused_as_gold(project, [item.pk for item in fresh])
    _ask_again([gold for gold in found.values() if isinstance(gold, Gold)])
    chosen = [item.pk for item in fresh if item.pk not in found]
    golds = Gold.objects.bulk_create(
        Gold(item_id=item_id, project=project, label_class_id=class_id, added_by=by) for item_id in chosen
    )
    append_truths(
        project=project,
        item_ids=chosen,
        kind=TruthKind.CLASS,
        label_class_id=class_id,
        origin=Origin.GOLD,
        guideline_id=guideline.pk,
    )
    if chosen:
        events.settled.send(sender=Gold, project=project, item_ids=chosen)
    return found | {gold.item_id: gold for gold in golds}


def refused_as_gold(project: Project, item_ids: Sequence[int]) -> dict[int, Refused]:
    """What a room above refuses as gold, and why, by item id."""
    told: list[tuple[Any, Any]] = events.gold_chosen.send(sender=Gold, project=project, item_ids=item_ids)
    return {item_id: why for _receiver, refused in told for item_id, why in (refused or {}).items()}


def _ask_again(golds: Sequence[Gold]) -> None:
    retired = [gold for gold in golds if gold.retired_at is not None]
    for gold in retired:
        gold.retired_at = None
    Gold.objects.bulk_update(retired, ["retired_at"])


def retire_gold(*, gold: Gold, by: User) -> Gold:
    """:func:`retire_golds` of one."""
    retire_golds(project=gold.project, golds=[gold], by=by)
    return gold


@transaction.atomic
def retire_golds(*, project: Project, golds: Sequence[Gold], by: User) -> None:
    """Stop asking these gold photos. Past answers to them keep counting for the people who gave them.

    They stay settled as what they were known to be; ``request_review`` is the way to another class.
    """
    asked = [gold for gold in golds if gold.retired_at is None]
    for gold in asked:
        gold.retired_at = timezone.now()
    Gold.objects.bulk_update(asked, ["retired_at"])
    log_activities(
        project=project, kind="gold_retired", actor=by, data=[{"item": gold.item_id} for gold in asked]
    )


def _exemplar() -> Refused:
    return Refused.invalid(
        None, _("This photo is an exemplar, so everybody sees its class. Choose one that is not shown.")
    )


def _already_answered() -> Refused:
    return Refused(
        "already_answered",
        _("People have answered this photo, so it can no longer be asked blind. Choose a fresh one."),
    )


def _gold_with_another_class(gold: Gold) -> str:
    known = gold.label_class.key
    if gold.retired_at is None:
        return _(
            "This photo is gold already, as %(class)s. Retire it, and send it to review if that is wrong."
        ) % {"class": known}
    return _(
        "This photo was gold as %(class)s, and stays settled so. Send it to review: the ruling takes that class's place."
    ) % {"class": known}
