"""Keep a search under a name, and forget it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qs

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.explorer.models import SavedView
from labeling.explorer.wanted import Wanted
from labeling.people.models import User
from labeling.plain_text import composed, is_seen
from labeling.refusals import Refused

#: Of a project: more would be a search of their own.
MOST = 40


@transaction.atomic
def save_view(*, project: Project, by: User, name: str, wanted: Wanted) -> SavedView:
    """Keep what is wanted; what had this name before says it no more.

    Raises :class:`Refused` ``invalid`` (422) without a name, with nothing to keep, or where the project has :data:`MOST`.
    """
    name = composed(name.strip())
    if not is_seen(name) or len(name) > 60:
        raise Refused.invalid("name", _("Give the view a name of at most 60 characters."))
    if not wanted:
        raise Refused.invalid("query", _("Filter the photos first: a view keeps what they are narrowed to."))
    others = SavedView.objects.filter(project=project).exclude(name=name)
    if others.count() >= MOST:
        raise Refused.invalid("name", _("A project keeps %(most)d views. Forget one first.") % {"most": MOST})
    view, _created = SavedView.objects.update_or_create(
        project=project, name=name, defaults={"query": wanted.query, "created_by": by}
    )
    return view


def forget_views_of(*, project: Project, names: Collection[str]) -> None:
    """Forget the views that are narrowed to a photo's name, whole: it is erased."""
    for view in SavedView.objects.filter(project=project):
        asked = parse_qs(view.query).get("q", [""])[0].lower()
        if asked and any(name.lower() in asked for name in names):
            view.delete()


def forget_view(*, project: Project, view_id: int) -> None:
    SavedView.objects.filter(project=project, pk=view_id).delete()
