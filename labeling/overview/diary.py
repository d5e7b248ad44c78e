"""The project's activity as sentences. One place says every kind, so that a new kind is a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Activity, Project, Role
from labeling.catalog.selectors import activity, class_names_by_key, current_guideline
from labeling.explorer.models import Deed
from labeling.frontier.models import EndReason, Mode, PromiseKind, WatchedPart
from labeling.frontier.promise import per_cent
from labeling.monitors.services import monitor_named
from labeling.overview import changes
from labeling.text.plain import isolated


@dataclass(frozen=True)
class DiaryLine:
    """``icon`` is a lucide name, ``page`` the url name where more is to be seen (empty: nowhere)."""

    at: datetime
    text: str
    icon: str
    page: str


#: Kinds that come many at a time: one after the other by the same person, they are one line that counts them.
_COUNTED = frozenset({"ruled", "ruling_undone", "gold_retired", "exported"})


def diary(project: Project, *, limit: int = 20) -> list[DiaryLine]:
    """The newest lines, newest first. An afternoon of rulings is one line, or it would hide everything else."""
    lines: list[DiaryLine] = []
    names = class_names_by_key(current_guideline(project))
    for _key, group in groupby(activity(project, limit=limit * 10), key=_alike):
        newest, *older = group
        if older:
            newest.data = {**newest.data, "times": 1 + len(older)}
        lines.append(DiaryLine(newest.at, sentence(newest, names), *_LOOK.get(newest.kind, ("dot", ""))))
    return lines[:limit]


def _alike(entry: Activity) -> tuple[str, int | None]:
    """Neighbours with the same key share a line; an entry that is not counted has a key of its own."""
    return (entry.kind, entry.actor_id) if entry.kind in _COUNTED else ("", entry.pk)


#: Where an activity keeps a class, it keeps its key.
_CLASSES = ("class", "key", "said")


def sentence(entry: Activity, names: Mapping[str, str] | None = None) -> str:
    """One activity in words. An unknown kind is still said, by its name.

    ``names`` is class key -> name; a class that is not there is called by its key.
    """
    data: dict[str, Any] = {"who": str(entry.actor) if entry.actor else _("Hilltop"), **entry.data}
    data |= {name: (names or {}).get(data[name], data[name]) for name in _CLASSES if data.get(name)}
    data = {name: isolated(value) if isinstance(value, str) else value for name, value in data.items()}
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
    said = {"who": data["who"], "changes": changes.of_settings(data["changes"])}
    return _("%(who)s changed the settings: %(changes)s.") % said


def _role(data: dict[str, Any]) -> str:
    role = str(Role(data["role"]).label)
    if data.get("previous"):
        return _("%(who)s made %(username)s a %(role)s.") % {**data, "role": role.lower()}
    return _("%(who)s added %(username)s as %(role)s.") % {**data, "role": role.lower()}


def _band(data: dict[str, Any]) -> str:
    number = {"n": data["band"] + 1}
    if data.get("first"):
        return _("The first model put the photos in order: the bands begin, at the surest ones.")
    if data.get("anew"):
        said = _(
            "Band %(n)d counts anew, as the guideline asks something else now: %(left)d ground truths still count."
        )
        return said % {**number, "left": data["ground_truths"]}
    if data.get("again"):
        return _band_again(data | number)
    if data["cause"] == "admin":
        said = _("%(who)s opened band %(n)d") % {**number, **data}
    elif data["cause"] == "exhausted":
        said = _("Band %(n)d opened, as the one outside it is used up") % number
    else:
        said = _("Band %(n)d opened: the one outside it is settled") % number
    return said + _note(data, "reason")


def _band_again(data: dict[str, Any]) -> str:
    if data["cause"] == "admin":
        said = _("%(who)s opened band %(n)d again, for %(missing)d ground truths") % data
        return said + _note(data, "reason")
    if data["cause"] == "guideline":
        return (
            _(
                "Band %(n)d is open again: the guideline asks something else now, and %(missing)d ground truths are "
                "missing."
            )
            % data
        )
    return (
        _("Band %(n)d is open again: the new model sees %(missing)d ground truths too few so far out.") % data
    )


def _intake_finished(data: dict[str, Any]) -> str:
    parts = [
        ngettext("%(n)d photo came in", "%(n)d photos came in", data["added"]) % {"n": data["added"]}
        if data["added"]
        else _("no photo came in")
    ]
    if n := data.get("duplicate"):
        parts.append(ngettext("%(n)d was here already", "%(n)d were here already", n) % {"n": n})
    if n := data.get("refused"):
        parts.append(ngettext("%(n)d was refused", "%(n)d were refused", n) % {"n": n})
    return _("Intake of %(source)s: %(what)s.") % {"source": data["source"], "what": ", ".join(parts)}


def _let_in(data: dict[str, Any]) -> str:
    return ngettext(
        "%(n)d photo that was set aside came in: it is another picture after all.",
        "%(n)d photos that were set aside came in: they are other pictures after all.",
        data["photos"],
    ) % {"n": data["photos"]}


def _ruled(data: dict[str, Any]) -> str:
    times = data.get("times", 1)
    if times > 1:
        return _("%(who)s ruled on %(times)d photos.") % {"who": data["who"], "times": times}
    said = {
        "class": _("%(who)s ruled on a photo: %(key)s."),
        "hold": _("%(who)s ruled that a photo is ambiguous."),
        "unusable": _("%(who)s ruled that a photo is unusable."),
        "send_back": _("%(who)s sent a photo back to be asked again."),
    }
    return said[data["outcome"]] % data


def _exported(data: dict[str, Any]) -> str:
    if data.get("times", 1) > 1:
        return _("%(who)s exported %(times)d files.") % data
    said = {
        "annotations": _("%(who)s exported the answers as %(format)s."),
        "ground-truths": _("%(who)s exported the ground truths as %(format)s."),
        "decisions": _("%(who)s exported the machine's decisions as %(format)s."),
        "data-set": _("%(who)s downloaded a data set (%(format)s)."),
        "bundle": _("%(who)s took version %(number)d out (%(format)s)."),
    }
    return said[data["what"]] % data


def _paused(data: dict[str, Any]) -> str:
    said = (
        _(
            "%(labeler)s is paused: %(correct)d of the last %(asked)d gold answers were right. "
            "%(to_review)d unconfirmed answers went to review."
        )
        % data
    )
    if "asked_again" not in data:
        return said
    return " ".join(
        [said, _("%(asked_again)d photos that one answer had settled wait for a second person.") % data]
    )


def _trained(data: dict[str, Any]) -> str:
    return _(
        "Model version %(number)d was trained on %(n)d ground truths: accuracy at training %(accuracy).2f."
    ) % {
        "number": data["number"],
        "n": data["ground_truths"],
        "accuracy": data["accuracy"],
    }


def _registered(data: dict[str, Any]) -> str:
    return _(
        "%(who)s registered a head that was trained elsewhere as model version %(number)d: accuracy %(accuracy).2f on %(n)d "
        "ground truths that it says it has not seen."
    ) % {**data, "n": data["judged_on"]}


def _promoted(data: dict[str, Any]) -> str:
    if data.get("before") and data["before"] > data["number"]:
        said = _("%(who)s rolled back from version %(before)d to version %(number)d") % data
    else:
        said = _("%(who)s promoted model version %(number)d") % data
    return said + _note(data, "reason")


def _policy(data: dict[str, Any]) -> str:
    said = {"who": data["who"], "changes": changes.of_policy(data["changes"])}
    return _("%(who)s changed what the machine may decide: %(changes)s") % said + _note(data, "reason")


def _certified(data: dict[str, Any]) -> str:
    """What a project certifies since it can promise more than the machine's part tells with it what it promised."""
    told = {**data, "wish": per_cent(data["precision"]), "share": per_cent(round(data["coverage"], 2))}
    promise = data.get("promise", PromiseKind.ALONE)
    if promise == PromiseKind.DELIVERED:
        told |= {"floor": told["wish"], "wish": per_cent(data["of_all"])}
        return (
            _(
                "Certified, the delivered set: %(wish)s of all labels, and %(floor)s of what version %(model)d decides "
                "alone (%(errors)d wrong of %(n)d random labels); it decides %(class)s."
            )
            % told
        )
    if promise == PromiseKind.ASSISTED and data.get("ring_n") and not data["n"]:
        return (
            _(
                "Certified, with version %(model)d as second reader of %(class)s: %(wish)s of what one answer settles "
                "(%(ring_errors)d wrong of %(ring_n)d random labels). It decides nothing of it alone."
            )
            % told
        )
    if promise == PromiseKind.ASSISTED and data.get("ring_n"):
        return (
            _(
                "Certified, with version %(model)d as second reader of %(class)s: %(wish)s of the surest %(share)s, which "
                "it decides alone (%(errors)d wrong of %(n)d random labels), and %(wish)s of what one answer settles beside "
                "it (%(ring_errors)d wrong of %(ring_n)d)."
            )
            % told
        )
    return (
        _(
            "Certified: %(wish)s of what version %(model)d says is %(class)s, for the surest %(share)s of it "
            "(%(errors)d wrong of %(n)d random labels)."
        )
        % told
    )


def _void(data: dict[str, Any]) -> str:
    return _("%(n)d certificates are void: %(why)s.") % {
        "n": data["certificates"],
        "why": str(EndReason(data["reason"]).label),
    }


def _suspended(data: dict[str, Any]) -> str:
    if data["reason"] == EndReason.AUDIT:
        said = (
            _(
                "The certificate for %(class)s is suspended: %(errors)d of %(audited)d audited decisions were "
                "wrong. %(photos)d photos went back to people."
            )
            if data.get("part", WatchedPart.MACHINE) == WatchedPart.MACHINE
            else _(
                "The certificate for %(class)s is suspended: %(errors)d of %(audited)d audited labels were "
                "wrong. %(photos)d photos went back to people."
            )
        )
        return said % data + _withdrawn(data)
    said = _("%(who)s suspended the certificate for %(class)s; %(photos)d photos went to people") % data
    return said + _note(data, "note") + _withdrawn(data)


def _withdrawn(data: dict[str, Any]) -> str:
    """Of a second reader's certificate: what one answer had settled."""
    labels = data.get("withdrawn", 0)
    if not labels:
        return ""
    told = ngettext(
        "%(n)d label that one answer had settled was withdrawn, and waits for a second person.",
        "%(n)d labels that one answer had settled were withdrawn, and wait for a second person.",
        labels,
    )
    return " " + told % {"n": labels}


def _decided(data: dict[str, Any]) -> str:
    if data["mode"] == Mode.SHADOW:
        return _("In shadow, the machine would have decided %(photos)d photos.") % data
    return (
        _("The machine decided %(photos)d photos; %(audited)d of them go to people, blind, as the audit.")
        % data
    )


def _deciding_paused(data: dict[str, Any]) -> str:
    return (
        _(
            "The machine decides no more of %(class)s for now: %(waiting)d of its decisions wait for their audit."
        )
        % data
    )


def _monitor_alert(data: dict[str, Any]) -> str:
    return _("Alert: %(name)s. Somebody should look.") % {"name": monitor_named(data["monitor"])}


def _monitor_closed(data: dict[str, Any]) -> str:
    return _("%(name)s is fine again; its alert is closed.") % {"name": monitor_named(data["monitor"])}


def _monitor_acknowledged(data: dict[str, Any]) -> str:
    said = _("%(who)s acknowledged the alert of %(name)s") % {
        **data,
        "name": monitor_named(data["monitor"]),
    }
    return said + _note(data, "note")


def _monitor_thresholds(data: dict[str, Any]) -> str:
    said = {"who": data["who"], "changes": changes.of_thresholds(data["changes"])}
    return _("%(who)s changed the monitors' thresholds: %(changes)s") % said + _note(data, "reason")


def _erasure_asked(data: dict[str, Any]) -> str:
    number = {"n": data["photos"]}
    photos = (
        ngettext("more than %(n)d photo", "more than %(n)d photos", data["photos"]) % number
        if data.get("more")
        else ngettext("%(n)d photo", "%(n)d photos", data["photos"]) % number
    )
    said = _("%(who)s had %(photos)s erased; they can be brought back for %(days)d days") % {
        **data,
        "photos": photos,
    }
    return said + _note(data, "reason")


def _erasure_done(data: dict[str, Any]) -> str:
    return ngettext(
        "%(n)d photo is erased for good.", "%(n)d photos are erased for good.", data["photos"]
    ) % {"n": data["photos"]}


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "erasure_asked": _erasure_asked,
    "erasure_undone": lambda d: _("%(who)s brought back photos that were being erased.") % d,
    "erasure_done": _erasure_done,
    "erasure_lifted": lambda d: _("%(who)s let a photo in again that was erased.") % d,
    "project_created": lambda d: _("%(who)s created the project.") % d,
    "project_archived": lambda d: _("%(who)s archived the project.") % d,
    "project_restored": lambda d: _("%(who)s brought the project back from the archive.") % d,
    "settings_changed": _settings,
    "guideline_changed": lambda d: (
        (
            _("%(who)s published guideline version %(number)d as another wording")
            if d.get("wording_only")
            else _("%(who)s published guideline version %(number)d")
        )
        % d
        + _note(d, "note")
    ),
    "wording_objected": lambda d: (
        _("%(who)s counts guideline version %(number)d as a change of meaning") % d + _note(d, "note")
    ),
    "guideline_proposed": lambda d: _("%(who)s proposed a change of the guideline") % d + _note(d, "note"),
    "proposal_declined": lambda d: (
        _("%(who)s declined the change that %(whose)s had proposed") % d + _note(d, "note")
    ),
    "role_set": _role,
    "member_removed": lambda d: _("%(who)s removed %(username)s.") % d,
    "intake_started": lambda d: _("%(who)s began an intake of %(source)s.") % d,
    "intake_finished": _intake_finished,
    "intake_cancelled": lambda d: _("%(who)s stopped an intake.") % d,
    "intake_discarded": lambda d: _("%(who)s gave up %(files)d files of an intake.") % d,
    "intake_renamed": lambda d: _("%(who)s had the names of %(source)s read in another encoding.") % d,
    "protocol_published": lambda d: (
        _("%(who)s published version %(number)s of the protocol %(protocol)s, which asks this project.") % d
    ),
    "protocol_archived": lambda d: _("%(who)s archived the protocol %(protocol)s.") % d,
    "protocol_restored": lambda d: _("%(who)s brought the protocol %(protocol)s back from the archive.") % d,
    "capture_link_prolonged": lambda d: (
        _("%(who)s let a capture link of the protocol %(protocol)s go on.") % d
    ),
    "capture_link_revoked": lambda d: _("%(who)s revoked a capture link of the protocol %(protocol)s.") % d,
    "feed_made": lambda d: _("%(who)s made the spreadsheet link “%(name)s”.") % d,
    "feed_prolonged": lambda d: _("%(who)s let the spreadsheet link “%(name)s” go on.") % d,
    "feed_revoked": lambda d: _("%(who)s revoked the spreadsheet link “%(name)s”.") % d,
    "source_watched": lambda d: _("%(who)s has %(address)s watched: what is new there comes in.") % d,
    "source_paused": lambda d: _("%(who)s paused the source %(address)s.") % d,
    "source_resumed": lambda d: _("%(who)s let the source %(address)s go on.") % d,
    "source_removed": lambda d: _("%(who)s removed the source %(address)s: it is watched no more.") % d,
    "sheet_made": lambda d: _("%(who)s put the question on the question sheet “%(sheet)s”.") % d,
    "sheet_changed": lambda d: _("%(who)s changed the question sheet “%(sheet)s”.") % d,
    "sheet_removed": lambda d: _("%(who)s put the question sheet “%(sheet)s” away.") % d,
    "near_duplicates_let_in": _let_in,
    "band_opened": _band,
    "review_requested": lambda d: _("%(who)s asked for a review") % d + _note(d, "note"),
    "ruled": _ruled,
    "ruling_undone": lambda d: (
        (_("%(who)s took %(times)d rulings back.") if "times" in d else _("%(who)s took a ruling back.")) % d
    ),
    "gold_retired": lambda d: (
        (_("%(who)s retired %(times)d gold photos.") if "times" in d else _("%(who)s retired a gold photo."))
        % d
    ),
    "bulk": lambda d: (
        _("%(who)s began with %(photos)d found photos: %(what)s.") % {**d, "what": Deed(d["deed"]).label}
    ),
    "bulk_undone": lambda d: (
        _("%(who)s took back what was done with %(photos)d found photos: %(what)s.")
        % {**d, "what": Deed(d["deed"]).label}
    ),
    "data_set": lambda d: _("%(who)s made a data set (%(format)s).") % d,
    "import_started": lambda d: _("%(who)s sent labels to import: %(file)s.") % d,
    "import_applied": lambda d: _("%(who)s imported %(labels)d labels of %(source)s.") % d,
    "import_undone": lambda d: _("%(who)s took back %(labels)d imported labels of %(source)s.") % d,
    "vocabulary_made": lambda d: _("%(who)s has the texts of “%(name)s” normalised.") % d,
    "vocabulary_version": lambda d: (
        _("%(who)s put version %(number)d of the categories of “%(name)s” in force") % d + _note(d, "note")
    ),
    "labeler_paused": _paused,
    "labeler_resumed": lambda d: _("%(who)s let %(labeler)s go on.") % d,
    "model_trained": _trained,
    "model_brought_in": lambda d: (
        _("%(who)s brought a classifier in (%(file)s): model version %(number)d.") % d
    ),
    "model_registered": _registered,
    "model_promoted": _promoted,
    "shadow_began": lambda d: _("%(who)s lets version %(number)d answer in the shadow.") % d,
    "shadow_ended": lambda d: _("%(who)s lets no version answer in the shadow any more.") % d,
    "frontier_policy": _policy,
    "certified": _certified,
    "band_drawn": lambda d: (
        _("%(who)s had %(photos)d photos of “%(class)s” drawn at random, for its next threshold.") % d
    ),
    "random_drawn": lambda d: _("%(who)s had %(photos)d photos drawn at random, for the proof.") % d,
    "arrivals_unusual": lambda d: (
        _("%(photos)d photos that came in differ from the pool. The machine leaves them to people.") % d
    ),
    "certificates_void": _void,
    "certificate_suspended": _suspended,
    "decided": _decided,
    "deciding_paused": _deciding_paused,
    "deciding_resumed": lambda d: _("The machine goes on deciding %(class)s: its audits are answered.") % d,
    "decision_overruled": lambda d: _("%(who)s overruled the machine's “%(said)s”") % d + _note(d, "reason"),
    "verdict_overruled": lambda d: (
        _("%(who)s overruled the verdict of inspection %(inspection)d of %(protocol)s: %(said)s.") % d
    ),
    "monitor_alert": _monitor_alert,
    "monitor_closed": _monitor_closed,
    "monitor_acknowledged": _monitor_acknowledged,
    "monitor_thresholds": _monitor_thresholds,
    "endpoint_made": lambda d: _("%(who)s made the webhook “%(name)s”.") % d,
    "endpoint_changed": lambda d: _("%(who)s changed the webhook “%(name)s”.") % d,
    "endpoint_secret": lambda d: _("%(who)s renewed the secret of the webhook “%(name)s”.") % d,
    "endpoint_removed": lambda d: _("%(who)s removed the webhook “%(name)s”.") % d,
    "endpoint_on": lambda d: _("%(who)s switched the webhook “%(name)s” on.") % d,
    "endpoint_off": lambda d: (
        _("%(who)s switched the webhook “%(name)s” off.") % d
        if d["why"] == "admin"
        else _("The webhook “%(name)s” is switched off: nobody takes its events. Look at its log.") % d
    ),
    "endpoint_left": lambda d: (
        _("Whoever reads the mails of “%(name)s” wants no more of: %(kinds)s.")
        % (d | {"kinds": ", ".join(d["kinds"])})
    ),
    "backbone_adapted": lambda d: _("The backbone was adapted to %(photos)d photos.") % d,
    "exported": _exported,
}

_LOOK: dict[str, tuple[str, str]] = {
    "project_created": ("mountain", ""),
    "erasure_asked": ("trash-2", "erasures"),
    "erasure_undone": ("undo-2", "erasures"),
    "erasure_done": ("trash-2", "erasures"),
    "erasure_lifted": ("folder-up", "erasures"),
    "settings_changed": ("settings", "project-settings"),
    "guideline_changed": ("book-open", "guideline"),
    "wording_objected": ("book-open", "guideline"),
    "guideline_proposed": ("book-open", "guideline"),
    "proposal_declined": ("book-open", "guideline"),
    "role_set": ("users", "members"),
    "member_removed": ("users", "members"),
    "intake_started": ("folder-up", "intake"),
    "intake_finished": ("folder-up", "intake"),
    "intake_cancelled": ("folder-up", "intake"),
    "intake_discarded": ("folder-up", "intake"),
    "intake_renamed": ("folder-up", "intake"),
    "protocol_published": ("clipboard-check", ""),
    "protocol_archived": ("archive", ""),
    "protocol_restored": ("archive-restore", ""),
    "capture_link_prolonged": ("link", ""),
    "capture_link_revoked": ("unlink", ""),
    "feed_made": ("sheet", "feeds"),
    "feed_prolonged": ("sheet", "feeds"),
    "feed_revoked": ("unlink", "feeds"),
    "source_watched": ("eye", "sources"),
    "source_paused": ("circle-pause", "sources"),
    "source_resumed": ("circle-play", "sources"),
    "source_removed": ("eye-off", "sources"),
    "sheet_made": ("list-checks", ""),
    "sheet_changed": ("list-checks", ""),
    "sheet_removed": ("list-checks", ""),
    "near_duplicates_let_in": ("images", "near-duplicates"),
    "band_opened": ("chevrons-right-left", ""),
    "review_requested": ("scale", "review"),
    "ruled": ("scale", "review"),
    "ruling_undone": ("undo-2", "review"),
    "gold_retired": ("badge-check", "labelers"),
    "bulk": ("layers", "photos-bulks"),
    "bulk_undone": ("undo-2", "photos-bulks"),
    "data_set": ("package", "data-sets"),
    "import_started": ("package-open", "imports"),
    "import_applied": ("package-open", "imports"),
    "import_undone": ("undo-2", "imports"),
    "vocabulary_made": ("tags", "categories"),
    "vocabulary_version": ("tags", "categories"),
    "labeler_paused": ("circle-pause", "labelers"),
    "labeler_resumed": ("circle-play", "labelers"),
    "model_trained": ("brain", "models"),
    "model_brought_in": ("brain", "models"),
    "model_registered": ("brain", "models"),
    "model_promoted": ("brain", "models"),
    "shadow_began": ("contrast", "models"),
    "shadow_ended": ("contrast", "models"),
    "frontier_policy": ("shield", "frontier-policy"),
    "certified": ("shield-check", "frontier"),
    "band_drawn": ("dices", "frontier"),
    "random_drawn": ("dices", "frontier"),
    "arrivals_unusual": ("shield-alert", "frontier"),
    "certificates_void": ("shield", "frontier"),
    "certificate_suspended": ("shield-alert", "frontier"),
    "decided": ("shield-check", "frontier-decisions"),
    "deciding_paused": ("circle-pause", "frontier"),
    "deciding_resumed": ("circle-play", "frontier"),
    "decision_overruled": ("undo-2", "frontier-decisions"),
    "verdict_overruled": ("undo-2", ""),
    "monitor_alert": ("bell-ring", "monitors"),
    "monitor_closed": ("bell", "monitors"),
    "monitor_acknowledged": ("bell", "monitors"),
    "monitor_thresholds": ("activity", "monitors"),
    "endpoint_made": ("webhook", "webhooks"),
    "endpoint_changed": ("webhook", "webhooks"),
    "endpoint_secret": ("key-round", "webhooks"),
    "endpoint_removed": ("webhook", "webhooks"),
    "endpoint_on": ("webhook", "webhooks"),
    "endpoint_off": ("circle-pause", "webhooks"),
    "endpoint_left": ("circle-pause", "webhooks"),
    "backbone_adapted": ("wand-sparkles", "adaptation"),
    "exported": ("download", "project-settings"),
}
