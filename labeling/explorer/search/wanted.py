"""Which photos are wanted: what an address says, of a page as of the API, and the same as an address again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.explorer.search.areas import Area
from labeling.explorer.search.pairs import MOST, Pair, pairs_of, written
from labeling.frontier.told import Status
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.plain import composed
from labeling.text.typed_numbers import real
from labeling.truth.models import HoldReason, UnusableReason

REASONS = list(dict.fromkeys([*HoldReason.values, *UnusableReason.values]))
LONGEST = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Wanted:
    """Empty: any. All that is said must hold. Each field is a query parameter, a trailing ``_`` left out.

    Attributes:
        q: parts of folder and name, parted by spaces; each must be in it, capital or small.
        source: a folder, upload or archive, whole.
        metadata: as in ``labeling/explorer/search/pairs.py``; all of it holds of the photo.
        status: of :class:`Status`.
        class_, predicted: keys of classes: what people or the machine settled it as; what the champion says.
        margin_from, margin_to: of the champion's score, from 0 at the boundary to 1.
        labeler, reason, answered_from, answered_to: of one and the same answer: whose (account), why it was held or called
            unusable, and the days (ISO 8601) on which it was given, both included.
        disagrees: people settled it as another class than the champion says.
        like: SHA-256 of a photo of the project, or of one that was sent: the photos that look most like it, in that order.
        words: that were looked for: the photos that they fit best, in that order.
        area: of the map, as :class:`~labeling.explorer.search.areas.Area` reads it.
    """

    q: str = ""
    source: str = ""
    metadata: str = ""
    status: str = ""
    class_: str = ""
    predicted: str = ""
    margin_from: float | None = None
    margin_to: float | None = None
    labeler: str = ""
    reason: str = ""
    answered_from: date | None = None
    answered_to: date | None = None
    disagrees: bool = False
    like: str = ""
    words: str = ""
    area: str = ""

    @classmethod
    def of(cls, project: Project, given: Mapping[str, str]) -> Wanted:
        """What an address asks for. Raises :class:`Refused` ``invalid`` (422), naming the parameter."""
        keys = (
            set(project.label_classes.values_list("key", flat=True))
            if _any(given, "class", "predicted")
            else set()
        )
        return cls(
            q=composed(" ".join(given.get("q", "").split()))[:LONGEST],
            source=composed(given.get("source", ""))[-LONGEST:],
            metadata=written(_pairs(given, "metadata")),
            status=_one_of(given, "status", Status.values),
            class_=_one_of(given, "class", sorted(keys)),
            predicted=_one_of(given, "predicted", sorted(keys)),
            margin_from=_share(given, "margin_from"),
            margin_to=_share(given, "margin_to"),
            labeler=_labeler(given.get("labeler", "")),
            reason=_one_of(given, "reason", REASONS),
            answered_from=_day(given, "answered_from"),
            answered_to=_day(given, "answered_to"),
            disagrees=_one_of(given, "disagrees", ["0", "1", "false", "true"]) in {"1", "true"},
            like=_sha256(given, "like"),
            words=_words(given),
            area=Area.of(given["area"]).text if given.get("area") else "",
        )

    @classmethod
    def read(cls, project: Project, query: str, *, field: str = "search") -> Wanted:
        """The same, of an address's part behind the question mark, in which nothing else may stand.

        Raises :class:`Refused` ``invalid`` (422), naming the parameter, or ``field`` for one that is unknown.
        """
        given = dict(parse_qsl(query, keep_blank_values=True))
        if nul := [name for name, value in given.items() if "\0" in value]:
            raise Refused.invalid(nul[0], _("No text has the character NUL. Type it again."))
        if unknown := sorted(given.keys() - set(PARAMETERS)):
            raise Refused.invalid(
                field,
                _("There is no such filter: %(names)s. Known: %(known)s.")
                % {"names": ", ".join(unknown)[:LONGEST], "known": ", ".join(PARAMETERS)},
            )
        return cls.of(project, given)

    @property
    def said(self) -> dict[str, Any]:
        """Parameter -> value, of what is said."""
        return {
            name.removesuffix("_"): value
            for name, value in asdict(self).items()
            if value not in ("", None, False)
        }

    def __bool__(self) -> bool:
        return bool(self.said)

    @property
    def query(self) -> str:
        """As part of an address, without its question mark."""
        return urlencode({name: "1" if value is True else str(value) for name, value in self.said.items()})

    @property
    def pairs(self) -> list[Pair]:
        """What the metadata must have."""
        return pairs_of(self.metadata)

    @property
    def of_answers(self) -> bool:
        return bool(self.labeler or self.reason or self.answered_from or self.answered_to)

    @property
    def of_scores(self) -> bool:
        return (
            bool(self.predicted or self.disagrees)
            or self.margin_from is not None
            or self.margin_to is not None
        )

    @property
    def is_ranked(self) -> bool:
        """Whether photos come by how well they fit, not in the order in which they came in."""
        return bool(self.like or self.words)

    @property
    def leaves_out(self) -> bool:
        """Whether it finds photos only that are told."""
        return bool(self.class_) or self.of_answers or self.of_scores

    @property
    def answered(self) -> tuple[datetime | None, datetime | None]:
        """From when, and until before when, in the reader's time zone."""
        return (
            _midnight(self.answered_from) if self.answered_from else None,
            _midnight(self.answered_to + timedelta(days=1)) if self.answered_to else None,
        )


PARAMETERS = tuple(each.name.removesuffix("_") for each in fields(Wanted))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _any(given: Mapping[str, str], *names: str) -> bool:
    return any(given.get(name) for name in names)


def _one_of(given: Mapping[str, str], name: str, known: list[str]) -> str:
    value = given.get(name, "")
    if value and value not in known:
        message = _("One of: %(values)s.") % {"values": ", ".join(known)}
        raise Refused.invalid(name, message, short=[message])
    return value


def _pairs(given: Mapping[str, str], name: str) -> list[Pair]:
    try:
        pairs = pairs_of(composed(given.get(name, "")))
    except ValueError:
        message = _(
            'Write name=value, in quotes where there are spaces: line="second shift". At most %(most)d.'
        )
        message %= {"most": MOST}
        raise Refused.invalid(name, message, short=[message]) from None
    for pair in pairs:
        if pair.sign != "=" and pair.number is None:
            message = _(
                "After %(sign)s comes a number or a day, as in mileage>=1000 or day>=2026-11-29; not “%(value)s”."
            )
            message %= {"sign": pair.sign, "value": pair.value[:LONGEST]}
            raise Refused.invalid(name, message, short=[message])
    return pairs


def _share(given: Mapping[str, str], name: str) -> float | None:
    text = given.get(name, "")
    number = real(text) if text else None
    if text and (number is None or not 0 <= number <= 1):
        message = _("A margin is a number from 0 to 1.")
        raise Refused.invalid(name, message, short=[message])
    return number


def _sha256(given: Mapping[str, str], name: str) -> str:
    text = given.get(name, "")
    if text and not _SHA256.fullmatch(text):
        message = _("A photo is named by its SHA-256: 64 digits and letters from a to f.")
        raise Refused.invalid(name, message, short=[message])
    return text


def _words(given: Mapping[str, str]) -> str:
    text = composed(" ".join(given.get("words", "").split()))[:LONGEST]
    if text and given.get("like"):
        message = _("Look for photos like one, or by words: not for both at once.")
        raise Refused.invalid("words", message, short=[message])
    return text


def _day(given: Mapping[str, str], name: str) -> date | None:
    text = given.get(name, "")
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.min
    if day is not None and not 1900 <= day.year < 9000:
        message = _("Write the day as year-month-day, 2026-11-29.")
        raise Refused.invalid(name, message, short=[message])
    return day


def _labeler(name: str) -> str:
    if name and ("\0" in name or not User.objects.filter(username=name).exists()):
        message = _("There is no account of that name.")
        raise Refused.invalid("labeler", message, short=[message])
    return name
