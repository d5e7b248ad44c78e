"""Keep a search under a name, change either, and forget it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.database.locks import hold_name
from labeling.explorer.models import AskedWords, Bulk, SavedView
from labeling.explorer.search.naming import KnownBy
from labeling.explorer.search.wanted import Wanted
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.plain import composed, is_seen

#: Of a project: more would be a search of their own.
MOST = 40


def views_of(project: Project) -> QuerySet[SavedView]:
    """By name."""
    return SavedView.objects.filter(project=project)


def view_of(project: Project, view_id: int) -> SavedView:
    """Raises :class:`Http404`."""
    view = views_of(project).select_related("created_by").filter(pk=view_id).first()
    if view is None:
        raise Http404(_("There is no such view any more."))
    return view


@transaction.atomic
def save_view(*, project: Project, by: User, name: str, wanted: Wanted) -> SavedView:
    """Keep what is wanted; what had this name before says it no more.

    Raises :class:`Refused` ``invalid`` (422) without a name, with nothing to keep, or where the project has :data:`MOST`.
    """
    name = _checked(name)
    _refuse_all(wanted)
    hold_name("view", f"{project.pk} {name}")
    others = views_of(project).exclude(name=name)
    if others.count() >= MOST:
        raise Refused.invalid("name", _("A project keeps %(most)d views. Forget one first.") % {"most": MOST})
    view, _created = SavedView.objects.update_or_create(
        project=project, name=name, defaults={"query": wanted.query, "created_by": by}
    )
    return view


@transaction.atomic
def change_view(
    *, project: Project, view_id: int, name: str | None = None, wanted: Wanted | None = None
) -> SavedView:
    """``None`` stays as it is. Raises :class:`Refused` ``invalid`` (422) for no name, another view's, or nothing to keep;
    ``not_found`` (404)."""
    held = views_of(project).select_for_update(of=("self",)).select_related("created_by")
    view = held.filter(pk=view_id).first()
    if view is None:
        raise Refused("not_found", _("There is no such view any more."), status=404)
    if name is not None:
        view.name = _checked(name)
        hold_name("view", f"{project.pk} {view.name}")
        if views_of(project).filter(name=view.name).exclude(pk=view.pk).exists():
            raise Refused.invalid("name", _("Another view has this name."))
    if wanted is not None:
        _refuse_all(wanted)
        view.query = wanted.query
    view.save(update_fields=["name", "query"])
    return view


def _refuse_all(wanted: Wanted) -> None:
    if not wanted:
        raise Refused.invalid("search", _("Filter the photos first: a view keeps what they are narrowed to."))


def _checked(name: str) -> str:
    name = composed(name.strip())
    if not is_seen(name) or len(name) > 60:
        raise Refused.invalid("name", _("Give the view a name of at most 60 characters."))
    return name


def forget_views_of(*, project: Project, gone: KnownBy) -> None:
    """Forget the views that are narrowed to an erased photo, words that name it, and what was done with all that one found,
    whole."""
    for view in SavedView.objects.filter(project=project):
        if gone.is_meant_by(view.query):
            view.delete()
    for asked in AskedWords.objects.filter(project=project):
        if gone.is_meant_by(Wanted(words=asked.words).query):
            asked.delete()
    for bulk in Bulk.objects.filter(project=project):
        if gone.is_meant_by(bulk.query):
            bulk.delete()


def forget_view(*, project: Project, view_id: int) -> None:
    SavedView.objects.filter(project=project, pk=view_id).delete()
