"""Where the pages of a project stand in its navigation, and who is shown which.

One definition for all roles: a page is shown to whoever may open it. A group with one such page is that page; with
more it leads to the first of them, and they are shown in a second row while one of them is open.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from labeling.catalog.permissions import Action


@dataclass(frozen=True)
class Page:
    """``name``: of its address. ``below``: what pages beneath it call themselves, which are reached from it."""

    name: str
    text: Any
    icon: str
    needs: Action
    below: tuple[str, ...] = ()
    current: bool = False


@dataclass(frozen=True)
class Group:
    text: Any
    icon: str
    pages: tuple[Page, ...]

    @property
    def name(self) -> str:
        """Where it leads."""
        return self.pages[0].name

    @property
    def current(self) -> bool:
        return any(page.current for page in self.pages)


@dataclass(frozen=True)
class Navigation:
    """What one person is shown: the row of all, and the group whose pages stand in the second row, if one is open."""

    entries: list[Page | Group] = field(default_factory=list)

    @property
    def open_group(self) -> Group | None:
        return next((each for each in self.entries if isinstance(each, Group) and each.current), None)


ALL: tuple[Page | Group, ...] = (
    Page("project", _("Overview"), "mountain", Action.VIEW),
    Page("label", _("Label"), "tag", Action.LABEL, below=("sweep", "mine")),
    Page("review", _("Review"), "scale", Action.REVIEW),
    Page("photos", _("Photos"), "images", Action.REVIEW),
    Group(
        _("Insights"),
        "chart-line",
        (
            Page("frontier", _("Frontier"), "shield-check", Action.OVERRULE),
            Page("dashboard", _("Dashboard"), "layout-dashboard", Action.FIGURES),
            Page("monitors", _("Monitors"), "activity", Action.OVERRULE),
            Page("models", _("Models"), "brain", Action.ADMIN, below=("model", "derive", "bundle")),
            Page("lab", _("Strategy lab"), "flask-conical", Action.ADMIN),
        ),
    ),
    Group(
        _("Setup"),
        "sliders-horizontal",
        (
            Page("guideline", _("Guideline"), "book-open", Action.VIEW),
            Page("intake", _("Intake"), "folder-up", Action.ADMIN, below=("intake-batch",)),
            Page("sources", _("Sources"), "eye", Action.ADMIN),
            Page("imports", _("Imports"), "package-open", Action.ADMIN, below=("import",)),
            Page("categories", _("Categories"), "tags", Action.ADMIN, below=("vocabulary",)),
            Page("data-sets", _("Data sets"), "package", Action.ADMIN, below=("feeds",)),
            Page("webhooks", _("Webhooks"), "webhook", Action.ADMIN, below=("webhook",)),
            Page("erasures", _("Erasure"), "trash-2", Action.ADMIN),
            Page("members", _("Members"), "users", Action.ADMIN),
            Page("labelers", _("Labelers"), "gauge", Action.ADMIN),
            Page("project-settings", _("Settings"), "settings", Action.ADMIN),
            Page("jobs", _("Jobs"), "list-checks", Action.ADMIN),
        ),
    ),
)


def navigation(can: Collection[str], page: str) -> Navigation:
    """For who may do ``can`` (:class:`Action`), on ``page``, by the name that its view gives it."""
    entries: list[Page | Group] = []
    for each in ALL:
        pages = each.pages if isinstance(each, Group) else (each,)
        shown = tuple(
            replace(one, current=page in (one.name, *one.below)) for one in pages if one.needs in can
        )
        if isinstance(each, Group) and len(shown) > 1:
            entries.append(replace(each, pages=shown))
        else:
            entries += shown
    return Navigation(entries)
