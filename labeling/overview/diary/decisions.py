"""What the machine may decide, by which certificate, and what it decided."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from labeling.frontier.models import EndReason, Mode, PromiseKind, WatchedPart
from labeling.frontier.promise import per_cent
from labeling.overview import changes
from labeling.overview.diary.kind import Data, Kind, noted


def _policy(data: Data) -> str:
    said = {"who": data["who"], "changes": changes.of_policy(data["changes"])}
    return _("%(who)s changed what the machine may decide: %(changes)s") % said


def _certified(data: Data) -> str:
    """What a project certifies since it can promise more than the machine's part tells with it what it promised."""
    told = {**data, "wish": per_cent(data["precision"]), "share": per_cent(round(data["coverage"], 2))}
    promise = data.get("promise", PromiseKind.ALONE)
    if promise == PromiseKind.DELIVERED:
        told |= {"floor": told["wish"], "wish": per_cent(data["of_all"])}
        return (
            _(
                "Certified, the delivered set: %(wish)s of all labels, and %(floor)s of what version %(model)s decides "
                "alone (%(errors)s wrong of %(n)s random labels); it decides %(class)s."
            )
            % told
        )
    if promise == PromiseKind.ASSISTED and data.get("ring_n") and not data["n"]:
        return (
            _(
                "Certified, with version %(model)s as second reader of %(class)s: %(wish)s of what one answer settles "
                "(%(ring_errors)s wrong of %(ring_n)s random labels). It decides nothing of it alone."
            )
            % told
        )
    if promise == PromiseKind.ASSISTED and data.get("ring_n"):
        return (
            _(
                "Certified, with version %(model)s as second reader of %(class)s: %(wish)s of the surest %(share)s, which "
                "it decides alone (%(errors)s wrong of %(n)s random labels), and %(wish)s of what one answer settles beside "
                "it (%(ring_errors)s wrong of %(ring_n)s)."
            )
            % told
        )
    return (
        _(
            "Certified: %(wish)s of what version %(model)s says is %(class)s, for the surest %(share)s of it "
            "(%(errors)s wrong of %(n)s random labels)."
        )
        % told
    )


def _void(data: Data) -> str:
    said = ngettext(
        "%(n)s certificate is void: %(why)s.", "%(n)s certificates are void: %(why)s.", data["certificates"]
    )
    return said % {"n": data["certificates"], "why": str(EndReason(data["reason"]).label)}


def _suspended(data: Data) -> str:
    if data["reason"] == EndReason.AUDIT:
        said = (
            _(
                "The certificate for %(class)s is suspended: %(errors)s of %(audited)s audited decisions were wrong."
            )
            if data.get("part", WatchedPart.MACHINE) == WatchedPart.MACHINE
            else _(
                "The certificate for %(class)s is suspended: %(errors)s of %(audited)s audited labels were wrong."
            )
        )
        back = ngettext(
            "%(photos)s photo went back to people.",
            "%(photos)s photos went back to people.",
            data["photos"],
        )
        return f"{said % data} {back % data}" + _withdrawn(data)
    by_hand = ngettext(
        "%(who)s suspended the certificate for %(class)s; %(photos)s photo went to people",
        "%(who)s suspended the certificate for %(class)s; %(photos)s photos went to people",
        data["photos"],
    )
    return by_hand % data + noted(data, "note") + _withdrawn(data)


def _withdrawn(data: Data) -> str:
    """Of a second reader's certificate: what one answer had settled."""
    labels = data.get("withdrawn", 0)
    if not labels:
        return ""
    told = ngettext(
        "%(n)s label that one answer had settled was withdrawn, and waits for a second person.",
        "%(n)s labels that one answer had settled were withdrawn, and wait for a second person.",
        labels,
    )
    return " " + told % {"n": labels}


def _decided(data: Data) -> str:
    if data["mode"] == Mode.SHADOW:
        in_shadow = ngettext(
            "In shadow, the machine would have decided %(photos)s photo.",
            "In shadow, the machine would have decided %(photos)s photos.",
            data["photos"],
        )
        return in_shadow % data
    said = ngettext(
        "The machine decided %(photos)s photo", "The machine decided %(photos)s photos", data["photos"]
    )
    if not data["audited"]:
        return said % data + "."
    audited = ngettext(
        "%(audited)s of them goes to people, blind, as the audit.",
        "%(audited)s of them go to people, blind, as the audit.",
        data["audited"],
    )
    return f"{said % data}; {audited % data}"


KINDS = {
    "frontier_policy": Kind("shield", "frontier-policy", _policy, note="reason"),
    "certified": Kind("shield-check", "frontier", _certified),
    "band_drawn": Kind(
        "dices",
        "frontier",
        ngettext_lazy(
            "%(who)s had %(photos)s photo of “%(class)s” drawn at random, for its next threshold.",
            "%(who)s had %(photos)s photos of “%(class)s” drawn at random, for its next threshold.",
            "photos",
        ),
    ),
    "random_drawn": Kind(
        "dices",
        "frontier",
        ngettext_lazy(
            "%(who)s had %(photos)s photo drawn at random, for the proof.",
            "%(who)s had %(photos)s photos drawn at random, for the proof.",
            "photos",
        ),
    ),
    "arrivals_unusual": Kind(
        "shield-alert",
        "frontier",
        ngettext_lazy(
            "%(photos)s photo that came in differs from the pool. The machine leaves it to people.",
            "%(photos)s photos that came in differ from the pool. The machine leaves them to people.",
            "photos",
        ),
    ),
    "certificates_void": Kind("shield", "frontier", _void),
    "certificate_suspended": Kind("shield-alert", "frontier", _suspended),
    "decided": Kind("shield-check", "frontier-decisions", _decided),
    "deciding_paused": Kind(
        "circle-pause",
        "frontier",
        ngettext_lazy(
            "The machine decides no more of %(class)s for now: %(waiting)s of its decisions waits for its audit.",
            "The machine decides no more of %(class)s for now: %(waiting)s of its decisions wait for their audit.",
            "waiting",
        ),
    ),
    "deciding_resumed": Kind(
        "circle-play", "frontier", _("The machine goes on deciding %(class)s: its audits are answered.")
    ),
    "decision_overruled": Kind(
        "undo-2", "frontier-decisions", _("%(who)s overruled the machine's “%(said)s”"), note="reason"
    ),
    "verdict_overruled": Kind(
        "undo-2",
        "",
        _("%(who)s overruled the verdict of inspection %(inspection)s of %(protocol)s: %(said)s."),
    ),
}
