"""Which photos a request means, a page at a time: what it means may be the whole of a large project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.erasure.models import Scope
from labeling.explorer.search.finding import search
from labeling.explorer.search.wanted import Wanted
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.counts import Count

#: Photos of one page; as many as a search is asked for at a time.
A_PAGE = 1000
#: Named one by one.
MOST_NAMED = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Ids, oldest first. ``next``: the id behind which the next page begins; ``None`` where there is none."""

    ids: list[int]
    next: int | None = None


def photos_of(
    project: Project,
    scope: str,
    *,
    item_ids: Sequence[int] = (),
    source: str = "",
    query: str = "",
    by: User | None = None,
    after: int = 0,
    most: int = A_PAGE,
) -> Page:
    """The project's photos that are meant, behind the id ``after``; those that are named, or near-duplicates, at once.

    ``query``: of a search, as its address says it, and ``by`` sees it. Raises :class:`Refused` ``invalid`` (422), also where
    there are none at all.
    """
    items = Item.objects.filter(project=project).order_by("pk")
    if scope in (Scope.PHOTOS, Scope.GROUP):
        page = Page(_named(project, item_ids, with_groups=scope == Scope.GROUP))
    elif scope == Scope.SOURCE:
        page = _page(items.filter(source=source), after, most)
    elif scope == Scope.PROJECT:
        page = _page(items, after, most)
    elif scope == Scope.FOUND and by is not None:
        page = _found(project, by, query, after, most)
    else:
        raise Refused.invalid(
            "scope", _("One of: %(values)s.") % {"values": "photos, group, source, found, project"}
        )
    if not page.ids and page.next is None and not after:
        raise Refused.invalid(
            "source" if scope == Scope.SOURCE else "photos",
            _("The project has no such photos. Nothing was changed."),
        )
    return page


def _named(project: Project, item_ids: Sequence[int], *, with_groups: bool) -> list[int]:
    if len(item_ids) > MOST_NAMED:
        raise Refused.invalid(
            "photos", _("Name at most %(most)s photos at once.") % {"most": Count(MOST_NAMED)}
        )
    items = Item.objects.filter(project=project).order_by("pk")
    named = items.filter(pk__in=[each for each in item_ids if 0 < each < 2**63])
    groups = [each for each in named.values_list("twins_of", flat=True) if each is not None]
    meant = named | items.filter(twins_of__in=groups) if with_groups and groups else named
    return list(meant.values_list("pk", flat=True))


def _page(items: QuerySet[Item], after: int, most: int) -> Page:
    ids = list(items.filter(pk__gt=after).values_list("pk", flat=True)[: most + 1])
    return Page(ids[:most], ids[most - 1] if len(ids) > most else None)


def _found(project: Project, by: User, query: str, after: int, most: int) -> Page:
    wanted = Wanted.of(project, dict(parse_qsl(query)))
    if not wanted or wanted.is_ranked:
        raise Refused.invalid(
            "query", _("Filter the photos first, other than by likeness, which has no end.")
        )
    page = search(project, by, wanted, after=after, limit=most)
    return Page([row.item.pk for row in page.rows], page.next)
