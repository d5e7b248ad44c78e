"""Which inspections are wanted, as an address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from labeling.inspections.models import Outcome
from labeling.refusals import Refused
from labeling.text.plain import composed

#: Letters that each may have, as the tables have it.
LONGEST = {"site": 60, "asset": 60, "event": 40}


@dataclass(frozen=True)
class Wanted:
    """Empty: any. ``since`` and ``until``: days of the reader's time zone, both included.
    ``overdue``: "yes"."""

    outcome: str = ""
    site: str = ""
    asset: str = ""
    event: str = ""
    since: str = ""
    until: str = ""
    overdue: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Wanted:
        """Raises :class:`Refused` (422)."""
        wanted = cls(**{name: composed(given.get(name, "").strip()) for name in NAMES})
        wrong = {}
        if wanted.outcome and wanted.outcome not in Outcome.values:
            wrong["outcome"] = _("One of: %(values)s.") % {"values": ", ".join(Outcome.values)}
        if wanted.overdue not in {"", "yes"}:
            wrong["overdue"] = _("One of: %(values)s.") % {"values": "yes"}
        for name in ("since", "until"):
            if getattr(wanted, name) and wanted._day(name) is None:
                wrong[name] = _("Write a day as 2026-05-01.")
        for name, longest in LONGEST.items():
            if len(getattr(wanted, name)) > longest:
                wrong[name] = _("Write 1 to %(most)d letters.") % {"most": longest}
        if wrong:
            raise Refused.invalid_fields(wrong)
        return wanted

    @property
    def query(self) -> str:
        return urlencode({name: value for name, value in asdict(self).items() if value})

    @property
    def begins(self) -> datetime | None:
        return self._day("since")

    @property
    def ends(self) -> datetime | None:
        """The last moment of the last day."""
        return self._day("until", time.max)

    def _day(self, name: str, at: time = time.min) -> datetime | None:
        try:
            day = parse_date(getattr(self, name))
            return None if day is None else timezone.make_aware(datetime.combine(day, at))
        except (ValueError, OverflowError):
            return None


NAMES = tuple(Wanted.__dataclass_fields__)
