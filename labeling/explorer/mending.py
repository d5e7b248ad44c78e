"""Correct what a photo is called, or have people asked again, from its history."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.explorer.told import standing
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import Ruling
from labeling.truth.services import correct


@transaction.atomic
def mend(
    *,
    project: Project,
    item: Item,
    by: User,
    outcome: str,
    class_key: str = "",
    reason: str = "",
    comment: str = "",
    note: str = "",
) -> Ruling:
    """:func:`labeling.truth.services.correct`, of a photo of which it is told what it is called.

    Raises :class:`Refused` ``not_told`` (409) where people may yet be asked about it, blind, beside what that one raises.
    """
    if standing(project, [item.pk], by)[item.pk].truth_id is None:
        raise Refused(
            "not_told",
            _(
                "People may yet be asked about this photo, blind, or nobody has settled it. There is nothing to correct yet."
            ),
        )
    return correct(
        project=project,
        item=item,
        by=by,
        outcome=outcome,
        class_key=class_key,
        reason=reason,
        comment=comment,
        note=note,
    )
