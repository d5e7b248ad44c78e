"""Keep a search under a name, rename it, and forget it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qs

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.explorer.models import Bulk, SavedView
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
    name = _checked(name)
    if not wanted:
        raise Refused.invalid("query", _("Filter the photos first: a view keeps what they are narrowed to."))
    others = SavedView.objects.filter(project=project).exclude(name=name)
    if others.count() >= MOST:
        raise Refused.invalid("name", _("A project keeps %(most)d views. Forget one first.") % {"most": MOST})
    view, _created = SavedView.objects.update_or_create(
        project=project, name=name, defaults={"query": wanted.query, "created_by": by}
    )
    return view


@transaction.atomic
def rename_view(*, project: Project, view_id: int, name: str) -> SavedView:
    """Raises :class:`Refused` ``invalid`` (422) for no name, or another view's; ``not_found`` (404)."""
    view = SavedView.objects.select_for_update().filter(project=project, pk=view_id).first()
    if view is None:
        raise Refused("not_found", _("There is no such view any more."), status=404)
    view.name = _checked(name)
    if SavedView.objects.filter(project=project, name=view.name).exclude(pk=view.pk).exists():
        raise Refused.invalid("name", _("Another view has this name."))
    view.save(update_fields=["name"])
    return view


def _checked(name: str) -> str:
    name = composed(name.strip())
    if not is_seen(name) or len(name) > 60:
        raise Refused.invalid("name", _("Give the view a name of at most 60 characters."))
    return name


def forget_views_of(*, project: Project, names: Collection[str]) -> None:
    """Forget the views that are narrowed to a photo's name, and what was done with all that one found, whole: it is
    erased."""
    for view in SavedView.objects.filter(project=project):
        if names_one(view.query, names):
            view.delete()
    for bulk in Bulk.objects.filter(project=project):
        if names_one(bulk.query, names):
            bulk.delete()


def names_one(query: str, names: Collection[str]) -> bool:
    """Whether a search is narrowed to a photo of one of these names or hashes, or to photos like it."""
    given = parse_qs(query)
    asked = " ".join(given.get("q", []) + given.get("like", [])).lower()
    return bool(asked) and any(name.lower() in asked for name in names)


def forget_view(*, project: Project, view_id: int) -> None:
    SavedView.objects.filter(project=project, pk=view_id).delete()
