"""Who may do what with a question sheet: what their roles in all of its projects allow."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog import shown
from labeling.catalog.permissions import Action, actions_in_each, least_role
from labeling.database.read_once import read_once
from labeling.queue.models import QuestionSheet


@read_once
def actions_in(user: Any, sheet: QuestionSheet) -> frozenset[Action] | None:
    """What the user may do there; ``None`` for strangers, who are no member of one of its projects."""
    return actions_in_each(user, [each.pk for each in sheet.projects])


def sheet_for(user: Any, slug: str, action: Action) -> QuestionSheet:
    """The sheet ``slug`` if ``user`` may do ``action`` in each of its projects.

    Raises :class:`~django.http.Http404` for strangers to one of them, so that nobody learns which sheets and projects exist,
    and :class:`~django.core.exceptions.PermissionDenied` where a role is not enough.
    """
    sheet = QuestionSheet.objects.filter(slug=slug, archived_at__isnull=True).first()
    allowed = actions_in(user, sheet) if sheet is not None else None
    if sheet is None or allowed is None:
        raise Http404(_("There is no such question sheet, or you are not a member of all of its projects."))
    if action not in allowed:
        raise PermissionDenied(
            _(
                "You may not do this here: you need to be at least %(role)s in each project of the sheet. Ask their admins."
            )
            % {"role": least_role(action)}
        )
    if sheet.projects:
        shown.as_in(sheet.projects[0].decoded_with)
    return sheet


def sheets_of(user: Any, action: Action = Action.LABEL) -> list[QuestionSheet]:
    """Those in which the user may do this, by name."""
    sheets = QuestionSheet.objects.filter(archived_at__isnull=True)
    if not user.is_superuser:
        # Each asks a project of theirs: the few that are left are asked one by one.
        sheets = sheets.filter(questions__project__memberships__user=user).distinct()
    return [each for each in sheets.order_by("name", "pk") if action in (actions_in(user, each) or ())]
