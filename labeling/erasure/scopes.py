"""Which photos a request means."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.erasure.models import Scope
from labeling.explorer.search import search
from labeling.explorer.wanted import Wanted
from labeling.people.models import User
from labeling.refusals import Refused

#: In one request.
MOST = 100_000
#: Photos that a search is asked for at a time.
A_PAGE = 1000
#: Named one by one.
MOST_NAMED = 1000


def photos_of(
    project: Project,
    scope: str,
    *,
    item_ids: Sequence[int] = (),
    source: str = "",
    query: str = "",
    by: User | None = None,
) -> QuerySet[Item]:
    """The project's photos that are meant, oldest first. ``query``: of a search, as its address says it, and ``by`` sees it.

    Raises :class:`Refused` ``invalid`` (422) where there are none, or more than :data:`MOST`.
    """
    items = Item.objects.filter(project=project).order_by("pk")
    if scope in (Scope.PHOTOS, Scope.GROUP):
        if len(item_ids) > MOST_NAMED:
            raise Refused.invalid("photos", _("Name at most %(most)d photos at once.") % {"most": MOST_NAMED})
        named = items.filter(pk__in=[each for each in item_ids if 0 < each < 2**63])
        groups = [each for each in named.values_list("twins_of", flat=True) if each is not None]
        items = named | items.filter(twins_of__in=groups) if scope == Scope.GROUP and groups else named
    elif scope == Scope.SOURCE:
        items = items.filter(source=source)
    elif scope == Scope.FOUND and by is not None:
        items = items.filter(pk__in=_found(project, by, query))
    elif scope != Scope.PROJECT:
        raise Refused.invalid(
            "scope", _("One of: %(values)s.") % {"values": "photos, group, source, found, project"}
        )
    count = items.count()
    if not count:
        raise Refused.invalid(
            "source" if scope == Scope.SOURCE else "photos",
            _("The project has no such photos. Nothing was changed."),
        )
    if count > MOST:
        raise Refused.invalid(
            "scope", _("These are more than %(most)d photos. Erase them source by source.") % {"most": MOST}
        )
    return items


def _found(project: Project, by: User, query: str) -> list[int]:
    """Ids of all that a search finds, page by page; one more than :data:`MOST` at most."""
    wanted = Wanted.of(project, dict(parse_qsl(query)))
    if not wanted or wanted.like:
        raise Refused.invalid(
            "query", _("Filter the photos first, other than by likeness, which has no end.")
        )
    found: list[int] = []
    after: int | None = 0
    while after is not None and len(found) <= MOST:
        page = search(project, by, wanted, after=after, limit=A_PAGE)
        found += [row.item.pk for row in page.rows]
        after = page.next
    return found
