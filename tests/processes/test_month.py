"""The demo's second project: a month of simulated work by the real services, and whether its figures are true.

The photos are the package's. What the network makes of them is made up here and laid into the store beforehand: two classes
that lie apart, cables that look like defects, dim photos that lie elsewhere. So a small month tells its whole story within a
test's time; that the real network tells it, too, only a run of ``manage.py demo`` shows.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

import labeling.catalog.tasks
import labeling.explorer.tasks
import labeling.frontier.tasks
import labeling.gateway.tasks
import labeling.learning.tasks
import labeling.monitors.tasks
import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from inference import backbones
from labeling.catalog.elpv import Cell, elpv_cells
from labeling.catalog.models import Activity, Item, Project
from labeling.frontier.models import AuditWatch, AutomaticDecision, Certificate, CertificateEnd
from labeling.frontier.services import in_force
from labeling.gateway.demo import crew, deliveries, month
from labeling.gateway.demo.clock import set_back
from labeling.gateway.demo.people import probability
from labeling.gateway.management.commands.demo import PEOPLE, _accounts
from labeling.gateway.serving import Address
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.learning.compute.stores import store_of
from labeling.learning.models import ModelVersion, Promotion
from labeling.monitors.models import MonitorAlert
from labeling.people.models import User
from labeling.queue.models import BandOpening
from labeling.truth.models import Annotation, Dispute, GroundTruth
from tests.kept import made_once

pytestmark = pytest.mark.django_db
SMALL = month.Sizes(
    first=800,
    cabled=40,
    more=55,
    usual=80,
    dim=60,
    sample=170,
    planned=130,
    early=80,
    answers_at_first=30,
    answers=24,
    in_a_hurry=150,
)


@cache
def looks() -> tuple[list[str], np.ndarray]:
    """Hashes of all photos that come, and their embeddings."""
    dice = np.random.default_rng(7)
    dim = backbones.load("efficientnet_lite0").dim
    hashes, rows = [], []
    lots = deliveries.deliveries(SMALL)
    known = {cell.path for lot in lots.values() for cell in lot}
    rest = [cell for cell in elpv_cells() if cell.path not in known]
    for lot, cells in [*lots.items(), ("rest", rest)]:
        for cell in cells:
            data = deliveries.photo_of(cell, lot)
            row = dice.normal(size=dim)
            row[:40] += 3.0 * (seems(cell, lot) - 0.5)
            row[100:140] += 3.0 * (lot == "dim")
            hashes.append(hashlib.sha256(data).hexdigest())
            rows.append(row)
    return hashes, np.array(rows, dtype=np.float32)


def seems(cell: Cell, lot: str) -> float:
    return 1.5 if lot == "cabled" else float(cell.probability > 0.5)


@made_once
def make_month() -> Project:
    """All of its days, as the worker does them one after the other."""
    hashes, rows = looks()
    store_of(backbones.load("efficientnet_lite0")).append(hashes, rows)
    _accounts(Address("127.0.0.1", 8000))
    job = month.begin(by=User.objects.get(username="admin1"), members=PEOPLE, sizes=SMALL)
    while job is not None and job.is_live:
        runner.run(job.pk)
        job.refresh_from_db()
        assert job.state == JobState.SUCCEEDED, job.error + job.trace
        job = month.COURSE.newest_day()
    return Project.objects.get(slug=month.SLUG)


@pytest.fixture
def project(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Project:
    settings.ADAPT_AFTER = 0
    for name in ("MODELS_DIR", "EMBEDDINGS_DIR", "BACKBONES_DIR"):
        setattr(settings, name, tmp_path_factory.mktemp(name))
    return make_month()


def exported(name: str) -> list[dict[str, Any]]:
    client = Client()
    client.force_login(User.objects.get(username="admin1"))
    response = client.get(f"/api/v1/projects/{month.SLUG}/export/{name}.jsonl")
    assert response.status_code == 200
    return [json.loads(line) for line in b"".join(response).decode().splitlines()]


def told(endpoint: str) -> Any:
    client = Client()
    client.force_login(User.objects.get(username="admin1"))
    return client.get(f"/api/v1/projects/{month.SLUG}/{endpoint}").json()


def test_the_month_has_everything_that_a_visitor_should_see(project: Project) -> None:
    first = Certificate.objects.order_by("pk")[0]
    (began,) = Activity.objects.filter(project=project, kind="project_created").values_list("at", flat=True)
    assert first.created_at - began < timedelta(days=13)

    end = CertificateEnd.objects.get(kind="suspended")
    assert end.certificate.label_class.key == "defective" and end.reason == "audit"
    assert end.figures["errors"] > 0.15 * end.figures["audited"], end.figures
    assert end.by is None, "the watch did it, not a person"
    suspended = AutomaticDecision.objects.filter(certificate=end.certificate)
    assert suspended.filter(item__source="Line 2, camera 3").count() >= 10

    assert [each.label_class.key for each in in_force(project)] == ["functional"]
    decided = AutomaticDecision.objects.standing().filter(project=project, label_class__key="functional")
    assert decided.count() >= 100 and told("frontier")["decided"] >= 80

    numbers = [each.model_version.number for each in Promotion.objects.order_by("pk")]
    assert numbers == [1, 2, 1, 3], "promotions, and one roll-back"
    assert ModelVersion.objects.filter(project=project, number=4).exists(), "one that waits to be promoted"
    assert BandOpening.objects.filter(project=project).exists()
    assert 3 <= Dispute.objects.open().filter(project=project).count() <= 16
    assert "embeddings" in {alert.monitor for alert in MonitorAlert.objects.open().filter(project=project)}
    assert not Job.objects.of_project(project.pk).filter(state=JobState.FAILED).exists()
    assert "simulated" in project.name and "made up" in project.description


def test_it_lies_in_the_past_and_in_order(project: Project) -> None:
    now = timezone.now()
    for rows, name in (
        (Annotation.objects.order_by("pk"), "created_at"),
        (GroundTruth.objects.order_by("pk"), "created_at"),
        (Activity.objects.filter(project=project).order_by("pk"), "at"),
        (AutomaticDecision.objects.order_by("pk"), "created_at"),
        (ModelVersion.objects.order_by("pk"), "created_at"),
    ):
        dates = list(rows.values_list(name, flat=True))
        assert dates == sorted(dates) and dates[-1] <= now, rows.model
    first = Annotation.objects.order_by("pk")[0].created_at
    assert timedelta(days=28) < now - first < timedelta(days=31)
    days = {each.date() for each in Annotation.objects.values_list("created_at", flat=True)}
    assert len(days) >= 28
    drawn = Item.objects.filter(project=project, audit_drawn_at__isnull=False)
    assert max(drawn.values_list("audit_drawn_at", flat=True)) <= now
    assert min(drawn.values_list("audit_drawn_at", flat=True)) < now - timedelta(days=20)


def test_its_figures_are_those_of_the_export(project: Project) -> None:
    """What was decided by machine, and how often that is right: by the experts, by the audit, and on the pages."""
    rows = exported("decisions")
    standing = [row for row in rows if row["mode"] == "on" and row["standing"] and not row["settled_as"]]
    assert told("dashboard")["headline"]["by_machine"] == told("frontier")["decided"] == len(standing)
    assert sum(row["mode"] == "on" for row in rows) == AutomaticDecision.objects.count() >= 50

    # But for cells behind the cables the certificates were true by the experts, too.
    early = AutomaticDecision.objects.exclude(item__source="Line 2, camera 3").select_related(
        "item", "label_class", "certificate"
    )
    right = [(probability(each.item) > 0.5) == (each.label_class.key == "defective") for each in early]
    assert np.mean(right) >= max(each.certificate.precision for each in early)

    truths = {row["sha256"]: row["class_now"] for row in exported("ground-truths") if row["in_force"]}
    drawn = set(AutomaticDecision.objects.filter(audit=True).values_list("pk", flat=True))
    for watch in AuditWatch.objects.select_related("model_version", "label_class"):
        of_it = (watch.model_version.number, watch.label_class.key)
        audited = [row for row in rows if row["id"] in drawn and (row["model"], row["class"]) == of_it]
        settled = [row for row in audited if row["sha256"] in truths]
        wrong = sum(truths[row["sha256"]] != row["class"] for row in settled)
        assert (watch.n, watch.errors) == (len(settled), wrong) and watch.n > 10, of_it


def test_answers_are_drawn_by_the_experts_probabilities(project: Project) -> None:
    said = Counter()
    for answer in Annotation.objects.filter(kind="class").select_related("item", "label_class"):
        said[probability(answer.item), answer.label_class.key] += 1
    for sure, low, high in ((0.0, 0.0, 0.04), (1.0, 0.96, 1.0)):
        defective, all_of = said[sure, "defective"], said[sure, "defective"] + said[sure, "functional"]
        assert all_of > 100 and low <= defective / all_of <= high


def test_a_visitor_sees_that_it_is_simulated(project: Project) -> None:
    client = Client()
    client.force_login(User.objects.get(username="labeler1"))
    page = client.get(f"/p/{month.SLUG}/")
    assert "people and dates are made up" in page.content.decode()


def test_a_second_start_changes_nothing_and_a_failed_day_is_tried_again(project: Project) -> None:
    admin = User.objects.get(username="admin1")
    before = Job.objects.count()
    assert month.COURSE.is_over() and month.begin(by=admin, members=PEOPLE) is None
    assert Job.objects.count() == before
    last = month.COURSE.newest_day()
    assert last is not None
    Job.objects.filter(pk=last.pk).update(state=JobState.FAILED, error="no disk")
    assert not month.COURSE.is_over()
    again = month.begin(by=admin, members=PEOPLE)
    assert again is not None and again.args == last.args and again.is_live
    answers, versions = Annotation.objects.count(), ModelVersion.objects.count()
    runner.run(again.pk)
    again.refresh_from_db()
    assert again.state == JobState.SUCCEEDED, again.error + again.trace
    assert month.COURSE.is_over()
    assert Annotation.objects.count() > answers, "people worked on"
    assert ModelVersion.objects.count() == versions, "and what was done was not done again"


def test_the_crew_goes_on_by_the_real_clock(project: Project) -> None:
    assert month.deliver(project, 3) == 3
    people = crew.crew(project, random.Random(1), think=lambda _seconds: None)
    assert {person.username for person in [*people.labelers, *people.reviewers]} == set(crew.SIMULATED)
    before = timezone.now()
    assert sum(people.answer(person) for person in people.labelers) == 2
    assert Annotation.objects.filter(project=project, created_at__gte=before).count() == 2
    open_now = Dispute.objects.open().filter(project=project).count()
    assert people.rule(leave=2) == max(open_now - 2, 0)


def test_the_clock_is_set_back_only_within_and_never_runs_ahead() -> None:
    real = timezone.now()
    with set_back(real - timedelta(days=3)) as clock:
        assert real - timedelta(days=3) <= timezone.now() < real - timedelta(days=2)
        clock.wait(3600)
        assert timezone.now() >= real - timedelta(days=3) + timedelta(hours=1)
        before = timezone.now()
        clock.go_to(real - timedelta(days=9))
        assert timezone.now() >= before, "never back again"
        clock.wait(86_400 * 30)
        assert timezone.now() <= real + timedelta(minutes=5)
    assert timezone.now() >= real
