"""What one week of a project came to: what was decided and by whom, how sure that is, what it saved, what people did.

Counted from the appended rows as the dashboard counts them (:mod:`labeling.overview.dashboard.history`), so the figures of a
week are the same whenever they are asked for; only what is said of its audits grows, as people settle the audited photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_resolution
from labeling.database.kept_counts import counts
from labeling.frontier.models import AutomaticDecision, Certificate, CertificateEnd, EndKind, Mode
from labeling.monitors.models import MonitorAlert
from labeling.overview.dashboard.history import Bucket, History, history, start_of
from labeling.overview.dashboard.targets import Hours
from labeling.people.models import User
from labeling.truth.estimates import Proportion
from labeling.truth.models import Annotation, GroundTruth


@dataclass(frozen=True)
class Span:
    """A week of the reader's time zone, from its Monday on."""

    monday: date
    zone: str

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.monday, time.min, tzinfo=ZoneInfo(self.zone))

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return self.next.begins

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def before(self) -> Span:
        return Span(self.monday - timedelta(days=7), self.zone)

    @property
    def next(self) -> Span:
        return Span(self.monday + timedelta(days=7), self.zone)

    @property
    def name(self) -> str:
        """As in an address: 2026-W47."""
        year, week, _day = self.monday.isocalendar()
        return f"{year}-W{week:02}"


@dataclass(frozen=True)
class Figures:
    """Of one week. ``hours``: saved against people alone, at what a photo had cost them from the first day to its end.

    ``audited``: of that week's decisions that were drawn for people, those that are settled by now, and how many of them
    people settled as the machine had. ``ends``: of certificates. ``labelers``: people who answered.
    """

    done: Bucket
    hours: Hours
    audited: Proportion
    agreement: Proportion
    labelers: int
    ends: list[CertificateEnd]
    alerts: list[MonitorAlert]
    certificates: list[Certificate]

    @property
    def suspended(self) -> int:
        return sum(end.kind == EndKind.SUSPENDED for end in self.ends)

    @property
    def fell(self) -> int:
        return sum(end.kind == EndKind.VOID for end in self.ends)


def week_figures(project: Project, span: Span, past: History) -> Figures:
    """``past``: by week."""
    done, total = _of(past, span)
    made = {"created_at__gte": span.begins, "created_at__lt": span.ends}
    ends = CertificateEnd.objects.filter(certificate__project=project, **made)
    alerts = MonitorAlert.objects.filter(project=project, opened_at__gte=span.begins, opened_at__lt=span.ends)
    return Figures(
        done=done,
        hours=_hours(project, done, total),
        audited=audited(project, span),
        agreement=Proportion(done.agreed, done.compared),
        labelers=_who_answered(project, span),
        ends=list(ends.select_related("certificate__label_class")),
        alerts=list(alerts.select_related("closing")),
        certificates=standing_at(project, span.ends),
    )


def _who_answered(project: Project, span: Span) -> int:
    """People, each looked up: a week has many answers, and a project few people."""
    answers = Annotation.objects.filter(
        project=project, labeler=OuterRef("pk"), created_at__gte=span.begins, created_at__lt=span.ends
    )
    ever = {int(each.key[0]) for each in counts(project, "labelers")}
    return User.objects.filter(Exists(answers), pk__in=ever).count()


def _of(past: History, span: Span) -> tuple[Bucket, Bucket]:
    """The week, and everything up to its end."""
    total = Bucket(span.monday)
    for bucket, so_far in zip(past.buckets, past.sums, strict=True):
        if bucket.start > span.monday:
            break
        total = so_far
        if bucket.start == span.monday:
            return bucket, so_far
    return Bucket(span.monday), total


def _hours(project: Project, done: Bucket, total: Bucket) -> Hours:
    each = total.strict_seconds / 3600 / total.strict if total.strict > 0 else None
    return Hours(
        spent=done.seconds / 3600,
        all_by_people=None if each is None else each * done.images,
        at_target=None,
        rate=project.hourly_cost,
        currency=project.currency,
    )


def audited(project: Project, span: Span) -> Proportion:
    """What people hold or call unusable was not decided rightly."""
    drawn = AutomaticDecision.objects.filter(
        project=project,
        mode=Mode.ON,
        audit=True,
        created_at__gte=span.begins,
        created_at__lt=span.ends,
    )
    said = dict(drawn.values_list("item_id", "label_class_id"))
    settled = GroundTruth.objects.strict().filter(project=project, item_id__in=said)
    truths = list(settled.values_list("item_id", "label_class_id"))
    now = class_resolution(project)
    right = sum(
        truth is not None and now.get(truth, truth) == now.get(said[item], said[item])
        for item, truth in truths
    )
    return Proportion(right, len(truths))


def standing_at(project: Project, moment: datetime) -> list[Certificate]:
    """Certificates that had been issued and had not ended by then."""
    issued = Certificate.objects.filter(project=project, created_at__lt=moment)
    ended = CertificateEnd.objects.filter(certificate__project=project, created_at__lt=moment)
    standing = issued.exclude(pk__in=ended.values("certificate")).order_by("label_class", "pk")
    return list(standing.select_related("label_class"))


def first_week(project: Project, past: History) -> date:
    """The Monday of the week in which it began: was made, or looks back to."""
    made = project.created_at.astimezone(ZoneInfo(past.zone)).date()
    began = min(made, past.buckets[0].start) if past.buckets else made
    return start_of(began, "week")


def weeks(project: Project) -> History:
    return history(project, "week")
