"""A reading in words: what was found, the value and its threshold, and what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.learning.templatetags.figures import percent, share
from labeling.monitors.models import Monitor, MonitorReading, ReadingState

_BY_P = frozenset({Monitor.EMBEDDINGS, Monitor.SCORES, Monitor.BALANCE, Monitor.QUALITY})


def is_drift(monitor: str) -> bool:
    """Whether the monitor compares photos with those that the champion was made for, by a p-value."""
    return monitor in _BY_P


def finding(reading: MonitorReading) -> str:
    """The card's title: what the reading says."""
    if reading.state == ReadingState.NOT_ENOUGH:
        return _missing(reading)
    told: dict[str, Any] = {"version": reading.model_version.number if reading.model_version else 0}
    return _FINDINGS[Monitor(reading.monitor)](reading, told)


def _embeddings(reading: MonitorReading, told: dict[str, Any]) -> str:
    if reading.state == ReadingState.ALERT:
        return _("The newest photos look different from those that version %(version)d was made for") % told
    return _("The newest photos look like those that version %(version)d was made for") % told


def _scores(reading: MonitorReading, told: dict[str, Any]) -> str:
    if reading.state != ReadingState.ALERT:
        return _("Version %(version)d scores the newest photos like those before them") % told
    moved = max(reading.figures["medians"], key=lambda each: abs(each["now"] - each["before"]))
    told |= {"class": moved["class"], "before": share(moved["before"]), "now": share(moved["now"])}
    return (
        _(
            "Version %(version)d scores the newest photos differently: median of “%(class)s” %(now)s, was %(before)s"
        )
        % told
    )


def _balance(reading: MonitorReading, told: dict[str, Any]) -> str:
    moved = max(reading.figures["shares"], key=lambda each: abs(each["now"] - each["before"]))
    told |= {"class": moved["class"], "before": percent(moved["before"]), "now": percent(moved["now"])}
    if reading.state == ReadingState.ALERT:
        return _("%(now)s of the newest photos are called “%(class)s”; it was %(before)s") % told
    return _("The classes come in the same shares as before")


def _quality(reading: MonitorReading, told: dict[str, Any]) -> str:
    if reading.state != ReadingState.ALERT:
        return _("Brightness, sharpness and size of the newest photos are as before")
    worst = next(each for each in reading.figures["measures"] if each["name"] == reading.figures["test"])
    told |= {"what": measure_name(worst["name"])} | measure_texts(worst)
    return _("The newest photos differ in %(what)s: median %(now)s, was %(before)s") % told


def measure_name(name: str) -> str:
    names = {
        "brightness": _("brightness"),
        "sharpness": _("sharpness"),
        "pixels": _("number of pixels"),
        "bytes": _("file size"),
    }
    return names.get(name, name)


def measure_texts(measure: dict[str, Any]) -> dict[str, str]:
    """``before`` and ``now`` with their unit."""

    def text(value: float | None) -> str:
        if value is None:
            return "–"
        if measure["name"] == "bytes":
            return f"{value / 1000:,.1f} kB"
        if measure["name"] == "pixels":
            return f"{value / 1e6:,.2f} MP"
        return f"{value:,.0f}" if value >= 10 else f"{value:,.1f}"

    return {"before": text(measure["before"]), "now": text(measure["now"])}


def _calibration(reading: MonitorReading, told: dict[str, Any]) -> str:
    told |= {"stated": percent(reading.figures["stated"]), "right": percent(reading.figures["right"])}
    if reading.state == ReadingState.ALERT:
        return (
            _("Version %(version)d states %(stated)s on average and is right on %(right)s of random photos")
            % told
        )
    if (reading.value or 0) > (reading.threshold or 0):
        return (
            _(
                "Version %(version)d states %(stated)s on average; %(right)s were right, which chance may explain"
            )
            % told
        )
    return (
        _("Version %(version)d states %(stated)s on average; %(right)s were right, within what is allowed")
        % told
    )


def _audit(reading: MonitorReading, told: dict[str, Any]) -> str:
    told |= {
        "class": reading.figures["class"],
        "right": percent(reading.value),
        "stated": percent(reading.threshold),
    }
    if reading.state == ReadingState.ALERT:
        return (
            _(
                "The audit refutes “%(class)s”: %(right)s of its decisions were right, %(stated)s was certified"
            )
            % told
        )
    return _("%(right)s of the audited decisions for “%(class)s” were right; %(stated)s was certified") % told


def _agreement(reading: MonitorReading, told: dict[str, Any]) -> str:
    told |= {"share": percent(reading.value), "n": reading.figures["photos"]}
    return _("Blind answers agree on %(share)s of the newest %(n)d photos") % told


def _speed(reading: MonitorReading, told: dict[str, Any]) -> str:
    told |= {"now": seconds(reading.value), "before": seconds(reading.figures["before"])}
    if reading.state == ReadingState.ALERT:
        faster = (reading.value or 0) < reading.figures["before"]
        return (
            _("Answers come much faster than before: %(now)s a photo, was %(before)s")
            if faster
            else _("Answers come much slower than before: %(now)s a photo, was %(before)s")
        ) % told
    return _("An answer takes %(now)s; before it took %(before)s") % told


def _queue(reading: MonitorReading, told: dict[str, Any]) -> str:
    if not reading.item_ids:
        return _("No photo waits for people")
    return _("The oldest photo has waited for %(time)s") % {"time": age(reading.value)}


_FINDINGS = {
    Monitor.EMBEDDINGS: _embeddings,
    Monitor.SCORES: _scores,
    Monitor.BALANCE: _balance,
    Monitor.QUALITY: _quality,
    Monitor.CALIBRATION: _calibration,
    Monitor.AUDIT: _audit,
    Monitor.AGREEMENT: _agreement,
    Monitor.SPEED: _speed,
    Monitor.QUEUE: _queue,
}


def _missing(reading: MonitorReading) -> str:
    figures: dict[str, Any] = reading.figures
    if figures.get("unembedded"):
        return _("The photos have no embeddings of this version any more: let them be embedded again")
    if is_drift(reading.monitor):
        if figures["arrived"] < figures["window"]:
            return _("%(arrived)d of %(window)d photos have come since the model was made") % figures
        return _("The model was made for %(reference)d photos; it takes %(least)d to compare with") % figures
    match reading.monitor:
        case Monitor.CALIBRATION:
            return (
                _("%(n)d of %(least)d random photos, drawn since the model was made, are settled") % figures
            )
        case Monitor.AUDIT:
            return _("No decision of the machine has been audited yet")
        case Monitor.AGREEMENT:
            return _("%(photos)d of %(least)d photos have all their blind answers") % figures
        case Monitor.SPEED:
            return _("%(n)d of %(least)d answers so far") % {
                "n": figures["answers"] + figures["before_answers"],
                "least": figures["least"],
            }
    return _("There are no photos yet")


def purpose(monitor: str) -> str:
    """The question that a monitor asks, for before its first reading."""
    asked = {
        Monitor.EMBEDDINGS: _("Do the newest photos look like those that the model was made for?"),
        Monitor.SCORES: _("Does the model score the newest photos like those before them?"),
        Monitor.BALANCE: _("Do the predicted classes come in the same shares as before?"),
        Monitor.QUALITY: _("Are brightness, sharpness and size of the photos as before?"),
        Monitor.CALIBRATION: _("Is the model right as often as it states?"),
        Monitor.AUDIT: _("Are audited decisions right as often as was certified?"),
        Monitor.AGREEMENT: _("Do blind answers agree?"),
        Monitor.SPEED: _("Do answers take as long as before?"),
        Monitor.QUEUE: _("How long does the oldest photo wait?"),
    }
    return str(asked[Monitor(monitor)])


def needs_model(monitor: str) -> bool:
    return monitor not in {Monitor.AGREEMENT, Monitor.SPEED, Monitor.QUEUE}


def value_text(reading: MonitorReading) -> str:
    if reading.value is None:
        return "–"
    if is_drift(reading.monitor):
        return p_text(reading.value)
    match reading.monitor:
        case Monitor.SPEED:
            return seconds(reading.value)
        case Monitor.QUEUE:
            return age(reading.value)
    return share(reading.value)


def interval_text(reading: MonitorReading) -> str:
    """The value's interval, or how large the difference is where the value is a p-value."""
    figures: dict[str, Any] = reading.figures
    if reading.value is None:
        return ""
    match reading.monitor:
        case Monitor.EMBEDDINGS:
            return _("told apart with AUC %(auc)s; .5 is chance (%(n)d against %(reference)d)") % {
                **figures,
                "auc": share(figures["statistic"]),
            }
        case Monitor.SCORES | Monitor.QUALITY:
            return _("largest gap between the distributions: %(gap)s (%(n)d against %(reference)d)") % {
                **figures,
                "gap": share(figures["statistic"]),
            }
        case Monitor.BALANCE:
            return _("shares moved by %(gap)s in all (%(n)d against %(reference)d)") % {
                **figures,
                "gap": percent(figures["statistic"]),
            }
        case Monitor.CALIBRATION:
            return _("by chance alone up to %(chance)s (n = %(n)d, %(p)s)") % {
                **figures,
                "chance": share(figures["chance"]),
                "p": p_text(reading.p_value or 0.0),
            }
        case Monitor.SPEED:
            return _("95 %% interval %(low)s to %(high)s") % {
                "low": seconds(reading.low),
                "high": seconds(reading.high),
            }
        case Monitor.QUEUE:
            return _("%(arrived)d came and %(settled)d were settled in %(days)d days; %(waiting)d wait") % (
                figures
            )
    return _("95 %% interval %(low)s to %(high)s") % {"low": share(reading.low), "high": share(reading.high)}


def threshold_text(reading: MonitorReading) -> str:
    limit = reading.threshold
    if reading.monitor == Monitor.SPEED:
        if "fast" not in reading.figures:
            return ""
        return _("alerts when surely below %(fast)s or above %(slow)s") % {
            "fast": seconds(reading.figures["fast"]),
            "slow": seconds(reading.figures["slow"]),
        }
    if limit is None:
        return ""
    if is_drift(reading.monitor):
        return _("alerts at p %(level)s and less") % {"level": _plain(limit)}
    match reading.monitor:
        case Monitor.CALIBRATION:
            return _("alerts above %(limit)s, if chance does not explain it") % {"limit": share(limit)}
        case Monitor.QUEUE:
            return _("alerts after %(limit)s") % {"limit": age(limit)}
        case Monitor.AUDIT:
            return _("alerts when surely below the certified %(limit)s") % {"limit": share(limit)}
    return _("alerts when surely below %(limit)s") % {"limit": share(limit)}


def advice(monitor: str) -> str:
    """What to do when it alerts."""
    drift = _(
        "This decides nothing by itself, and does not say that the machine is wrong: only the audit can. Look at the "
        "photos. If they are to stay like this, draw random photos on the Frontier page, have them settled, and train "
        "another version."
    )
    said = {
        Monitor.EMBEDDINGS: drift,
        Monitor.SCORES: drift,
        Monitor.BALANCE: drift,
        Monitor.QUALITY: _("Look at the camera, its light and its focus first.") + " " + drift,
        Monitor.CALIBRATION: _(
            "Its confidence is no longer worth its face value. Certificates rest on counted errors, not on it; but the "
            "queue's order and its bands do. Train another version on what was settled since."
        ),
        Monitor.AUDIT: _(
            "The certificate is suspended or near it, and its photos go to people. See the Frontier page for the audited "
            "decisions; train another version and certify it on new random photos."
        ),
        Monitor.AGREEMENT: _(
            "See the photos in review, and make the criteria say what people differ on. Bands nearer to the boundary are "
            "harder, so some drop is natural when one opens."
        ),
        Monitor.SPEED: _(
            "Much faster may be guessing: compare with gold and agreement on the Labelers page. Much slower may be harder "
            "photos, unclear criteria, or a slow connection."
        ),
        Monitor.QUEUE: _(
            "More photos arrive than people settle, or some are left behind. Add labelers, settle open reviews, or let "
            "certified bands be decided by the machine."
        ),
    }
    return str(said[Monitor(monitor)])


def p_text(p: float) -> str:
    """p = .034; p < .000001."""
    return _("p < .000001") if p < 1e-6 else "p = " + _plain(p)


def _plain(p: float) -> str:
    """Two significant digits, without an exponent: .034, .00021, 1."""
    if p >= 0.995:
        return "1"
    digits = 2
    while round(p, digits) < 10 ** (1 - digits) and digits < 8:
        digits += 1
    text = f"{p:.{digits}f}".rstrip("0")
    return text.removeprefix("0") or "0"


def seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return _("%(n)s s") % {"n": f"{value:.1f}" if value < 20 else f"{value:.0f}"}


def age(days: float | None) -> str:
    """Days as people say them: "40 min", "5 h", "12 days"."""
    if days is None:
        return "–"
    whole = timedelta(days=days)
    if whole < timedelta(hours=1.5):
        n = max(1, round(whole.total_seconds() / 60)) if days else 0
        return ngettext("%(n)d minute", "%(n)d minutes", n) % {"n": n}
    if whole < timedelta(days=2):
        n = round(whole.total_seconds() / 3600)
        return ngettext("%(n)d hour", "%(n)d hours", n) % {"n": n}
    n = round(days)
    return ngettext("%(n)d day", "%(n)d days", n) % {"n": n}
