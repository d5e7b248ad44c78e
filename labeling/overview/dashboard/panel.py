"""What a panel of the dashboard is: a finding as its title, columns and rows behind it, and a figure of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.charts.figure import Figure
from labeling.text.percentage import percentage

if TYPE_CHECKING:
    from labeling.catalog.models import Item

Unit = Literal["day", "week", "month", "moment", "count", "share", "ratio", "hours", "number", "text"]


@dataclass(frozen=True)
class Column:
    """``name`` is for files and programs, ``label`` for people. ``read``: told when the cursor is on the row."""

    name: str
    label: str
    unit: Unit
    read: bool = True

    @property
    def is_number(self) -> bool:
        return self.unit not in {"day", "week", "month", "moment", "text"}


@dataclass(frozen=True)
class Cell:
    """One number of a table that is drawn as a grid; ``row`` and ``column`` are class keys, ``step`` 0 to 4."""

    row: str
    column: str
    count: int
    right: bool
    step: int
    label: str


@dataclass(frozen=True)
class Grid:
    names: list[tuple[str, str]]
    cells: list[list[Cell]]
    model: int
    worst: Cell | None = None
    photos: list[Item] = field(default_factory=list)


#: What a panel is called, whatever it finds.
NAMES = {
    "frontier": gettext_lazy("Frontier"),
    "per-decision": gettext_lazy("Images per human decision"),
    "decided": gettext_lazy("Decisions by people and machine"),
    "hours": gettext_lazy("Labeling cost"),
    "agreement": gettext_lazy("Inter-annotator agreement"),
    "learning": gettext_lazy("Learning curve"),
    "confusion": gettext_lazy("Confusion matrix"),
    "reliability": gettext_lazy("Calibration"),
    "drift": gettext_lazy("Drift"),
}


@dataclass(frozen=True)
class Panel:
    """``title`` is the finding, or the panel's name where there is none, ``says`` how to read it and what is assumed.

    Without rows, ``empty`` says what is missing.
    ``extra`` of a row is for the page's own script and in no file. ``course``: of a plot over time its leading figure, as it
    stood at the end of each row, in ``unit``; by it plots are compared for how much they changed.
    """

    key: str
    title: str
    says: str
    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, Any]]
    figure: Figure | None = None
    grid: Grid | None = None
    empty: str = ""
    extra: Sequence[str] = ()
    course: Sequence[float | None] = ()
    unit: Unit = "ratio"

    @property
    def plot(self) -> Figure | None:
        """The figure, where there is more than one point to draw."""
        return self.figure if self.figure is not None and not self.figure.alone else None

    @property
    def name(self) -> str:
        return str(NAMES[self.key])

    @property
    def body(self) -> SafeString:
        """The rows as those of a table, each with its extra. Not by a template, which takes 60 ms for 1,600 cells."""
        first, *others = self.columns
        cells = [
            '<th scope="row" class="{}">{{}}</th>'.format("num" if first.is_number else "nowrap"),
            *('<td class="num">{}</td>' if each.is_number else "<td>{}</td>" for each in others),
        ]
        plain = f"<tr>{''.join(cells)}</tr>"
        drawn = plain.replace("<tr>", '<tr data-drawn="{}">', 1)
        rows = []
        for extra, row in zip(self.extra or [""] * len(self.rows), self.rows, strict=True):
            values = [value for _column, value in self._cells(row)]
            rows.append((format_html(drawn, extra, *values) if extra else format_html(plain, *values),))
        return format_html_join("", "{}", rows)

    @property
    def newest(self) -> list[tuple[Column, str]]:
        return [pair for pair in self._cells(self.rows[-1]) if pair[0].read] if self.rows else []

    def _cells(self, row: Mapping[str, Any]) -> list[tuple[Column, str]]:
        return [(column, shown(row[column.name], column.unit)) for column in self.columns]


def shown(value: Any, unit: Unit) -> str:
    """A figure as people read it, in their language."""
    if value is None or value == "":
        return "–"
    match unit:
        case "day" | "week" | "month":
            return day_text(value, unit)
        case "moment":
            assert isinstance(value, datetime)
            return date_format(timezone.localtime(value), _("j M Y, H:i"))
        case "share":
            return percentage(value, ".1f" if 0 < value < 0.1 or 0.95 < value < 1 else ".0f")
        case "ratio":
            return rounded(value, 2)
        case "hours":
            return rounded(value, 1 if value < 100 else 0)
        case "number":
            return f"< {rounded(0.001, 3)}" if 0 < value < 0.001 else rounded(value, 3)
        case "count":
            return rounded(value)
        case _:
            return str(value)


def rounded(value: float, digits: int = 0) -> str:
    """With so many decimals and with thousands set apart, in the reader's language; Django alone would cut off."""
    return number_format(round(value, digits), digits, force_grouping=True)


def day_text(day: date, unit: str) -> str:
    if unit == "month":
        return date_format(day, _("M Y"))
    text = date_format(day, _("j M Y"))
    return _("week of %(day)s") % {"day": text} if unit == "week" else text


def tick_text(day: date, by: str) -> str:
    """Short enough to stand below an axis."""
    return date_format(day, _("M Y") if by == "month" else _("j M"))
