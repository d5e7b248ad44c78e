"""One example of every kind of event, by the service that people or workers call. A new kind needs one here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import labeling.catalog.tasks
import labeling.erasure.tasks
import labeling.frontier.tasks  # noqa: F401 - registers the handlers, as a worker does
from labeling.catalog.models import Item, Project
from labeling.catalog.services import start_intake
from labeling.erasure.services import ask
from labeling.frontier.services import in_force, suspend
from labeling.inspections.models import Inspection
from labeling.inspections.services import overrule
from labeling.inspections.tasks import look_again
from labeling.jobs import runner
from labeling.jobs.models import Job
from labeling.learning.services import promote
from labeling.monitors.models import Monitor, ReadingState
from labeling.monitors.reading import Reading
from labeling.monitors.services import record
from labeling.notify.weeks import tell_weeks
from labeling.people.models import User
from labeling.queue import pace
from labeling.queue.models import BandOpening
from labeling.truth import services as truth
from labeling.truth.models import Annotation, Dispute
from tests.factories import make_items, make_member, make_project, photo_bytes
from tests.frontier.proving import Pool, certified_pool, make_pool
from tests.inspections.made import Washes, work

#: The project, or ``None`` where only the whole site hears it; what makes it happen; how many events that are.
Act = tuple[Project | None, Callable[[], object], int]
EXAMPLES: dict[str, list[Callable[[], Act]]] = {}


def example(kind: str) -> Callable[[Callable[[], Act]], Callable[[], Act]]:
    def keep(make: Callable[[], Act]) -> Callable[[], Act]:
        EXAMPLES.setdefault(kind, []).append(make)
        return make

    return keep


def answer(
    project: Project, item: Item, labeler: User, key: str = "functional", draw: str = "rank"
) -> Annotation:
    return truth.record_answer(
        project=project,
        labeler=labeler,
        key=uuid4(),
        answer=truth.Answer("class", class_key=key),
        viewing=truth.Viewing(item_id=item.pk, round=1, draw=draw, context={}, view_ms=1500),
    )


def two_answers(second: str) -> tuple[Project, Item, User, Callable[[], Annotation]]:
    """A photo with one answer, and the second person's, which is still to come."""
    project = make_project()
    [item] = make_items(project, 1)
    ann, bob = make_member(project), make_member(project)
    answer(project, item, ann)
    return project, item, bob, lambda: answer(project, item, bob, second)


@example("photo.decided")
def people_agree() -> Act:
    project, _item, _bob, say = two_answers("functional")
    return project, say, 1


@example("photo.decided")
def machine_decides() -> Act:
    """Of what is inside the frontier, all but what an audit drew."""
    pool = certified_pool()
    before = pool.project.automatic_decisions.count()
    assert before == 0
    pool.new_photos(3)

    def decide() -> None:
        pool.policy(mode="on", audit_share=0.0)
        pool.work()

    return pool.project, decide, -1


@example("photo.reopened")
def an_answer_is_taken_back() -> Act:
    project, _item, bob, say = two_answers("functional")
    given = say()
    return project, lambda: truth.retract_answer(project=project, labeler=bob, key=given.key), 1


@example("dispute.opened")
def people_differ() -> Act:
    project, _item, _bob, say = two_answers("defective")
    return project, say, 1


@example("dispute.ruled")
def a_reviewer_rules() -> Act:
    project, item, _bob, say = two_answers("defective")
    say()
    dispute, reviewer = Dispute.objects.get(item=item), make_member(project, "reviewer")

    def rule() -> None:
        truth.rule(
            project=project, dispute_id=dispute.pk, reviewer=reviewer, outcome="class", class_key="defective"
        )

    return project, rule, 1


@example("band.settled")
def the_pace_goes_on() -> Act:
    pool = make_pool(20)
    return pool.project, lambda: pace.go_on(pool.project, BandOpening.Cause.PACE), 1


def _sampled() -> Pool:
    pool = make_pool()
    pool.policy(precision=0.9, planned_labels=180)
    pool.settle_all(pool.wrong_below(0.2, pool.draw(200)))
    return pool


@example("certificate.issued")
def it_is_certified() -> Act:
    pool = _sampled()
    return pool.project, pool.work, -1


@example("certificate.suspended")
def an_admin_suspends() -> Act:
    pool = certified_pool()
    certificate = next(iter(in_force(pool.project)))
    return pool.project, lambda: suspend(certificate=certificate, by=pool.admin, note="Doubt"), 1


@example("version.trained")
def a_version_is_made() -> Act:
    """A training itself takes a store of vectors; the row that it ends with is what is heard."""
    pool = make_pool(20)
    return pool.project, lambda: pool.train([]), 1


@example("version.promoted")
def an_admin_promotes() -> Act:
    pool = make_pool(20)
    first = pool.model
    pool.train([])
    return pool.project, lambda: promote(model_version=first, by=pool.admin), 1


def _reading(state: ReadingState, value: float) -> Reading:
    return Reading(
        Monitor.AGREEMENT, state, f"made up {value}", value=value, low=0.3, high=0.9, threshold=0.7
    )


@example("monitor.alerted")
def agreement_falls() -> Act:
    project = make_project()
    return project, lambda: record(project=project, readings=[_reading(ReadingState.ALERT, 0.4)]), 1


@example("monitor.ended")
def agreement_is_fine_again() -> Act:
    project = make_project()
    record(project=project, readings=[_reading(ReadingState.ALERT, 0.4)])
    return project, lambda: record(project=project, readings=[_reading(ReadingState.OK, 0.8)]), 1


@example("inspection.decided")
def a_clerk_overrules() -> Act:
    """Its protocol asks two projects, so neither's admins are told."""
    washes = Washes()
    inspection = washes.inspect()

    def decide() -> None:
        overrule(inspection=inspection, by=washes.admin, outcome="passed", reason="Seen on site")

    return None, decide, 1


@example("inspection.overdue")
def nobody_answers_in_time() -> Act:
    washes = Washes()
    inspection = washes.inspect()
    Inspection.objects.filter(pk=inspection.pk).update(submitted_at=timezone.now() - timedelta(hours=3))
    work()
    washes.protocol.settle_within_hours = 2
    washes.protocol.save(update_fields=["settle_within_hours"])

    def look() -> None:
        for _hour in range(2):
            look_again(timestamp=0)

    return None, look, 1


@example("intake.finished")
def photos_come_in() -> Act:
    project = make_project()
    files = [SimpleUploadedFile("a.png", photo_bytes(1))]
    _batch, job = start_intake(project=project, by=project.created_by, kind="upload", files=files)
    return project, lambda: runner.run(job.pk), 1


@example("export.finished")
def answers_are_taken() -> Act:
    project = make_project()
    client = Client()
    client.force_login(project.created_by)

    def take() -> None:
        address = reverse("api-export", args=[project.slug, "annotations", "csv"])
        assert client.get(address).status_code == 200

    return project, take, 1


@example("labeler.paused")
def gold_is_missed() -> Act:
    project = make_project(gold_window=2, gold_bar=0.8)
    ann, golds = make_member(project), make_items(project, 2)
    for each in golds:
        truth.add_gold(project=project, item=each, class_key="functional", by=project.created_by)
    answer(project, golds[0], ann, "defective", draw="gold")
    return project, lambda: answer(project, golds[1], ann, "defective", draw="gold"), 1


def erase(project: Project, item: Item) -> None:
    """For good, as a worker does."""
    erasure = ask(
        project=project, by=project.created_by, days=0, scope="photos", item_ids=[item.pk], reason="A wish"
    )
    for job in Job.objects.filter(kind="erase", args__erasure=str(erasure.pk), state="queued"):
        runner.run(job.pk)


@example("erasure.finished")
def photos_are_erased() -> Act:
    project = make_project()
    [item] = make_items(project, 1)
    return project, lambda: erase(project, item), 1


@example("week.over")
def monday_comes() -> Act:
    project = make_project()
    Project.objects.filter(pk=project.pk).update(created_at=timezone.now() - timedelta(days=30))
    return project, tell_weeks, 1
