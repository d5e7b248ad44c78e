"""What is asked of people, what reviewers rule, and who labels."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from labeling.explorer.models import Deed
from labeling.overview.diary.kind import Data, Kind, noted


def _band(data: Data) -> str:
    number = {"n": data["band"] + 1}
    if data.get("first"):
        return str(_("The first model put the photos in order: the bands begin, at the surest ones."))
    if data.get("anew"):
        said = ngettext(
            "Band %(n)s counts anew, as the guideline asks something else now: %(left)s ground truth still counts.",
            "Band %(n)s counts anew, as the guideline asks something else now: %(left)s ground truths still count.",
            data["ground_truths"],
        )
        return said % {**number, "left": data["ground_truths"]}
    if data.get("again"):
        return _band_again(data | number)
    if data["cause"] == "admin":
        opened = _("%(who)s opened band %(n)s") % {**number, **data}
    elif data["cause"] == "exhausted":
        opened = _("Band %(n)s opened, as the one outside it is used up") % number
    else:
        opened = _("Band %(n)s opened: the one outside it is settled") % number
    return opened + noted(data, "reason")


def _band_again(data: Data) -> str:
    if data["cause"] == "admin":
        said = ngettext(
            "%(who)s opened band %(n)s again, for %(missing)s ground truth",
            "%(who)s opened band %(n)s again, for %(missing)s ground truths",
            data["missing"],
        )
        return said % data + noted(data, "reason")
    if data["cause"] == "guideline":
        said = ngettext(
            "Band %(n)s is open again: the guideline asks something else now, and %(missing)s ground truth is missing.",
            "Band %(n)s is open again: the guideline asks something else now, and %(missing)s ground truths are missing.",
            data["missing"],
        )
    else:
        said = ngettext(
            "Band %(n)s is open again: the new model sees %(missing)s ground truth too few so far out.",
            "Band %(n)s is open again: the new model sees %(missing)s ground truths too few so far out.",
            data["missing"],
        )
    return said % data


def _ruled(data: Data) -> str:
    said = {
        "class": _("%(who)s ruled on a photo: %(key)s."),
        "hold": _("%(who)s ruled that a photo is ambiguous."),
        "unusable": _("%(who)s ruled that a photo is unusable."),
        "send_back": _("%(who)s sent a photo back to be asked again."),
    }
    return said[data["outcome"]] % data


def _bulk(data: Data) -> str:
    said = ngettext(
        "%(who)s began with %(photos)s found photo: %(what)s.",
        "%(who)s began with %(photos)s found photos: %(what)s.",
        data["photos"],
    )
    return said % {**data, "what": Deed(data["deed"]).label}


def _bulk_undone(data: Data) -> str:
    said = ngettext(
        "%(who)s took back what was done with %(photos)s found photo: %(what)s.",
        "%(who)s took back what was done with %(photos)s found photos: %(what)s.",
        data["photos"],
    )
    return said % {**data, "what": Deed(data["deed"]).label}


def _paused(data: Data) -> str:
    said = [
        _("%(labeler)s is paused: %(correct)s of the last %(asked)s gold answers were right.") % data,
        ngettext(
            "%(to_review)s unconfirmed answer went to review.",
            "%(to_review)s unconfirmed answers went to review.",
            data["to_review"],
        )
        % data,
    ]
    if "asked_again" in data:
        again = ngettext(
            "%(asked_again)s photo that one answer had settled waits for a second person.",
            "%(asked_again)s photos that one answer had settled wait for a second person.",
            data["asked_again"],
        )
        said.append(again % data)
    return " ".join(said)


KINDS = {
    "band_opened": Kind("chevrons-right-left", "", _band),
    "review_requested": Kind("scale", "review", _("%(who)s asked for a review"), note="note"),
    "ruled": Kind("scale", "review", _ruled, many=_("%(who)s ruled on %(times)s photos.")),
    "ruling_undone": Kind(
        "undo-2",
        "review",
        _("%(who)s took a ruling back."),
        many=_("%(who)s took %(times)s rulings back."),
    ),
    "gold_retired": Kind(
        "badge-check",
        "labelers",
        _("%(who)s retired a gold photo."),
        many=_("%(who)s retired %(times)s gold photos."),
    ),
    "bulk": Kind("layers", "photos-bulks", _bulk),
    "bulk_undone": Kind("undo-2", "photos-bulks", _bulk_undone),
    "labeler_paused": Kind("circle-pause", "labelers", _paused),
    "labeler_resumed": Kind("circle-play", "labelers", _("%(who)s let %(labeler)s go on.")),
}
