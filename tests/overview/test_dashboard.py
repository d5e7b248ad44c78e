"""The dashboard's figures, against small cases counted by hand; its page, its files and what they cost."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from labeling.catalog.models import Item, LabelClass, Project
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import amend_guideline
from labeling.frontier.bands import BandState
from labeling.frontier.models import Certificate, CertificateEnd, DecisionOverruled
from labeling.frontier.picture import picture
from labeling.frontier.selectors import decided_alone
from labeling.frontier.services import decide
from labeling.monitors.models import MonitorReading
from labeling.monitors.readings.queue import queue_reading
from labeling.monitors.services import thresholds_of
from labeling.overview.dashboard import build as figures
from labeling.overview.dashboard.history import ANSWER_CAP_S, RULING_CAP_S, History, history
from labeling.overview.dashboard.panel import Column, Panel, Unit, rounded
from labeling.overview.dashboard.targets import lead, percent_exactly
from labeling.overview.dashboard.timeline import frames
from labeling.overview.dashboard.topics import most_changed
from labeling.people.models import User
from labeling.queue.selectors import progress
from labeling.truth.models import Annotation, Dispute, GroundTruth, Origin, Retraction, Ruling
from tests.factories import make_items, make_member, make_project
from tests.frontier.living import at, make_living
from tests.frontier.proving import certified_pool
from tests.frontier.test_picture import Scene

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday


class Days:
    """A project whose rows are made one by one, each at a time that a test names."""

    def __init__(self, photos: int = 6, **settings: Any) -> None:
        self.project = make_project(**settings)
        self.people = [make_member(self.project) for _ in range(3)]
        self.reviewers = [make_member(self.project, "reviewer") for _ in range(2)]
        self.items = make_items(self.project, photos)
        self.classes = {each.key: each for each in LabelClass.objects.filter(project=self.project)}
        self.guideline = current_guideline(self.project)

    def answer(
        self,
        when: datetime,
        item: Item,
        who: int,
        key: str = "functional",
        *,
        seconds: float = 5,
        **fields: Any,
    ) -> Annotation:
        kind = fields.pop("kind", "class")
        with at(when):
            return Annotation.objects.create(
                project=self.project,
                item=item,
                labeler=self.people[who],
                key=uuid4(),
                kind=kind,
                label_class=self.classes[key] if kind == "class" else None,
                reason="" if kind == "class" else "other",
                guideline=self.guideline,
                draw=fields.pop("draw", "rank"),
                view_ms=round(1000 * seconds),
                **fields,
            )

    def truth(self, when: datetime, item: Item, **fields: Any) -> GroundTruth:
        kind = fields.pop("kind", "class")
        with at(when):
            return GroundTruth.objects.create(
                project=self.project,
                item=item,
                kind=kind,
                label_class=self.classes["functional"] if kind == "class" else None,
                origin=fields.pop("origin", Origin.AGREEMENT),
                guideline=self.guideline,
                **fields,
            )

    def rule(self, when: datetime, item: Item, reviewer: int = 0) -> Ruling:
        with at(when):
            dispute = Dispute.objects.create(project=self.project, item=item, round=1, cause="disagreement")
            return Ruling.objects.create(
                dispute=dispute,
                reviewer=self.reviewers[reviewer],
                outcome="class",
                label_class=self.classes["functional"],
                guideline=self.guideline,
            )


def past(project: Project, by: str = "day", *, today: datetime = NOON + timedelta(days=2)) -> History:
    with at(today):
        return history(project, by)


# -- history -----------------------------------------------------------------------------------------------------


def test_answers_count_while_they_stand_and_their_time_always() -> None:
    days = Days()
    first, second = days.items[:2]
    days.answer(NOON, first, 0, seconds=10)
    taken_back = days.answer(NOON, first, 1, seconds=20)
    days.answer(NOON + timedelta(days=2), second, 0, seconds=10_000)  # left the screen
    days.answer(NOON + timedelta(days=2), second, 1, seconds=3, draw="gold")
    with at(NOON):
        Retraction.objects.create(annotation=taken_back, by=days.people[1])
    seen = past(days.project)
    assert [(each.start, each.answers, each.answer_s) for each in seen.buckets] == [
        (date(2026, 3, 2), 1, 30.0),
        (date(2026, 3, 3), 0, 0.0),
        (date(2026, 3, 4), 2, ANSWER_CAP_S + 3.0),
    ]
    assert [each.answers for each in seen.sums] == [1, 1, 3]
    assert seen.total.human == progress(days.project)["human_decisions"] == 3


def test_a_day_is_one_of_the_readers_time_zone() -> None:
    days = Days()
    late = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)  # one o'clock on the 3rd in Seoul
    days.answer(late, days.items[0], 0)
    days.truth(late, days.items[0])
    days.rule(late, days.items[1])
    for zone, day in (("UTC", date(2026, 3, 2)), ("Asia/Seoul", date(2026, 3, 3))):
        with timezone.override(zone):
            seen = past(days.project, today=late)
            assert seen.zone == zone
            assert [(b.start, b.answers, b.settled, b.rulings) for b in seen.buckets] == [(day, 1, 1, 1)]


def test_weeks_begin_on_monday_and_add_up_what_their_days_hold() -> None:
    days = Days()
    sunday = NOON - timedelta(days=1)
    days.answer(sunday, days.items[0], 0)
    days.answer(NOON, days.items[0], 1)
    days.answer(NOON + timedelta(days=6), days.items[1], 0)
    assert [(b.start.isoformat(), b.answers) for b in past(days.project, "week").buckets] == [
        ("2026-02-23", 1),
        ("2026-03-02", 2),
    ]
    assert [(b.start.isoformat(), b.answers) for b in past(days.project, "month").buckets] == [
        ("2026-03-01", 3)
    ]


def test_a_page_shows_the_newest_steps_and_still_sums_from_the_first() -> None:
    days = Days()
    days.answer(NOON - timedelta(days=300), days.items[0], 0)
    days.answer(NOON, days.items[1], 0)
    with at(NOON):
        seen = history(days.project, "day", newest=200)
    assert len(seen.buckets) == len(seen.sums) == 200
    assert seen.buckets[-1].start == NOON.date()
    assert [each.answers for each in (seen.buckets[0], seen.sums[0], seen.total)] == [0, 1, 2]


@pytest.mark.parametrize(("days_ago", "by"), [(3, "day"), (61, "day"), (62, "week"), (800, "month")])
def test_the_steps_of_time_keep_the_plots_readable(days_ago: int, by: str) -> None:
    days = Days()
    days.answer(NOON - timedelta(days=days_ago), days.items[0], 0)
    assert past(days.project, "", today=NOON).by == by


def test_a_photo_is_settled_once_whatever_is_said_of_it_later() -> None:
    days = Days()
    first, second, gold = days.items[:3]
    word = days.truth(NOON, first)
    days.truth(NOON + timedelta(days=1), first, supersedes=word, origin=Origin.RULING)
    other = days.truth(NOON, second, kind="hold")
    gone = days.truth(NOON + timedelta(days=1), second, kind="withdrawn", supersedes=other)
    days.truth(NOON + timedelta(days=2), second, supersedes=gone)
    days.truth(NOON, gold, origin=Origin.GOLD)
    seen = past(days.project)
    assert [(each.settled, each.unsettled) for each in seen.buckets] == [(2, 0), (0, 1), (1, 0)]
    assert [each.by_people for each in seen.sums] == [2, 1, 2]


def test_a_ruling_takes_the_time_since_the_same_persons_before() -> None:
    days = Days()
    for seconds, reviewer in ((0, 0), (30, 0), (40, 1), (45, 0), (100_000, 0)):
        days.rule(NOON + timedelta(seconds=seconds), days.items[0], reviewer)
    seen = past(days.project)
    # On the first day: the first of each reviewer at the cap, then 30 s and 15 s; the one on the next day at the cap.
    assert [(each.rulings, each.ruling_s) for each in seen.buckets] == [
        (4, 2 * RULING_CAP_S + 45.0),
        (1, float(RULING_CAP_S)),
        (0, 0.0),
    ]


def test_agreement_is_of_photos_with_two_standing_blind_answers() -> None:
    days = Days(classes=("functional", "defective", "scratched"))
    alike, apart, held, alone, gold, merged = days.items
    for item, first, second in ((alike, "functional", "functional"), (apart, "functional", "defective")):
        days.answer(NOON, item, 0, first)
        days.answer(NOON + timedelta(days=1), item, 1, second)
    days.answer(NOON, held, 0)
    days.answer(NOON, held, 1, kind="hold")
    days.answer(NOON, alone, 0)
    with at(NOON):
        Retraction.objects.create(annotation=days.answer(NOON, alone, 1), by=days.people[1])
    days.answer(NOON, gold, 0, draw="gold")
    days.answer(NOON, gold, 1, draw="gold")
    days.answer(NOON, gold, 2, draw="sweep")
    days.answer(NOON, alone, 2, draw="sweep")
    days.answer(NOON, merged, 0, "defective")
    days.answer(NOON, merged, 1, "scratched")
    assert [(each.compared, each.agreed) for each in past(days.project).buckets] == [(2, 0), (2, 1), (0, 0)]
    amend_guideline(
        project=days.project, by=days.project.created_by, note="One", merge={"scratched": "defective"}
    )
    assert [(each.compared, each.agreed) for each in past(days.project).buckets] == [(2, 1), (2, 1), (0, 0)]


def test_a_decision_counts_until_it_is_overruled_suspended_or_settled_by_people() -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.0)
    pool.work()
    decided = list(pool.project.automatic_decisions.filter(mode="on").order_by("id"))
    before = history(pool.project).total
    assert before.by_machine == len(decided) == decided_alone(pool.project) > 20
    DecisionOverruled.objects.create(decision=decided[0], by=pool.admin, reason="a crack")
    pool.settle(decided[1].item)
    assert history(pool.project).total.by_machine == decided_alone(pool.project) == len(decided) - 2
    certificate = decided[2].certificate
    CertificateEnd.objects.create(certificate=certificate, kind="suspended", reason="admin")
    after = history(pool.project).total
    assert after.by_machine == decided_alone(pool.project)
    assert after.by_machine == sum(each.certificate_id != certificate.pk for each in decided[2:])
    assert after.by_people == before.by_people + 1
    assert after.images == after.by_people + after.by_machine


# -- findings ----------------------------------------------------------------------------------------------------


def test_images_per_decision_and_hours_are_what_one_counts_by_hand() -> None:
    pool = certified_pool()  # 200 photos settled, no answers behind them
    pool.policy(mode="on", audit_share=0.0)
    people = [make_member(pool.project) for _ in range(2)]
    guideline = current_guideline(pool.project)
    settled = [
        truth.item for truth in GroundTruth.objects.filter(project=pool.project).select_related("item")
    ]
    Annotation.objects.bulk_create(
        [
            Annotation(
                project=pool.project,
                item=item,
                labeler=person,
                key=uuid4(),
                kind="class",
                label_class=pool.classes["functional"],
                guideline=guideline,
                draw="audit",
                view_ms=9_000,
            )
            for item in settled
            for person in people
        ]
    )
    decide(project=pool.project)
    machine = decided_alone(pool.project)
    head = figures.dashboard(pool.project).headline
    assert (head.images, head.by_people, head.by_machine) == (200 + machine, 200, machine)
    assert head.human_decisions == 400
    assert head.per_decision == pytest.approx((200 + machine) / 400)
    assert head.all_human == pytest.approx(0.5)
    assert head.times == pytest.approx((200 + machine) / 200)
    assert head.hours == pytest.approx(1.0)
    assert head.hours_per_1000 == pytest.approx(1000 / (200 + machine))
    assert head.hours_per_1000_all_human == pytest.approx(5.0)
    assert head.certified > 0
    panel = figures.panel(pool.project, "hours")
    assert panel.rows[-1]["all_human"] == pytest.approx((200 + machine) / 200)
    assert figures.panel(pool.project, "per-decision").rows[-1]["so_far"] == head.per_decision
    assert f"×{(200 + machine) / 200:.1f}" in figures.panel(pool.project, "per-decision").title


def test_the_four_figures_and_what_they_are_held_against_are_what_one_counts_by_hand() -> None:
    living = make_living(days=60, photos=4)
    living.score_the_rest()
    project = living.project
    Project.objects.filter(pk=project.pk).update(target_per_decision=0.9, hourly_cost=20_000, currency="₩")
    project.refresh_from_db()
    seen = figures.dashboard(project)
    found = lead(project, seen.total, seen.headline.precision)
    answers = list(Annotation.objects.filter(project=project).values_list("view_ms", flat=True))
    rulings = Ruling.objects.filter(dispute__project=project).count()
    truths = GroundTruth.objects.filter(project=project).count()
    images = truths + decided_alone(project)
    human = len(answers) + rulings
    assert found.efficiency.per_decision == pytest.approx(images / human) == seen.headline.per_decision
    assert found.efficiency.people == pytest.approx(truths / human)
    assert found.efficiency.met is (images / human >= 0.9)
    spent = seen.headline.hours
    assert spent >= sum(min(each, 1000 * ANSWER_CAP_S) for each in answers) / 3_600_000
    assert found.hours.saved == pytest.approx(spent * images / truths - spent)
    assert found.hours.saved_at_target == pytest.approx(
        spent * images / truths - images / 0.9 * spent / human
    )
    assert found.hours.cost_saved == f"{round(20_000 * (spent * images / truths - spent)):,} ₩"
    standing = Certificate.objects.in_force().filter(project=project)
    assert found.proof.of == len(standing) == 1
    assert found.proof.certificate == standing[0]
    assert (found.proof.name, found.proof.promised) == ("Functional", standing[0].precision)
    page = client_of(living.admin).get(f"/p/{project.slug}/dashboard").content.decode()
    assert found.hours.cost_spent in page
    assert found.proof.bound in page
    # The other class has none: that the one is as promised is no target met.
    assert found.proof.classes == 2 and found.proof.met is None
    assert "1 of 2 classes certified" in " ".join(page.split())
    assert "Set a cost per hour" not in page


def test_the_oldest_photo_that_waits_is_the_one_that_the_monitor_reads() -> None:
    living = make_living(days=30, photos=6)
    living.score_the_rest()
    reading = queue_reading(living.project, thresholds_of(living.project))
    waiting = lead(living.project, figures.dashboard(living.project).total, 0.98).queue
    assert reading.value is not None
    assert waiting.days == pytest.approx(reading.value, abs=0.01)
    assert waiting.target_days == reading.threshold


def test_without_certificate_cost_or_target_the_figures_say_what_is_missing() -> None:
    project = make_project()
    found = lead(project, figures.dashboard(project).total, 0.98)
    assert (found.proof.certificate, found.proof.met, found.proof.wish) == (None, None, "98\u00a0%")
    assert (found.hours.saved, found.hours.cost_spent, found.efficiency.met) == (None, "", None)
    assert found.queue.met
    days = Days()
    days.answer(NOON, days.items[0], 0)
    admin, viewer = (
        client_of(each) for each in (days.project.created_by, make_member(days.project, "viewer"))
    )
    address = f"/p/{days.project.slug}/dashboard"
    assert "Set a cost per hour in Settings" in admin.get(address).content.decode()
    assert "No cost per hour is set" in viewer.get(address).content.decode()


def test_a_bound_is_told_rounded_down() -> None:
    assert [percent_exactly(each) for each in (0.98139, 0.9999, 0.98)] == [
        "98.13\u00a0%",
        "99.99\u00a0%",
        "98\u00a0%",
    ]


# -- which plot leads --------------------------------------------------------------------------------------------


def a_panel(key: str, *course: tuple[date | datetime, float | None]) -> Panel:
    unit: Unit = "moment" if isinstance(course[0][0], datetime) else "day"
    return Panel(
        key, key, "", (Column("since", "When", unit),), [{"since": at} for at, _value in course],
        course=[value for _at, value in course],
    )  # fmt: skip


def test_the_plot_that_changed_most_in_seven_days_leads_in_proportion() -> None:
    today = timezone.localdate()

    def ago(days: int) -> date:
        return today - timedelta(days=days)

    hours = a_panel("hours", (ago(9), 40.0), (ago(7), 20.0), (ago(1), 19.0), (today, 18.0))
    share = a_panel("decided", (ago(8), 0.1), (ago(2), 0.1), (today, 0.15))
    young = a_panel("agreement", (ago(3), 0.1), (today, 0.9))
    change = most_changed([hours, share, young])
    assert change is not None
    assert (change.panel, change.before, change.now, change.since) == (share, 0.1, 0.15, ago(8))
    assert change.share == pytest.approx(1 / 3)
    stood = timezone.now() - timedelta(days=30)
    assert most_changed([a_panel("frontier", (stood, 0.4))]) is None
    moved = a_panel("frontier", (stood, 0.4), (timezone.now() - timedelta(days=1), 0.0))
    change = most_changed([share, moved])
    assert change is not None and (change.panel, change.before, change.share) == (moved, 0.4, 1.0)


def test_the_page_shows_the_plot_that_changed_most_before_all_others_and_each_once() -> None:
    living = make_living(days=60, photos=4)
    change = most_changed(figures.dashboard(living.project, newest=200).panels)
    assert change is not None
    page = client_of(living.admin).get(f"/p/{living.project.slug}/dashboard").content.decode()
    order = [key for _at, key in sorted((page.index(f'id="{key}"'), key) for key in figures.PANELS)]
    assert order[0] == change.panel.key
    assert {key: page.count(f' id="{key}"') for key in figures.PANELS} == dict.fromkeys(figures.PANELS, 1)
    assert escape(change.says) in page


def test_on_the_first_day_a_plot_says_from_when_it_is_one() -> None:
    days = Days()
    today = timezone.now()
    days.answer(today, days.items[0], 0)
    days.answer(today, days.items[0], 1)
    days.truth(today, days.items[0])
    panel = figures.panel(days.project, "per-decision", by="day")
    assert panel.rows and panel.plot is None
    address = f"/p/{days.project.slug}/dashboard"
    page = client_of(days.project.created_by).get(address, {"by": "day"}).content.decode()
    assert "One point so far. The plot begins tomorrow: images per human decision." in page
    assert 'data-plot="' not in page
    days.answer(today - timedelta(days=1), days.items[1], 0)
    days.truth(today - timedelta(days=1), days.items[1])
    page = client_of(days.project.created_by).get(address, {"by": "day"}).content.decode()
    assert 'data-plot="per-decision"' in page


def test_an_empty_project_has_panels_that_teach_and_no_figure() -> None:
    project = make_project()
    seen = figures.dashboard(project)
    assert not seen.started
    assert seen.headline.images == 0
    assert seen.headline.per_decision is None
    assert seen.headline.times is None
    assert all(panel.empty and not panel.rows for panel in seen.panels)
    assert tuple(panel.key for panel in seen.panels) == figures.PANELS


def test_confusion_names_the_most_frequent_mistake_and_shows_its_photos() -> None:
    living = make_living(days=30, photos=6)
    panel = figures.panel(living.project, "confusion")
    assert living.model is not None
    matrix = living.model.metrics["cross_validated"]["confusion"]
    assert [row["photos"] for row in panel.rows] == [n for counts in matrix for n in counts]
    assert panel.grid is not None
    wrong = max((matrix[0][1], 0, 1), (matrix[1][0], 1, 0))
    assert panel.grid.worst is not None
    assert panel.grid.worst.count == wrong[0]
    assert len(panel.grid.photos) == min(wrong[0], 6)


def test_drift_shows_the_newest_looks_and_names_what_alerts() -> None:
    project = make_project()
    for moment, p_value, state in ((0, 0.4, "ok"), (1, 0.001, "alert")):
        with at(NOON + timedelta(days=moment)):
            MonitorReading.objects.create(
                project=project,
                monitor="embeddings",
                state=state,
                value=0.5,
                p_value=p_value,
                threshold=0.005,
                evidence=str(moment),
            )
    panel = figures.panel(project, "drift")
    assert [row["p_value"] for row in panel.rows] == [0.4, 0.001]
    assert panel.title == "New photos look different: Drift of the photos"


# -- how the frontier moved --------------------------------------------------------------------------------------


def test_the_frontier_is_drawn_as_it_stood_after_each_thing_that_moved_it() -> None:
    living = make_living(days=60, photos=4)
    moments = frames(living.project)
    said = ["; ".join(frame.says) for frame in moments]
    assert said == [
        "version 1 promoted",
        "band 2 opened",
        "version 2 promoted",
        "band 3 opened",
        "Functional certified for 25\u00a0%",
        "the machine decides",
        "version 3 promoted; certificate of Functional void: another model",
        "Functional certified for 45\u00a0%; Defective certified for 30\u00a0%",
        "band 4 opened",
        "Defective suspended",
    ]
    certified = [round(frame.certified, 3) for frame in moments]
    assert certified == [0, 0, 0, 0, 0.175, 0.175, 0, 0.405, 0.405, 0.315]
    functional = moments[4].ladders[0]
    assert functional.bands == [BandState.CERTIFIED, BandState.SETTLED, BandState.OPEN, BandState.CLOSED]
    assert [frame.open for frame in moments][-3:] == [3, 4, 4]
    settled = [each.ladders[1].bands[0] for each in moments if each.ladders]
    assert settled[:2] == [BandState.OPEN, BandState.SETTLED], "version 1 saw it settle"
    assert settled[2] == BandState.PASSED, "where version 2 put its photos is not known any more"
    assert moments[-1].mode == "on"


def test_the_last_frame_is_the_frontier_picture() -> None:
    living = make_living(days=60, photos=4)
    living.score_the_rest(60)
    (line,) = picture(living.project).lines
    assert frames(living.project)[-1].lines == [[band.state for band in line.bands]]


def test_more_than_two_classes_are_stacked_ladders_on_the_page() -> None:
    scene = Scene("passed", "washed", "dirty")
    moment = frames(scene.project)[-1]
    assert [ladder.key for ladder in moment.ladders] == ["passed", "washed", "dirty"]
    assert moment.lines == [[BandState.PASSED, BandState.OPEN, BandState.CLOSED]] * 3
    page = client_of(scene.project.created_by).get(f"/p/{scene.project.slug}/dashboard").content.decode()
    assert page.count("data-line>") == 3
    assert "passed open closed|passed open closed|passed open closed" in page


def test_a_band_that_is_open_again_is_told_and_drawn() -> None:
    living = make_living(days=60, photos=4)
    living.open_band(1)
    moment = frames(living.project)[-1]
    assert moment.says == ["back to band 2"]
    assert moment.open == 2


def test_a_real_certificate_is_a_moment_with_the_share_that_it_covers() -> None:
    pool = certified_pool()
    moment = frames(pool.project)[-1]
    covered = {each.label_class.name: each.coverage for each in _named(pool.project)}
    assert covered
    for name, share in covered.items():
        assert any(text == f"{name} certified for {100 * share:.0f}\u00a0%" for text in moment.says)


def _named(project: Project) -> list[Any]:
    found = list(Certificate.objects.in_force().filter(project=project).select_related("label_class"))
    for each in found:
        each.label_class.name = each.label_class.key.capitalize()
    return found


def test_figures_are_rounded_and_not_cut_off() -> None:
    assert rounded(0.456, 2) == "0.46"
    assert rounded(1234.5678, 1) == "1,234.6"


# -- the page, the API and files ---------------------------------------------------------------------------------


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_reviewers_see_it_labelers_do_not_and_strangers_learn_nothing() -> None:
    project = make_project()
    for user, status in (
        (project.created_by, 200),
        (make_member(project, "reviewer"), 200),
        (make_member(project), 403),
        (make_project().created_by, 404),
    ):
        assert client_of(user).get(f"/p/{project.slug}/dashboard").status_code == status
        assert client_of(user).get(f"/api/v1/projects/{project.slug}/dashboard").status_code == status


def test_a_reviewer_gets_no_link_to_pages_that_are_the_admins() -> None:
    living = make_living(days=30, photos=6)
    address, models = f"/p/{living.project.slug}/dashboard", f"/p/{living.project.slug}/models/"
    assert models in client_of(living.admin).get(address).content.decode()
    assert models not in client_of(living.reviewer).get(address).content.decode()


def test_page_api_and_file_tell_the_same_figures() -> None:
    living = make_living(days=20, photos=4)
    client = client_of(living.admin)
    api = f"/api/v1/projects/{living.project.slug}/dashboard"
    told = client.get(api, {"by": "day"}).json()
    assert (told["by"], told["time_zone"]) == ("day", "UTC")
    for panel in told["panels"]:
        response = client.get(f"{api}/{panel['key']}.csv", {"by": "day"})
        assert isinstance(response, StreamingHttpResponse)
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"] == (
            f'attachment; filename="{living.project.slug}-{panel["key"]}.csv"'
        )
        rows = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
        assert len(rows) == len(panel["rows"])
        names = [column["name"] for column in panel["columns"]]
        for line, row in zip(rows, panel["rows"], strict=True):
            assert list(line) == names
            for name in names:
                if isinstance(row[name], int | float):
                    assert float(line[name]) == pytest.approx(row[name])
    decided = next(panel for panel in told["panels"] if panel["key"] == "decided")
    page = client.get(f"/p/{living.project.slug}/dashboard?by=day").content.decode()
    assert decided["title"] in page
    assert (
        sum(row["people"] for row in decided["rows"]) == told["headline"]["by_people"] == len(living.settled)
    )


def test_a_name_that_a_spreadsheet_would_run_is_only_text() -> None:
    living = make_living(days=20, photos=4)
    amend_guideline(project=living.project, by=living.admin, note="A formula", rename={"functional": "=1+1"})
    response = client_of(living.admin).get(f"/api/v1/projects/{living.project.slug}/dashboard/confusion.csv")
    assert isinstance(response, StreamingHttpResponse)
    assert response.getvalue().decode().splitlines()[1].startswith("'=1+1,'=1+1,")


def test_what_is_asked_wrongly_is_told() -> None:
    project = make_project()
    client = client_of(project.created_by)
    api = f"/api/v1/projects/{project.slug}/dashboard"
    assert client.get(api, {"by": "hour"}).status_code == 422
    assert client.get(f"{api}/nonsense.csv").status_code == 404
    assert client.get(api, {"every": "day"}).status_code == 400
    assert client.get(f"/p/{project.slug}/dashboard?by=hour").status_code == 200


def test_the_page_asks_as_often_whatever_there_is() -> None:
    counts = []
    for days in (25, 50):
        living = make_living(days=days, photos=4)
        client = client_of(living.admin)
        address = f"/p/{living.project.slug}/dashboard"
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(address).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 55
