"""What a monitor is: the question that it asks, how it reads, from which values on it alerts, and what it says.

A spec is light, as the web process loads it. What it takes to read lies under ``compute/`` where it needs the library, and
is imported when a worker reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.monitors.models import Monitor, MonitorReading, MonitorThresholds, ReadingState
from labeling.monitors.reading import Reader
from labeling.monitors.scales import Scale

if TYPE_CHECKING:
    from typing import TypeAlias

    from django_stubs_ext import StrPromise

    Text: TypeAlias = StrPromise | str


@dataclass(frozen=True)
class Threshold:
    """A field of :class:`~labeling.monitors.models.MonitorThresholds`, and how a form asks for it.

    ``percent``: the form shows the share that is kept as so many per cent.
    """

    field: str
    label: StrPromise
    hint: StrPromise
    percent: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest value that may be kept: the validators of the field."""
        field: Any = MonitorThresholds._meta.get_field(self.field)
        validators = field.validators
        (least,) = (each.limit_value for each in validators if isinstance(each, MinValueValidator))
        (largest,) = (each.limit_value for each in validators if isinstance(each, MaxValueValidator))
        return least, largest


@dataclass(frozen=True)
class Limit:
    """A threshold on the plot, and whether alerts are drawn above it."""

    value: float
    above: bool


@dataclass(frozen=True)
class Link:
    """A page that helps with an alert: ``address`` is the name of a project's address."""

    address: str
    text: Text
    admins_only: bool = False


TO_THE_AUDIT = Link("frontier", gettext_lazy("The audit, on the Frontier page"))


@dataclass(frozen=True)
class Part:
    """One of several figures that a reading consists of; ``p`` is empty where it has none of its own."""

    name: str
    before: str
    now: str
    p: str = ""


class MonitorSpec(ABC):
    """One monitor, in words and in numbers. Texts that need no reading are attributes, the others methods.

    ``purpose``: the question that it asks, for before its first reading; ``advice``: what to do when it alerts.
    ``photos``: what those are that drive it; ``quiet_photos``: what they are while nothing alerts, where that is another.
    ``parts_title`` and ``parts_column``: of the table of its parts, where a reading consists of several.
    """

    key: Monitor
    purpose: Text
    advice: Text
    scale: Scale
    reader: Reader
    thresholds: tuple[Threshold, ...] = ()
    needs_model = False
    photos: Text = ""
    quiet_photos: Text = ""
    link: Link | None = None
    parts_title: Text = ""
    parts_column: Text = ""

    @property
    def title(self) -> str:
        return str(self.key.label)

    def finding(self, reading: MonitorReading) -> str:
        """The card's title: what the reading says."""
        if reading.state == ReadingState.NOT_ENOUGH:
            return self.missing(reading.figures)
        return self.found(reading)

    @abstractmethod
    def found(self, reading: MonitorReading) -> str:
        """What a reading that has a value says."""

    @abstractmethod
    def missing(self, figures: Mapping[str, Any]) -> str:
        """What a reading still waits for."""

    def value(self, reading: MonitorReading) -> str:
        return self.scale.text(reading.value)

    def detail(self, reading: MonitorReading) -> str:
        """The value's interval, or how large the difference is where the value is a p-value."""
        return "" if reading.value is None else self.interval(reading)

    def interval(self, reading: MonitorReading) -> str:
        return _("95\u00a0%% interval %(low)s to %(high)s") % {
            "low": self.scale.text(reading.low),
            "high": self.scale.text(reading.high),
        }

    def threshold(self, reading: MonitorReading) -> str:
        """From where on it alerts; empty where the reading knows of no threshold."""
        return "" if reading.threshold is None else self.alerts_at(reading.threshold)

    def alerts_at(self, threshold: float) -> str:
        return _("alerts when surely below %(limit)s") % {"limit": self.scale.text(threshold)}

    def limits(self, reading: MonitorReading) -> list[Limit]:
        """The thresholds as the plot shows them."""
        return [] if reading.threshold is None else [Limit(reading.threshold, self.scale.alerts_above)]

    def parts(self, reading: MonitorReading) -> Sequence[Part]:
        return ()


def version_of(reading: MonitorReading) -> int:
    return reading.model_version.number if reading.model_version else 0
