"""The units that monitors read in: how a value is written, and how an axis of it is drawn."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.learning.templatetags import figures

#: p-values below are drawn here.
SMALLEST_P = 1e-8


class Scale(ABC):
    """A linear axis from zero, on which what alerts lies high.

    ``end``: the value at its quiet end, which is labelled; ``alerts_above``: whether an alert is drawn above its threshold.
    """

    end = 0.0
    alerts_above = True

    @abstractmethod
    def text(self, value: float | None) -> str:
        """The value in words, an en dash for ``None``."""

    def label(self, value: float) -> str:
        """The value at an axis, where there is little room."""
        return self.text(value)

    def place(self, value: float) -> float:
        """Where a value lies, in units that are as long everywhere on the axis."""
        return value

    def span(self, places: Sequence[float]) -> tuple[float, float]:
        """The lower and the upper end of an axis that shows all ``places``."""
        return 0.0, max(places) * 1.25 or 1.0

    def farthest(self, values: Sequence[float]) -> float:
        """The value that lies farthest from the quiet end."""
        return max(values)


class ErrorShare(Scale):
    """A share that is best at 0."""

    def text(self, value: float | None) -> str:
        return figures.share(value)


class Share(ErrorShare):
    """A share that is best at 1: the axis ends there, and what alerts lies low."""

    end = 1.0
    alerts_above = False

    def span(self, places: Sequence[float]) -> tuple[float, float]:
        return min(math.floor(10 * min(places)) / 10, 0.9), 1.0

    def farthest(self, values: Sequence[float]) -> float:
        return min(values)


class PValue(Scale):
    """p-values on a logarithmic axis, the smallest on top."""

    end = 1.0

    def text(self, value: float | None) -> str:
        """p = .034; p < .000001."""
        if value is None:
            return "–"
        return _("p < .000001") if value < 1e-6 else "p = " + plain(value)

    def label(self, value: float) -> str:
        if value >= 0.001:
            return "1" if value >= 1 else f"{value:.3f}".rstrip("0").removeprefix("0")
        if value <= SMALLEST_P:
            return f"≤10{_raised(round(math.log10(SMALLEST_P)))}"
        return f"10{_raised(round(math.log10(value)))}"

    def place(self, value: float) -> float:
        return -math.log10(max(value, SMALLEST_P))

    def farthest(self, values: Sequence[float]) -> float:
        return min(values)


class Seconds(Scale):
    def text(self, value: float | None) -> str:
        if value is None:
            return "–"
        return _("%(n)s\u00a0s") % {"n": f"{value:.1f}" if value < 20 else f"{value:.0f}"}


class Days(Scale):
    def text(self, value: float | None) -> str:
        """Days as people say them: "40 min", "5 h", "12 days"."""
        if value is None:
            return "–"
        whole = timedelta(days=value)
        if whole < timedelta(hours=1.5):
            n = max(1, round(whole.total_seconds() / 60)) if value else 0
            return ngettext("%(n)d minute", "%(n)d minutes", n) % {"n": n}
        if whole < timedelta(days=2):
            n = round(whole.total_seconds() / 3600)
            return ngettext("%(n)d hour", "%(n)d hours", n) % {"n": n}
        n = round(value)
        return ngettext("%(n)d day", "%(n)d days", n) % {"n": n}

    def label(self, value: float) -> str:
        return self.text(value) if value else "0"


ERROR_SHARE, SHARE, P_VALUE, SECONDS, DAYS = ErrorShare(), Share(), PValue(), Seconds(), Days()


def plain(p: float) -> str:
    """Two significant digits, without an exponent: .034, .00021, 1."""
    if p >= 0.995:
        return "1"
    digits = 2
    while round(p, digits) < 10 ** (1 - digits) and digits < 8:
        digits += 1
    text = f"{p:.{digits}f}".rstrip("0")
    return text.removeprefix("0") or "0"


def _raised(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
