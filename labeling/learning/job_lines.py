"""A job as a line on a page: its name, how far, how fast, how long still, how it ended, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import DETAIL
from labeling.learning.backbone_names import said
from labeling.learning.models import DomainBackbone
from labeling.text.counts import counted

#: A running job reports at least this often, unless its worker died.
SILENCE = timedelta(seconds=60)

NAMES = {
    "embed": gettext_lazy("Embed photos"),
    "embed_help": gettext_lazy("Help to embed photos"),
    "train": gettext_lazy("Train a model"),
    "register": gettext_lazy("Register a head"),
    "look_at_model": gettext_lazy("Look at a model that was sent"),
    "import_model": gettext_lazy("Import a model"),
    "adapt": gettext_lazy("Adapt the backbone"),
    "measure": gettext_lazy("Measure a backbone's pace"),
    "derive": gettext_lazy("Bring photos over"),
    "bundle": gettext_lazy("Write a bundle"),
    "rank": gettext_lazy("Order the queue"),
    "place": gettext_lazy("Place new photos in the queue"),
    "certify": gettext_lazy("Certify the frontier"),
    "decide": gettext_lazy("Decide inside the frontier"),
    "watch": gettext_lazy("Audit automatic decisions"),
    "monitor": gettext_lazy("Look at the monitors"),
    "intake": gettext_lazy("Add photos"),
    "look_at_source": gettext_lazy("Look at a source"),
    "import": gettext_lazy("Import labels"),
    "estimates": gettext_lazy("Compute agreement"),
    "lab": gettext_lazy("Compare strategies"),
    "explain": gettext_lazy("Explain a decision"),
    "rescore": gettext_lazy("Score and order again"),
    "remake_renditions": gettext_lazy("Make the pictures of photos again"),
    "lookalikes": gettext_lazy("Look for photos like those in dispute"),
    "bulk": gettext_lazy("Act on found photos"),
    "choose": gettext_lazy("Look for the photos of a data set"),
    "month": gettext_lazy("Simulate a day of the demo"),
    "wash": gettext_lazy("Simulate a day of the demo"),
    "vocabulary": gettext_lazy("Normalise texts"),
    "look_at_inspections": gettext_lazy("Look at verdicts"),
    "space": gettext_lazy("Find each photo's place among the others"),
    "like": gettext_lazy("Look at a photo that was sent"),
    "words": gettext_lazy("Look for photos by words"),
    "erase": gettext_lazy("Erase photos"),
    "recognise_shots": gettext_lazy("Recognise which shot a photo shows"),
    "ask_earlier_inspections": gettext_lazy("Take in photos of earlier inspections"),
}
UNITS = {
    "embed": gettext_lazy("photos"),
    "measure": gettext_lazy("photos"),
    "intake": gettext_lazy("files"),
    "import": gettext_lazy("rows"),
    "adapt": gettext_lazy("photos"),
    "derive": gettext_lazy("photos"),
    "space": gettext_lazy("photos"),
    "words": gettext_lazy("photos"),
    "erase": gettext_lazy("photos"),
    "ask_earlier_inspections": gettext_lazy("inspections"),
}
#: Of these, what was done before somebody cancelled stays; all others end in one write, or in nothing.
KEPT = frozenset(
    {
        "embed",
        "embed_help",
        "measure",
        "intake",
        "import",
        "derive",
        "bulk",
        "choose",
        "erase",
        "ask_earlier_inspections",
    }
)
#: Why the machine did not decide a photo.
WAITS = {
    "off": gettext_lazy("the machine is switched off"),
    "shadow": gettext_lazy("the machine decides in the shadow only"),
    "no_model": gettext_lazy("there is no model"),
    "no_certificate": gettext_lazy("nothing is certified"),
    "overruled": gettext_lazy("a person took its decision back"),
    "not_scored": gettext_lazy("not scored yet"),
    "outside": gettext_lazy("outside of what is certified"),
    "audits_wait": gettext_lazy("too many audits of their class wait"),
    "only_the_pool": gettext_lazy("came after what was certified"),
    "unlike_the_pool": gettext_lazy("unlike the photos that the certificate speaks of"),
    "not_looked_at": gettext_lazy("not compared with those photos yet"),
    "with_people": gettext_lazy("drawn at random, or begun by people"),
}
STATES = {
    JobState.QUEUED: gettext_lazy("Waiting"),
    JobState.RUNNING: gettext_lazy("Running"),
    JobState.SUCCEEDED: gettext_lazy("Done"),
    JobState.FAILED: gettext_lazy("Failed"),
    JobState.CANCELLED: gettext_lazy("Cancelled"),
}
LOOKS = {
    JobState.QUEUED: "",
    JobState.RUNNING: "accent",
    JobState.SUCCEEDED: "good",
    JobState.FAILED: "bad",
    JobState.CANCELLED: "warn",
}


@dataclass(frozen=True)
class JobLine:
    """``percent`` 0 to 100; ``rate`` in ``unit`` a second; ``seconds_left``: each ``None`` while unknown."""

    job: Job
    name: str
    state: str
    look: str
    percent: float | None
    rate: float | None
    unit: str
    seconds_left: float | None
    message: str
    outcome: str
    silent: bool
    cancelling: bool
    failures: list[dict[str, str]] = field(default_factory=list)
    #: How many jobs the line stands for, and when the first of them was asked for.
    times: int = 1
    since: datetime | None = None

    @property
    def earlier(self) -> int:
        return self.times - 1

    @property
    def kept(self) -> str:
        """What a cancelled job leaves behind, in words."""
        if self.job.kind in KEPT:
            return _("What it had done by then is kept.")
        return _("It has no result; nothing of it was kept.")

    @property
    def can_retry(self) -> bool:
        return self.job.state == JobState.FAILED

    @property
    def can_cancel(self) -> bool:
        return self.job.is_live and not self.cancelling


def lines(jobs: Iterable[Job]) -> list[JobLine]:
    now = timezone.now()
    return [line(job, now) for job in jobs]


def folded(lines: Iterable[JobLine]) -> list[JobLine]:
    """Neighbours of the same person that ended alike are one line: the newest, counted.

    While people label, a project's frontier is looked at every few answers; a page of that hides everything else.
    """
    rows: list[JobLine] = []
    for _key, group in groupby(lines, key=_alike):
        newest, *older = group
        rows.append(
            replace(newest, times=1 + len(older), since=older[-1].job.created_at) if older else newest
        )
    return rows


def _alike(line: JobLine) -> tuple[Any, ...]:
    """Neighbours with the same key are one line. What has not ended, or has failures to look at, has a line of its own.

    A job that failed can be tried again, so only those that would try the same are alike.
    """
    job = line.job
    if job.is_live or line.failures:
        return (job.pk,)
    asked = str(job.args) if job.state == JobState.FAILED else ""
    return (job.kind, job.state, job.requested_by_id, line.outcome, job.error, asked)


def line(job: Job, now: datetime | None = None) -> JobLine:
    now = now or timezone.now()
    state = JobState(job.state)
    percent = rate = seconds_left = None
    if job.total:
        percent = min(100.0, 100.0 * job.done / job.total)
    if state is JobState.RUNNING and (since := job.counted_since or job.started_at) and job.total:
        elapsed = (job.updated_at - since).total_seconds()
        if job.done > 0 and elapsed > 0:
            rate = job.done / elapsed
            seconds_left = max(0.0, (job.total - job.done) / rate)
    result: dict[str, Any] = job.result if isinstance(job.result, dict) else {}
    return JobLine(
        job=job,
        name=str(NAMES.get(job.kind, job.kind.replace("_", " ").capitalize())),
        state=str(STATES[state]),
        look=LOOKS[state],
        percent=percent,
        # Below one a second the time that is left says more.
        rate=rate if rate is not None and rate >= 0.5 and job.kind in UNITS else None,
        unit=str(_unit(job)),
        seconds_left=seconds_left,
        message=_message(job) if job.is_live else "",
        outcome=_outcome(job.kind, counted(result)) if state is JobState.SUCCEEDED else "",
        silent=state is JobState.RUNNING and now - job.updated_at > SILENCE,
        cancelling=job.is_live and job.cancel_requested_at is not None,
        failures=result.get("failures") or [] if job.kind == "embed" else [],
    )


def _message(job: Job) -> str:
    message, dot, of_what = job.message.partition(DETAIL)
    name, blank, which = of_what.partition(" ")  # of several, "(2/3)"
    return (_(message) if message else "") + dot + said(name) + blank + which


def _unit(job: Job) -> Any:
    # Such a training goes over the same photos again and again, a batch in each step.
    if job.kind == "adapt" and job.args.get("method") == DomainBackbone.Method.SELF_SUPERVISION:
        return gettext_lazy("steps")
    return UNITS.get(job.kind, "")


def _outcome(kind: str, result: dict[str, Any]) -> str:
    if kind == "embed" and "embedded" in result:
        text = (
            ngettext(
                "%(embedded)s photo embedded, %(already)s had been before.",
                "%(embedded)s photos embedded, %(already)s had been before.",
                result["embedded"],
            )
            % result
        )
        if result.get("failed"):
            text += " " + _("%(failed)s could not be read.") % result
        return " ".join([text, *_of_others(result)])
    if kind == "measure" and "missing" in result:
        said = ngettext(
            "%(missing)s of %(photos)s photos is to be embedded with it.",
            "%(missing)s of %(photos)s photos are to be embedded with it.",
            result["missing"],
        )
        return said % result
    if kind == "intake" and "added" in result:
        text = (
            ngettext(
                "%(added)s photo came in; here already: %(duplicate)s.",
                "%(added)s photos came in; here already: %(duplicate)s.",
                result["added"],
            )
            % result
        )
        return text + (" " + _("Refused: %(refused)s.") % result if result.get("refused") else "")
    if kind == "look_at_source" and "there" in result:
        said = ngettext(
            "%(there)s file there: %(new)s new, %(changed)s changed, %(gone)s gone.",
            "%(there)s files there: %(new)s new, %(changed)s changed, %(gone)s gone.",
            result["there"],
        )
        return said % result
    if kind == "train" and "model" in result:
        text = _("Version %(model)d from %(ground_truths)s ground truths.") % result
        if result.get("promoted"):
            text += " " + _("It was promoted by itself.")
        return text
    if kind == "import_model" and "model" in result:
        return _("It is version %(model)d.") % result
    if kind == "adapt" and "photos" in result:
        said = ngettext(
            "The backbone learned from %(photos)s photo. The next training judges it.",
            "The backbone learned from %(photos)s photos. The next training judges it.",
            result["photos"],
        )
        return said % result
    if kind == "adapt" and "skipped" in result:
        return str(result["skipped"])
    if kind == "derive" and "photos" in result:
        text = (
            ngettext(
                "%(photos)s photo came over, %(already)s had been there before.",
                "%(photos)s photos came over, %(already)s had been there before.",
                result["photos"],
            )
            % result
        )
        if result.get("gold"):
            text += " " + _("Of them gold: %(gold)s.") % result
        if result.get("unknown"):
            text += " " + _("Known answers that found no fresh photo: %(n)s.") % counted(
                {"n": len(result["unknown"])}
            )
        return text
    if kind == "ask_earlier_inspections" and "inspections" in result:
        return _("Photos that came in: %(photos)s; inspections: %(inspections)s.") % result
    if kind == "bundle" and "bytes" in result:
        return _("Version %(version)d as one file.") % result
    if kind == "rank" and "photos" in result:
        said = ngettext(
            "%(photos)s photo in a new order.", "%(photos)s photos in a new order.", result["photos"]
        )
        return said % result
    if kind == "place" and "placed" in result:
        said = ngettext(
            "%(placed)s photo got its place in the order.",
            "%(placed)s photos got their places in the order.",
            result["placed"],
        )
        return said % result
    if kind == "monitor" and "readings" in result:
        return _("New readings: %(readings)s. New alerts: %(alerts)s.") % result
    if kind == "certify" and "issued" in result:
        return _certified(result)
    if kind == "decide" and "decided" in result:
        return _decided(result)
    if kind == "watch" and "audited" in result:
        text = (
            ngettext(
                "%(audited)s audited decision, %(errors)s wrong.",
                "%(audited)s audited decisions, %(errors)s wrong.",
                result["audited"],
            )
            % result
        )
        return text + (" " + _("A certificate is suspended.") if result["suspended"] else "")
    if kind == "lab" and "ground_truths" in result:
        return (
            _("Labeling replayed on %(ground_truths)s ground truths, %(seeds)s repetitions of each strategy.")
            % result
        )
    return ""


def _decided(result: dict[str, Any]) -> str:
    text = _("No photo was decided.")
    if result["decided"]:
        text = (
            ngettext(
                "%(decided)s photo decided; to people, as the audit: %(audited)s.",
                "%(decided)s photos decided; to people, as the audit: %(audited)s.",
                result["decided"],
            )
            % result
        )
    waiting: dict[str, int] = result.get("waiting") or {}
    if not waiting:
        return text
    counted = sorted(waiting.items(), key=lambda each: (-each[1], each[0]))
    why = "; ".join(f"{WAITS.get(reason, reason)}: {n}" for reason, n in counted)
    return f"{text} " + _("Of the newest photos people are asked for – %(why)s.") % {"why": why}


def _of_others(result: dict[str, Any]) -> Iterable[str]:
    """What became of the backbones beside the project's own."""
    for each in (result.get("backbones") or [])[1:]:
        if "error" in each:
            yield _("%(name)s could not be used: %(why)s") % {
                "name": said(each["name"]),
                "why": each["error"],
            }
        elif each["embedded"]:
            yield _("%(name)s: %(n)s.") % {"name": said(each["name"]), "n": each["embedded"]}


def _certified(result: dict[str, Any]) -> str:
    text = (
        ngettext(
            "%(labels)s random label counts; %(pending)s more asked for.",
            "%(labels)s random labels count; %(pending)s more asked for.",
            result["labels"],
        )
        % result
    )
    n = result["issued"]
    if not n:
        return text + " " + _("No new certificate.")
    return text + " " + ngettext("%(n)s new certificate.", "%(n)s new certificates.", n) % {"n": n}
