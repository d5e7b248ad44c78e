"""Monitors say that something changed, name the photos, alert once, and close by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.utils import ProgrammingError
from django.test import Client
from django.utils import timezone

from labeling.catalog.models import Activity
from labeling.jobs.models import Job, JobState
from labeling.learning import services
from labeling.learning.models import ModelVersion
from labeling.monitors.models import (
    AlertAcknowledgement,
    AlertClosing,
    Monitor,
    MonitorAlert,
    MonitorReading,
    MonitorThresholds,
    ReadingState,
)
from labeling.monitors.reading import Reading
from labeling.monitors.services import is_due, record, request_monitoring, set_thresholds, thresholds_of
from labeling.monitors.tasks import monitor_projects
from labeling.overview.diary import diary
from labeling.refusals import Refused
from tests.factories import make_member, make_project, make_user
from tests.frontier.stream import KEYS, WINDOW, make_stream
from tests.learning.building import settle

pytestmark = pytest.mark.django_db

DRIFT = ("embeddings", "scores", "balance", "quality")


def test_darker_photos_alert_and_are_the_ones_that_are_named() -> None:
    stream = make_stream()
    assert stream.newest("quality").state == "not_enough"
    stream.come(range(1000, 1040))
    stream.look()
    assert {stream.newest(each).state for each in DRIFT} == {"ok"}
    assert not MonitorAlert.objects.filter(project=stream.project).exists()

    dark = {item.pk for item in stream.come(range(2000, 2040), light=0.6)}
    stream.look()
    quality, embeddings = stream.newest("quality"), stream.newest("embeddings")
    assert quality.state == embeddings.state == "alert"
    assert set(quality.item_ids) and set(quality.item_ids) <= dark
    assert set(embeddings.item_ids) <= dark
    brightness = next(each for each in quality.figures["measures"] if each["name"] == "brightness")
    assert brightness["now"] < 0.75 * brightness["before"]
    alerts = MonitorAlert.objects.filter(project=stream.project)
    assert {"quality", "embeddings"} <= set(alerts.values_list("monitor", flat=True))
    said = Activity.objects.filter(project=stream.project, kind="monitor_alert")
    assert {each.data["monitor"] for each in said} >= {"quality", "embeddings"}

    count = MonitorReading.objects.filter(project=stream.project, monitor="quality").count()
    stream.look()  # nothing is new: nothing is read, nor alerted to, again
    assert MonitorReading.objects.filter(project=stream.project, monitor="quality").count() == count

    stream.come(range(3000, 3000 + 3 * WINDOW))  # the longer window lets go of the dark ones
    stream.look()
    assert stream.newest("quality").state == "ok"
    closed = AlertClosing.objects.filter(alert__project=stream.project, alert__monitor="quality")
    assert closed.count() == 1
    assert not is_due(stream.project)


def test_a_few_new_photos_are_not_looked_at_unless_somebody_asks() -> None:
    stream = make_stream()
    stream.come(range(1000, 1000 + WINDOW))
    request_monitoring(project=stream.project)
    stream.work()
    assert stream.newest("embeddings").state == "ok"
    stream.come(range(2000, 2010), light=0.5)
    before = stream.newest("embeddings").pk
    request_monitoring(project=stream.project)
    stream.work()
    assert stream.newest("embeddings").pk == before
    stream.look()
    assert stream.newest("embeddings").pk > before


def test_another_champion_that_was_made_for_the_new_photos_closes_the_alert() -> None:
    stream = make_stream()
    dark = stream.come(range(2000, 2000 + WINDOW), light=0.6)
    stream.look()
    assert stream.newest("quality").state == "alert"
    settle(stream.project, dark[:12], [KEYS[i % 2] for i in range(12)])
    stream.run(services.request_training(project=stream.project, by=stream.admin))
    version = ModelVersion.objects.get(project=stream.project, number=2)
    services.promote(model_version=version, by=stream.admin, reason="knows the dark ones")
    stream.work()  # the promotion asks for a look by itself
    assert stream.newest("quality").state == "not_enough"
    assert stream.newest("quality").model_version == version
    assert not MonitorAlert.objects.open().filter(project=stream.project).exists()


@pytest.fixture
def alert() -> MonitorAlert:
    project = make_project(slug="cells")
    found = Reading(
        Monitor.AGREEMENT,
        ReadingState.ALERT,
        "made up",
        value=0.4,
        low=0.3,
        high=0.5,
        threshold=0.7,
        figures={"photos": 100, "agreed": 40, "least": 20},
    )
    assert record(project=project, readings=[found]) == (1, 1)
    assert record(project=project, readings=[found]) == (0, 0)
    assert record(project=project, readings=[replace(found, evidence="another")]) == (1, 0)
    return MonitorAlert.objects.get()


def test_an_alert_is_acknowledged_once_with_a_note_and_stays_open(alert: MonitorAlert) -> None:
    client = Client()
    client.force_login(alert.project.created_by)
    address = f"/p/cells/monitors/alerts/{alert.pk}/acknowledge"
    client.post(address, {"note": "  "})
    assert not AlertAcknowledgement.objects.exists()
    client.post(address, {"note": "Criteria are being rewritten"})
    said = AlertAcknowledgement.objects.get()
    assert (said.alert, said.by, said.note) == (
        alert,
        alert.project.created_by,
        "Criteria are being rewritten",
    )
    client.post(address, {"note": "Again"})
    assert AlertAcknowledgement.objects.count() == 1
    assert MonitorAlert.objects.open().get() == alert
    page = client.get("/p/cells/monitors").content.decode()
    assert "Criteria are being rewritten" in page and "Acknowledge</button>" not in page
    told = client.get("/api/v1/projects/cells/monitors").json()
    shown = next(each for each in told["monitors"] if each["monitor"] == "agreement")
    assert shown["alert"]["acknowledged"]["note"] == "Criteria are being rewritten"
    assert shown["says"] == "Blind answers agree on 40\u00a0% of the newest 100 photos"
    lines = [line.text for line in diary(alert.project)]
    assert any("Alert: Agreement of labelers" in line for line in lines)
    assert any("Criteria are being rewritten" in line for line in lines)


def test_a_fine_reading_closes_an_alert_and_the_next_bad_one_opens_another(alert: MonitorAlert) -> None:
    fine = Reading(
        Monitor.AGREEMENT,
        ReadingState.OK,
        "fine",
        value=0.9,
        threshold=0.7,
        figures={"photos": 100, "agreed": 90, "least": 20},
    )
    record(project=alert.project, readings=[fine])
    assert AlertClosing.objects.get().alert == alert
    bad = replace(fine, state=ReadingState.ALERT, value=0.3, evidence="bad again")
    assert record(project=alert.project, readings=[bad]) == (1, 1)
    assert any("fine again" in line.text for line in diary(alert.project))


def test_no_row_of_a_monitor_can_be_changed(alert: MonitorAlert) -> None:
    for row in (alert, alert.reading):
        with pytest.raises(ProgrammingError), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(monitor="speed")


def test_thresholds_are_kept_with_who_and_why_and_those_out_of_range_are_refused(
    alert: MonitorAlert,
) -> None:
    project, admin = alert.project, alert.project.created_by
    assert thresholds_of(project).agreement == project.band_agreement
    set_thresholds(project=project, by=admin, reason="stricter", agreement=0.9)
    now = thresholds_of(project)
    assert (now.agreement, now.by, now.reason, now.drift_level) == (0.9, admin, "stricter", 0.005)
    assert Job.objects.filter(kind="monitor").count() == 1
    for wrong in ({"agreement": 1.2}, {"window": 5}, {"drift_level": 0.0}, {"speed": 1.0}):
        with pytest.raises(Refused):
            set_thresholds(project=project, by=admin, **wrong)
    assert any(
        "Agreement wanted, in % of photos: 70 → 90: “stricter”" in line.text for line in diary(project)
    )


@pytest.mark.parametrize("given", ["nan", "inf", "", "many"])
def test_a_threshold_that_is_no_number_changes_nothing(alert: MonitorAlert, given: str) -> None:
    client = Client()
    client.force_login(alert.project.created_by)
    form = {"drift_level": "0.5", "window": "100", "calibration": "5", "speed": "2", "queue_days": "30"}
    response = client.post("/p/cells/monitors/thresholds", {**form, "agreement": given})
    assert response.status_code == 422
    assert not MonitorThresholds.objects.exists()


@pytest.mark.parametrize(
    ("role", "reads"), [("labeler", False), ("reviewer", True), ("admin", True), ("stranger", False)]
)
def test_reviewers_read_and_only_admins_steer(alert: MonitorAlert, role: str, reads: bool) -> None:
    project = alert.project
    person = {"admin": project.created_by, "stranger": make_user()}.get(role) or make_member(project, role)
    client = Client()
    client.force_login(person)
    for address in (
        "/p/cells/monitors",
        "/p/cells/monitors?fragment=state",
        "/api/v1/projects/cells/monitors",
    ):
        assert (client.get(address).status_code == 200) is reads, address
    if role != "admin":
        for path in ("look", "thresholds", f"alerts/{alert.pk}/acknowledge"):
            assert client.post(f"/p/cells/monitors/{path}", {"note": "x"}).status_code in {403, 404}, path
        assert not AlertAcknowledgement.objects.exists() and not Job.objects.filter(kind="monitor").exists()


def test_every_hour_a_look_is_asked_for_where_one_is_due_and_only_there(alert: MonitorAlert) -> None:
    project, quiet, away = alert.project, make_project(), make_project(archived_at=timezone.now())
    past = timezone.now() - timedelta(hours=30)
    for each in (project, away):
        Job.objects.create(
            kind="monitor", project_id=each.pk, state=JobState.SUCCEEDED, finished_at=past, result={}
        )
    monitor_projects(0)
    asked = Job.objects.filter(kind="monitor", state=JobState.QUEUED).values_list("project_id", flat=True)
    assert list(asked) == [project.pk]
    monitor_projects(3600)  # one that waits is not asked for again
    assert Job.objects.filter(kind="monitor", state=JobState.QUEUED).count() == 1
    assert not is_due(quiet)


def test_the_page_tells_a_look_under_way_and_one_that_failed(alert: MonitorAlert) -> None:
    client = Client()
    client.force_login(alert.project.created_by)
    job = request_monitoring(project=alert.project, by=alert.project.created_by)
    assert "Look at the monitors" in client.get("/p/cells/monitors").content.decode()
    Job.objects.filter(pk=job.pk).update(
        state=JobState.FAILED, error="The disk is full.", finished_at=timezone.now()
    )
    page = client.get("/p/cells/monitors").content.decode()
    assert "The last look failed" in page and "The disk is full." in page
