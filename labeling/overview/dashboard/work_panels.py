"""Panels of what people and the machine did: images per decision, who decided, hours, agreement."""

from __future__ import annotations

from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from labeling.charts.axis import Axis, share_axis
from labeling.charts.figure import Figure
from labeling.charts.marks import Series
from labeling.charts.scale import levels
from labeling.overview.dashboard.history import ANSWER_CAP_S, RULING_CAP_S, Bucket, History, next_start
from labeling.overview.dashboard.panel import NAMES, Column, Panel, Unit, rounded, tick_text
from labeling.text.percentage import percentage
from labeling.truth.estimates import Proportion

#: How decisions of the machine come to stand no more: figure of a :class:`Bucket` -> its name.
ENDED = {
    "overruled": gettext_lazy("Decisions that somebody overruled"),
    "suspended": gettext_lazy("Decisions that went back to people with a suspended certificate"),
    "also_settled": gettext_lazy("Decisions that people settled too, audits among them"),
}


def _when(past: History) -> Column:
    unit: Unit = "week" if past.by == "week" else "month" if past.by == "month" else "day"
    return Column("since", _("When"), unit)


def _alone(past: History) -> str:
    return {"day": _("That day alone"), "week": _("That week alone"), "month": _("That month alone")}[past.by]


def _figure(past: History, y: Axis, *series: Series) -> Figure:
    """Buckets stand side by side, so that a bar has the same width everywhere."""
    return Figure(
        Axis(
            {"day": _("day"), "week": _("week, by its Monday"), "month": _("month")}[past.by],
            ticks=[(float(i), tick_text(each.start, past.by)) for i, each in enumerate(past.buckets)],
        ),
        y,
        series,
        xs=[float(index) for index in range(len(past.buckets))],
        begins=_next_step(past),
    )


def _next_step(past: History) -> str:
    """From when on there are two steps of time."""
    if past.by == "day":
        return _("tomorrow")
    return _("on %(day)s") % {"day": date_format(next_start(past.buckets[-1].start, past.by), _("j M"))}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def per_decision(past: History) -> Panel:
    """Images decided for each human decision, against what it would be had people decided them all."""
    columns = (
        _when(past),
        Column("so_far", _("So far"), "ratio"),
        Column("all_human", _("All by people"), "ratio"),
        Column("in_it", _alone(past), "ratio"),
        Column("images", _("Images, so far"), "count", read=False),
        Column("human_decisions", _("Human decisions, so far"), "count", read=False),
    )
    rows: list[dict[str, Any]] = [
        {
            "since": bucket.start,
            "so_far": total.per_decision,
            "all_human": total.strict_per_decision,
            "in_it": bucket.per_decision,
            "images": total.images,
            "human_decisions": total.human,
        }
        for bucket, total in zip(past.buckets, past.sums, strict=True)
    ]
    if not any(row["so_far"] for row in rows):
        return Panel(
            "per-decision",
            str(NAMES["per-decision"]),
            "",
            columns,
            [],
            empty=_(
                "With the first settled photos this shows how many images each answer or ruling decides: about a half "
                "while people decide all by pairs of answers, and more as soon as the machine decides some."
            ),
        )
    lines = [row[name] for row in rows for name in ("so_far", "all_human") if row[name] is not None]
    return Panel(
        "per-decision",
        _per_decision_title(past.total),
        _(
            "Images that people settled or the machine decided, for each answer (gold too) or ruling. “All by people” is "
            "what it would be had people settled every image at the rate at which they settled theirs without the machine. "
            "What lies above the plot is drawn at its edge."
        ),
        columns,
        rows,
        _figure(
            past,
            Axis(_("images per human decision"), high=levels(0.0, 1.25 * max(lines))[-1]),
            Series("so_far", _("So far"), [row["so_far"] for row in rows], look=0),
            Series("all_human", _("All by people"), [row["all_human"] for row in rows], look=1),
            Series("in_it", _alone(past), [row["in_it"] for row in rows], kind="dots", look=3),
        ),
        course=[row["so_far"] for row in rows],
    )


def _per_decision_title(total: Bucket) -> str:
    now = total.per_decision
    people = total.strict_per_decision
    told = {"now": rounded(now or 0, 2), "people": rounded(people or 0, 2)}
    if total.helped > 0 and now and people:
        return _(
            "Each human decision settles %(now)s images, ×%(times)s of what people alone would (%(people)s)"
        ) % {
            **told,
            "times": rounded(now / people, 1),
        }
    return _("Each human decision settles %(now)s images: people decide them all") % told


def decided(past: History) -> Panel:
    """Who decided how many images when."""
    columns = (
        _when(past),
        Column("people", _("Images settled by people"), "count"),
        Column("machine", _("Images decided by the machine"), "count"),
        Column(
            "one_answer",
            _("Of those by people, by one answer that agreed with the machine"),
            "count",
            read=False,
        ),
        Column("answers", _("Answers"), "count"),
        Column("rulings", _("Rulings"), "count"),
        Column("returned", _("Went back to people, or settled by them too"), "count", read=False),
        *(Column(name, str(label), "count", read=False) for name, label in ENDED.items()),
        Column("withdrawn", _("Withdrawn"), "count", read=False),
    )
    rows: list[dict[str, Any]] = [
        {
            "since": each.start,
            "people": each.settled,
            "machine": each.decided,
            "one_answer": each.assisted,
            "answers": each.answers,
            "rulings": each.rulings,
            "returned": each.returned,
            **{name: getattr(each, name) for name in ENDED},
            "withdrawn": each.unsettled,
        }
        for each in past.buckets
    ]
    total = past.total
    if not total.settled and not total.decided:
        return Panel(
            "decided",
            str(NAMES["decided"]),
            "",
            columns,
            [],
            empty=_(
                "No image is decided yet. A photo is when enough blind answers agree, or a reviewer rules."
            ),
        )
    told = {
        "share": percentage(total.by_machine / total.images if total.images > 0 else 0),
        "one": percentage(total.by_one_answer / total.images if total.images > 0 else 0),
        "n": rounded(total.images, 0),
        "unit": {"day": _("day"), "week": _("week"), "month": _("month")}[past.by],
    }
    if total.by_one_answer > 0:
        title = _(
            "The machine decided %(share)s of %(n)s images, and one answer that agreed with it settled %(one)s"
        )
    elif total.by_machine > 0:
        title = _("The machine decided %(share)s of %(n)s images")
    else:
        title = _("People decided all %(n)s images")
    return Panel(
        "decided",
        title % told,
        _(
            "Images a %(unit)s, when they were decided first. Decisions that went back to people, or that people settled "
            "as well, are in the table and are not counted in the title. The last %(unit)s is not over."
        )
        % told,
        columns,
        rows,
        _figure(
            past,
            Axis(_("images, or decisions, a %(unit)s") % told),
            Series(
                "people", _("Images settled by people"), [row["people"] for row in rows], kind="bar", look=1
            ),
            Series(
                "machine", _("Images decided by the machine"), [row["machine"] for row in rows], kind="bar"
            ),
            Series("human", _("Human decisions"), [each.human for each in past.buckets], look=2),
        ),
        course=[_ratio(total.by_machine, total.images) for total in past.sums],
        unit="share",
    )


def hours(past: History) -> Panel:
    """What it cost in person-hours, and what it would have cost had people decided everything."""
    columns = (
        _when(past),
        Column("hours", _("Hours, so far"), "hours"),
        Column("all_human", _("All by people (estimate)"), "hours"),
        Column("per_1000", _("Hours per 1,000 images"), "hours"),
        Column("answering", _("Answering, this period"), "hours", read=False),
        Column("reviewing", _("Reviewing, this period"), "hours", read=False),
    )
    rows: list[dict[str, Any]] = [
        {
            "since": bucket.start,
            "hours": total.seconds / 3600,
            "all_human": total.all_human_hours,
            "per_1000": _ratio(1000 * total.seconds / 3600, total.images),
            "answering": bucket.answer_s / 3600,
            "reviewing": bucket.ruling_s / 3600,
        }
        for bucket, total in zip(past.buckets, past.sums, strict=True)
    ]
    if not past.total.seconds:
        return Panel(
            "hours",
            str(NAMES["hours"]),
            "",
            columns,
            [],
            empty=_("The first answers show what an image costs in people's time."),
        )
    total = past.total
    told = {
        "hours": rounded(total.seconds / 3600, 1),
        "each": rounded(1000 * total.seconds / 3600 / max(total.images, 1), 1),
        "people": rounded(1000 * total.strict_seconds / 3600 / max(total.strict, 1), 1),
    }
    if total.helped > 0 and total.strict > 0:
        title = (
            _("%(hours)s person-hours: %(each)s for 1,000 images, %(people)s if people decided all") % told
        )
    elif total.images > 0:
        title = _("%(hours)s person-hours: %(each)s for 1,000 images") % told
    else:
        title = _("%(hours)s person-hours so far") % told
    return Panel(
        "hours",
        title,
        _(
            "Time from photo shown to answer given, at most %(answer)d\u00a0s an answer; for a ruling the time since the "
            "same person's ruling before, at most %(ruling)d\u00a0s. Breaks, training and meetings are not in it. The "
            "estimate takes it that the machine's images would have cost people as long as theirs did. The machine's are "
            "the easier ones, so it is on the high side."
        )
        % {"answer": ANSWER_CAP_S, "ruling": RULING_CAP_S},
        columns,
        rows,
        _figure(
            past,
            Axis(_("person-hours")),
            Series("hours", _("Hours, so far"), [row["hours"] for row in rows], look=0),
            Series("all_human", _("All by people (estimate)"), [row["all_human"] for row in rows], look=1),
        ),
        course=[row["per_1000"] for row in rows],
        unit="hours",
    )


def agreement(past: History, floor: float) -> Panel:
    """Share of photos on which all blind answers agree, with Wilson's 95 % interval."""
    columns = (
        _when(past),
        Column("agreement", _("All agree"), "share"),
        Column("low", pgettext("interval", "From"), "share"),
        Column("high", pgettext("interval", "To"), "share"),
        Column("photos", _("Photos"), "count"),
        Column("agreed", _("In agreement"), "count", read=False),
    )
    rows: list[dict[str, Any]] = []
    shares: list[Proportion] = []
    for each in past.buckets:
        share = Proportion(each.agreed, each.compared)
        shares.append(share)
        known = share.share is not None
        rows.append(
            {
                "since": each.start,
                "agreement": share.share,
                "low": share.low if known else None,
                "high": share.high if known else None,
                "photos": each.compared,
                "agreed": each.agreed,
            }
        )
    total = Proportion(past.total.agreed, past.total.compared) if past.buckets else Proportion(0, 0)
    if total.share is None:
        return Panel(
            "agreement",
            str(NAMES["agreement"]),
            "",
            columns,
            [],
            empty=_(
                "Agreement shows when a photo has two blind answers. Where people differ, no model can be right."
            ),
        )
    return Panel(
        "agreement",
        _agreement_title(shares, total),
        _(
            "Photos with two blind answers or more, by the day of the last. Gold, sweeps and answers that were taken back "
            "are left out. The area is Wilson's 95\u00a0%% interval; the level line is what a band must reach (%(floor)s)."
        )
        % {"floor": percentage(floor)},
        columns,
        rows,
        _figure(
            past,
            share_axis(_("photos on which all agree")),
            Series(
                "agreement",
                _("All agree"),
                [row["agreement"] for row in rows],
                look=0,
                low=[row["low"] for row in rows],
                high=[row["high"] for row in rows],
            ),
            Series("floor", _("Wanted in a band"), [floor] * len(rows), look=1),
        ),
        course=[_ratio(total.agreed, total.compared) for total in past.sums],
        unit="share",
    )


def _agreement_title(shares: list[Proportion], total: Proportion) -> str:
    """Whether the newest third differs from the first: their intervals lie apart."""
    known = [share for share in shares if share.whole]
    third = len(known) // 3
    assert total.share is not None
    told = {"all": percentage(total.share)}
    if third:
        before, now = _together(known[:third]), _together(known[-third:])
        told |= {"before": percentage(before.share or 0), "now": percentage(now.share or 0)}
        if now.low > before.high:
            return _("People agree more than at first: %(now)s, from %(before)s") % told
        if now.high < before.low:
            return _("People agree less than at first: %(now)s, from %(before)s") % told
    return _("All blind answers agree on %(all)s of the photos") % told


def _together(shares: list[Proportion]) -> Proportion:
    return Proportion(sum(share.part for share in shares), sum(share.whole for share in shares))
