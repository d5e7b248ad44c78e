"""The weekly page: its figures recomputed from the tables, which weeks there are, and the file that needs no Hilltop."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.catalog.models import Activity, Project
from labeling.catalog.selectors import current_guideline
from labeling.frontier.models import AutomaticDecision, Certificate, CertificateEnd, DecisionOverruled
from labeling.frontier.selectors import overruled_decisions
from labeling.frontier.services import suspend
from labeling.monitors.models import MonitorAlert, MonitorReading
from labeling.overview.dashboard.build import dashboard
from labeling.overview.dashboard.history import ANSWER_CAP_S, history
from labeling.overview.dashboard.work_panels import ENDED
from labeling.overview.week.figures import Span, week_figures, weeks
from labeling.overview.week.report import NoSuchWeek, report
from labeling.people.models import User
from labeling.truth.models import Annotation, Dispute, GroundTruth, Origin, Ruling
from tests.factories import make_member, make_project
from tests.frontier.living import Living, at, make_living
from tests.frontier.proving import certified_pool
from tests.overview.test_dashboard import Days

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 3, 2)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def lived() -> Living:
    living = make_living(days=60, photos=4)
    living.score_the_rest()
    Project.objects.filter(pk=living.project.pk).update(hourly_cost=30.0, currency="EUR")
    living.project.refresh_from_db()
    return living


def test_each_figure_of_each_week_is_what_the_tables_hold() -> None:
    living = lived()
    project, past = living.project, weeks(living.project)
    assert len(past.buckets) >= 8
    sums = {"decided": 0, "settled": 0, "answers": 0, "rulings": 0}
    for bucket in past.buckets:
        span = Span(bucket.start, past.zone)
        found = week_figures(project, span, past)
        within = {"created_at__gte": span.begins, "created_at__lt": span.ends}
        answers = Annotation.objects.filter(project=project, **within)
        assert found.done.answers == answers.count()
        assert found.labelers == len(set(answers.values_list("labeler", flat=True)))
        assert found.done.answer_s == pytest.approx(
            sum(min(each, 1000 * ANSWER_CAP_S) for each in answers.values_list("view_ms", flat=True)) / 1000
        )
        assert found.hours.spent == pytest.approx((found.done.answer_s + found.done.ruling_s) / 3600)
        assert found.done.rulings == Ruling.objects.filter(dispute__project=project, **within).count()
        assert found.done.settled == GroundTruth.objects.filter(project=project, **within).count()
        assert found.done.decided == AutomaticDecision.objects.filter(project=project, **within).count()
        ends = CertificateEnd.objects.filter(certificate__project=project, **within)
        assert found.suspended == ends.filter(kind="suspended").count()
        assert found.fell == ends.filter(kind="void").count()
        gone = CertificateEnd.objects.filter(created_at__lt=span.ends).values("certificate")
        assert found.certificates == list(
            Certificate.objects.filter(project=project, created_at__lt=span.ends)
            .exclude(pk__in=gone)
            .order_by("label_class", "pk")
        )
        for name in sums:
            sums[name] += getattr(found.done, name)
    head = dashboard(project).total
    assert sums == {name: getattr(head, name) for name in sums}
    assert sums["decided"] > 0


def test_hours_saved_are_those_of_people_alone_less_those_spent() -> None:
    living = lived()
    past = weeks(living.project)
    place = next(n for n, each in enumerate(past.buckets) if each.decided)
    done, total = past.buckets[place], past.sums[place]
    found = week_figures(living.project, Span(done.start, past.zone), past).hours
    each = total.strict_seconds / 3600 / total.strict
    assert found.saved == pytest.approx(
        each * (done.settled + done.decided - done.returned) - done.seconds / 3600
    )
    assert found.cost_saved == f"{round(30 * (found.saved or 0), 2):.2f} EUR"


def test_audits_of_a_weeks_decisions_count_as_people_settle_them() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=1.0)
    pool.work()
    decided = list(pool.project.automatic_decisions.filter(mode="on", audit=True).order_by("id")[:4])
    past = weeks(pool.project)
    span = Span(past.buckets[-1].start, past.zone)
    assert week_figures(pool.project, span, past).audited.whole == 0
    guideline = current_guideline(pool.project)
    other = next(each for each in pool.classes.values() if each.pk != decided[2].label_class_id)
    for decision, says in (
        (decided[0], "same"),
        (decided[1], "same"),
        (decided[2], "other"),
        (decided[3], "hold"),
    ):
        GroundTruth.objects.create(
            project=pool.project,
            item=decision.item,
            kind="hold" if says == "hold" else "class",
            label_class={"same": decision.label_class, "other": other, "hold": None}[says],
            origin=Origin.RULING,
            guideline=guideline,
        )
    found = week_figures(pool.project, span, past).audited
    assert (found.part, found.whole) == (2, 4)
    assert week_figures(pool.project, span.before, past).audited.whole == 0
    page = client_of(pool.admin).get(f"/p/{pool.project.slug}/week", {"of": span.name}).content.decode()
    assert "50\u00a0% [15\u00a0%, 85\u00a0%], n\u00a0=\u00a04" in page


def test_what_needs_attention_is_told_with_its_cause_and_without_a_name() -> None:
    pool = certified_pool()
    certificate = Certificate.objects.in_force().filter(project=pool.project)[:1].get()
    suspend(certificate=certificate, by=pool.admin, note="cracks were missed")
    reading = MonitorReading.objects.create(
        project=pool.project, monitor="queue", state="alert", value=40, threshold=30, evidence="40"
    )
    MonitorAlert.objects.create(project=pool.project, monitor="queue", reading=reading)
    past = weeks(pool.project)
    name = Span(past.buckets[-1].start, past.zone).name
    viewer = make_member(pool.project, "viewer")
    page = client_of(viewer).get(f"/p/{pool.project.slug}/week", {"of": name}).content.decode()
    assert "was suspended, and its photos went back to people: An admin suspended it." in page
    assert "Alert: Age of the queue. It is still open." in page
    assert pool.admin.username not in page.split("<article")[1]
    found = report(pool.project, name).now
    assert (found.suspended, len(found.alerts)) == (1, 1)


def test_weeks_follow_each_other_from_the_first_to_this_one() -> None:
    living = lived()
    today = timezone.localdate()
    this = Span(today - timedelta(days=today.weekday()), "UTC")
    newest = report(living.project, "")
    assert newest.over and newest.span.monday == this.before.monday
    assert newest.later is not None and newest.later.monday == this.monday
    assert not report(living.project, this.name).over
    assert report(living.project, this.name).later is None
    seen, week = [newest.span.name], newest
    while week.earlier is not None:
        week = report(living.project, week.earlier.name)
        seen.append(week.span.name)
    past = history(living.project, "week")
    assert seen[::-1] == [Span(each.start, "UTC").name for each in past.buckets][: len(seen)]
    assert week.before is None
    assert all(line.before == "" for _name, lines in week.groups for line in lines)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("2026-W60", "A week is named like 2026-W47"),
        ("last", "A week is named like 2026-W47"),
        ("2026-W4７", "A week is named like 2026-W47"),
        ("9999-W52", "has not begun yet"),
        ("1999-W01", "first week is"),
        ("0000-W01", "A week is named like 2026-W47"),
    ],
)
def test_a_week_that_is_none_is_refused_with_a_sentence(asked: str, why: str) -> None:
    project = make_project()
    response = client_of(project.created_by).get(f"/p/{project.slug}/week", {"of": asked})
    assert response.status_code == 404
    assert why in response.content.decode()
    with pytest.raises(NoSuchWeek):
        report(project, asked)


def test_a_project_of_today_has_its_first_week_and_says_that_nothing_was_decided() -> None:
    project = make_project()
    response = client_of(project.created_by).get(f"/p/{project.slug}/week")
    page = response.content.decode()
    assert response.status_code == 200
    assert "Nothing was decided in this week." in page
    assert "not over yet" in page
    assert "No certificate stood: people decided all photos." in page
    assert 'rel="prev"' not in page and 'rel="next"' not in page


def test_a_week_begins_on_monday_midnight_of_the_readers_time_zone() -> None:
    days = Days()
    sunday_in_london = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)  # Monday, one o'clock, in Seoul
    days.answer(sunday_in_london, days.items[0], 0)
    for zone, monday in (("UTC", date(2026, 2, 23)), ("Asia/Seoul", MONDAY)):
        with timezone.override(zone), at(sunday_in_london + timedelta(days=1)):
            past = weeks(days.project)
            found = week_figures(days.project, Span(monday, past.zone), past)
            assert (found.done.answers, found.labelers) == (1, 1)


def test_the_year_changes_in_the_middle_of_a_week() -> None:
    assert Span(date(2026, 12, 28), "UTC").name == "2026-W53"
    assert Span(date(2026, 12, 28), "UTC").next.name == "2027-W01"


def test_the_file_is_whole_by_itself_and_says_what_the_page_says() -> None:
    living = lived()
    client = client_of(living.reviewer)
    address = f"/p/{living.project.slug}/week"
    page = client.get(address).content.decode()
    response = client.get(address + "?download")
    file = response.content.decode()
    name = report(living.project, "").span.name
    assert response["Content-Disposition"] == f'attachment; filename="{living.project.slug}-{name}.html"'
    assert not re.search(r"(src|href)=|url\(|@import|<script", file)
    rows = re.compile(r"<th scope=\"row\">.*?</tr>", re.S)
    assert rows.findall(file) == rows.findall(page) != []
    assert ".week-table" in file


def test_reviewers_and_viewers_see_it_labelers_do_not_and_strangers_learn_nothing() -> None:
    project = make_project()
    for user, status in (
        (project.created_by, 200),
        (make_member(project, "viewer"), 200),
        (make_member(project, "reviewer"), 200),
        (make_member(project), 403),
        (make_project().created_by, 404),
    ):
        assert client_of(user).get(f"/p/{project.slug}/week").status_code == status


def test_decisions_that_stand_no_more_are_told_by_how_they_ended_as_the_dashboard_and_the_frontier_count_them() -> (
    None
):
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.0)
    last_week = timezone.now() - timedelta(days=7)
    with at(last_week):
        pool.work()
    decided = list(pool.project.automatic_decisions.filter(mode="on").order_by("id"))
    doubted = decided[0].certificate
    kept = [each for each in decided if each.certificate_id == doubted.pk]
    overruled, settled, both = kept[:3]
    with at(last_week):
        DecisionOverruled.objects.create(decision=overruled, by=pool.admin, reason=f"a crack {uuid4()}")
    pool.settle(settled.item)
    suspend(certificate=doubted, by=pool.admin, note="cracks were missed")
    DecisionOverruled.objects.create(decision=both, by=pool.admin, reason="one more")

    past = weeks(pool.project)
    before, now = (
        week_figures(pool.project, Span(each.start, past.zone), past).done for each in past.buckets[-2:]
    )
    assert (before.overruled, before.suspended, before.also_settled, before.returned) == (1, 0, 0, 1)
    assert (now.overruled, now.suspended, now.also_settled) == (1, len(kept) - 2, 1)
    assert (
        now.returned == now.suspended + now.also_settled
    )  # what was overruled after that had gone back already

    assert now.overruled + before.overruled == overruled_decisions(pool.project)
    told = Activity.objects.get(project=pool.project, kind="certificate_suspended").data
    assert now.suspended == told["photos"]
    slug = pool.project.slug
    rows = client_of(pool.admin).get(f"/api/v1/projects/{slug}/dashboard?by=week").json()["panels"]
    (table,) = (each["rows"] for each in rows if each["key"] == "decided")
    for bucket, row in zip((before, now), table[-2:], strict=True):
        assert {name: row[name] for name in ENDED} == {name: getattr(bucket, name) for name in ENDED}
    csv = client_of(pool.admin).get(f"/api/v1/projects/{slug}/dashboard/decided.csv?by=week")
    head = b"".join(csv.streaming_content).decode().splitlines()[0]  # type: ignore[attr-defined]
    assert "returned,overruled,suspended,also_settled" in head

    page = client_of(pool.admin).get(f"/p/{slug}/week", {"of": Span(past.buckets[-1].start, past.zone).name})
    text = page.content.decode()
    assert "1 decision was overruled." in text
    assert f"{len(kept) - 2} decisions went back to people with a suspended certificate." in text
    for name, label in ENDED.items():
        row = re.search(rf"<th scope=\"row\">{label}</th>(.*?)</tr>", text, re.S)
        assert row is not None
        cells = re.findall(r"<td class=\"num\">(\d+)</td>", row[1])
        assert cells == [str(getattr(now, name)), str(getattr(before, name))]
    assert Dispute.objects.filter(project=pool.project).count() == 0


def test_the_page_asks_as_often_whatever_there_is() -> None:
    counts = []
    for days in (25, 50):
        living = make_living(days=days, photos=4)
        client = client_of(living.admin)
        client.get(f"/p/{living.project.slug}/week")
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/p/{living.project.slug}/week")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 45
