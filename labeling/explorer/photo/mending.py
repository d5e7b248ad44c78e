"""Correct what photos are called, or have people asked again: one from its history, or a page of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.database import locks
from labeling.database.locks import Lock
from labeling.frontier.told import standing
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import Ruling
from labeling.truth.services import correct, lock_photos


def mend(*, project: Project, item: Item, by: User, **said: Any) -> Ruling:
    """:func:`mend_several` of one photo. Raises also what refuses it."""
    (made,) = mend_several(project=project, item_ids=[item.pk], by=by, **said).values()
    if isinstance(made, Refused):
        raise made
    return made


@transaction.atomic
def mend_several(
    *, project: Project, item_ids: Collection[int], by: User, **said: Any
) -> dict[int, Ruling | Refused]:
    """:func:`labeling.truth.services.correct`, of photos of which it is told what they are called.

    ``said``: as there. Another photo stays as it is: ``not_told`` (409), as people may yet be asked about it, blind.
    """
    locks.share(Lock.RANKING, project.pk)  # before the photos, as everybody who takes an answer
    lock_photos(item_ids)
    told = {pk for pk, each in standing(project, list(item_ids), by).items() if each.truth_id is not None}
    made = correct(project=project, item_ids=[pk for pk in item_ids if pk in told], by=by, **said)
    return {pk: made.get(pk) or _not_told() for pk in item_ids}


def _not_told() -> Refused:
    return Refused(
        "not_told",
        _(
            "People may yet be asked about this photo, blind, or nobody has settled it. There is nothing to correct yet."
        ),
    )
