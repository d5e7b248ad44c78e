"""The project's activity as sentences. One place says every kind, so that a new kind is a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Activity, Project, Role
from labeling.catalog.selectors import activity


@dataclass(frozen=True)
class Line:
    """``icon`` is a lucide name, ``page`` the url name where more is to be seen (empty: nowhere)."""

    at: datetime
    text: str
    icon: str
    page: str


def diary(project: Project, *, limit: int = 20) -> list[Line]:
    """The newest lines, newest first."""
    return [
        Line(entry.at, sentence(entry), *_LOOK.get(entry.kind, ("dot", "")))
        for entry in activity(project, limit=limit)
    ]


def sentence(entry: Activity) -> str:
    """One activity in words. An unknown kind is still said, by its name."""
    data: dict[str, Any] = {"who": str(entry.actor) if entry.actor else _("Hilltop"), **entry.data}
    say = _SENTENCES.get(entry.kind)
    if say is None:
        return f"{data['who']}: {entry.kind.replace('_', ' ')}"
    try:
        return say(data)
    except (KeyError, TypeError, ValueError):  # an older row that carries less than today's sentence wants
        return f"{data['who']}: {entry.kind.replace('_', ' ')}"


def _note(data: dict[str, Any], name: str) -> str:
    return f": “{data[name]}”" if data.get(name) else "."


def _settings(data: dict[str, Any]) -> str:
    changes = "; ".join(
        f"{name.replace('_', ' ')} {old} → {new}" for name, (old, new) in sorted(data["changes"].items())
    )
    return _("%(who)s changed the settings: %(changes)s.") % {"who": data["who"], "changes": changes}


def _role(data: dict[str, Any]) -> str:
    role = str(Role(data["role"]).label)
    if data.get("previous"):
        return _("%(who)s made %(username)s a %(role)s.") % {**data, "role": role.lower()}
    return _("%(who)s added %(username)s as %(role)s.") % {**data, "role": role.lower()}


def _band(data: dict[str, Any]) -> str:
    number = {"n": data["band"] + 1}
    if data["cause"] == "admin":
        said = _("%(who)s opened band %(n)d") % {**number, **data}
    elif data["cause"] == "exhausted":
        said = _("Band %(n)d opened, as the one outside it is used up") % number
    else:
        said = _("Band %(n)d opened: the one outside it is settled") % number
    return said + _note(data, "reason")


def _intake_finished(data: dict[str, Any]) -> str:
    parts = [ngettext("%(n)d photo came in", "%(n)d photos came in", data["added"]) % {"n": data["added"]}]
    if data.get("duplicate"):
        parts.append(_("%(n)d were here already") % {"n": data["duplicate"]})
    if data.get("refused"):
        parts.append(_("%(n)d were refused") % {"n": data["refused"]})
    return _("Intake of %(source)s: %(what)s.") % {"source": data["source"], "what": ", ".join(parts)}


def _paused(data: dict[str, Any]) -> str:
    return (
        _(
            "%(labeler)s is paused: %(correct)d of the last %(asked)d gold answers were right. "
            "%(to_review)d unconfirmed answers went to review."
        )
        % data
    )


def _trained(data: dict[str, Any]) -> str:
    return _("Model version %(number)d was trained on %(n)d ground truths: accuracy %(accuracy).2f.") % {
        "number": data["number"],
        "n": data["ground_truths"],
        "accuracy": data["accuracy"],
    }


def _promoted(data: dict[str, Any]) -> str:
    if data.get("before") and data["before"] > data["number"]:
        said = _("%(who)s rolled back from version %(before)d to version %(number)d") % data
    else:
        said = _("%(who)s promoted model version %(number)d") % data
    return said + _note(data, "reason")


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "project_created": lambda d: _("%(who)s created the project.") % d,
    "project_archived": lambda d: _("%(who)s archived the project.") % d,
    "settings_changed": _settings,
    "guideline_changed": lambda d: _("%(who)s published guideline version %(number)d") % d + _note(d, "note"),
    "role_set": _role,
    "member_removed": lambda d: _("%(who)s removed %(username)s.") % d,
    "intake_started": lambda d: _("%(who)s began an intake of %(source)s.") % d,
    "intake_finished": _intake_finished,
    "intake_cancelled": lambda d: _("%(who)s stopped an intake.") % d,
    "intake_discarded": lambda d: _("%(who)s gave up %(files)d files of an intake.") % d,
    "band_opened": _band,
    "review_requested": lambda d: _("%(who)s asked for a review") % d + _note(d, "note"),
    "gold_retired": lambda d: _("%(who)s retired a gold photo.") % d,
    "labeler_paused": _paused,
    "labeler_resumed": lambda d: _("%(who)s let %(labeler)s go on.") % d,
    "model_trained": _trained,
    "model_promoted": _promoted,
}

_LOOK: dict[str, tuple[str, str]] = {
    "project_created": ("mountain", ""),
    "settings_changed": ("settings", "project-settings"),
    "guideline_changed": ("book-open", "guideline"),
    "role_set": ("users", "members"),
    "member_removed": ("users", "members"),
    "intake_started": ("folder-up", "intake"),
    "intake_finished": ("folder-up", "intake"),
    "intake_cancelled": ("folder-up", "intake"),
    "intake_discarded": ("folder-up", "intake"),
    "band_opened": ("chevrons-right-left", ""),
    "review_requested": ("scale", "review"),
    "gold_retired": ("badge-check", "labelers"),
    "labeler_paused": ("circle-pause", "labelers"),
    "labeler_resumed": ("circle-play", "labelers"),
    "model_trained": ("brain", "models"),
    "model_promoted": ("brain", "models"),
}
