"""What a search is narrowed to, in words: each a link to the same search without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, replace
from typing import Any

from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.explorer.search.wanted import Wanted
from labeling.frontier.told import Status
from labeling.refusals import Refused
from labeling.text.plain import isolated
from labeling.truth.models import HoldReason, UnusableReason
from labeling.truth.templatetags.shares import decimals


@dataclass(frozen=True)
class Chip:
    """``query``: of the address that asks for all but this."""

    text: str
    query: str


def chips(wanted: Wanted, *, names: Mapping[str, str]) -> list[Chip]:
    """``names``: class key -> name, and SHA-256 -> name of the photo that others are to be like."""
    said = wanted.said
    found = []
    for each in fields(Wanted):
        name = each.name.removesuffix("_")
        if name in said:
            found.append(Chip(_text(name, said[name], names), replace(wanted, **_nothing(each)).query))
    return found


def said(project: Project, query: str, *, names: Mapping[str, str]) -> list[str]:
    """The same in words, of an address that was kept; as it stands where it names what is there no more."""
    try:
        return [chip.text for chip in chips(Wanted.read(project, query), names=names)]
    except Refused:
        return [isolated(query)]


def _nothing(each: Field[Any]) -> dict[str, Any]:
    return {each.name: each.default}


def _text(name: str, value: Any, names: Mapping[str, str]) -> str:
    match name:
        case "q":
            return _("named %(parts)s") % {"parts": isolated(value)}
        case "source":
            return _("from %(source)s") % {"source": isolated(value)}
        case "metadata":
            return isolated(value)
        case "status":
            return str(Status(value).label)
        case "class":
            return _("is %(label)s") % {"label": isolated(names.get(value, value))}
        case "predicted":
            return _("predicted %(label)s") % {"label": isolated(names.get(value, value))}
        case "margin_from":
            return _("margin from %(margin)s") % {"margin": decimals(value)}
        case "margin_to":
            return _("margin up to %(margin)s") % {"margin": decimals(value)}
        case "labeler":
            return _("answered by %(name)s") % {"name": isolated(value)}
        case "reason":
            return str(dict([*HoldReason.choices, *UnusableReason.choices])[value])
        case "answered_from":
            return _("answered since %(day)s") % {"day": value.isoformat()}
        case "answered_to":
            return _("answered until %(day)s") % {"day": value.isoformat()}
        case "like":
            return _("similar to %(name)s") % {"name": isolated(names.get(value, value[:12]))}
        case "words":
            return _("shows “%(words)s”") % {"words": isolated(value)}
        case "area":
            return _("in an area of the map")
        case _:
            return _("people and model disagree")
