"""The page on adaptations: every state says what is so and what can be done."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from labeling.catalog.models import Project
from labeling.jobs.models import Job, JobState
from labeling.learning import services
from labeling.learning.adaptation import services as adaptation
from labeling.learning.models import ModelVersion
from tests.factories import make_items, make_member, make_project
from tests.learning.building import run_job, separable_project
from tests.learning.test_adaptation import kept, register, store_under  # noqa: F401  (kept is a fixture)

pytestmark = pytest.mark.django_db


def page(client: Client, project: Project) -> str:
    client.force_login(project.created_by)
    response = client.get(f"/p/{project.slug}/adaptation")
    assert response.status_code == 200
    return response.content.decode()


def test_a_small_pool_is_told_what_it_lacks_and_offered_no_button(client: Client) -> None:
    project = make_project()
    make_items(project, 5)
    text = page(client, project)
    assert "Not adapted yet" in text and "needs 64 photos" in text
    assert "Start adaptation" not in text


def test_the_button_asks_for_a_job_and_the_page_shows_it(client: Client) -> None:
    project = make_project()
    make_items(project, 70)
    assert "Photos that may be learned from: 70" in page(client, project)
    response = client.post(
        f"/p/{project.slug}/adaptation/run", {"method": "statistics", "flips": "flip"}, follow=True
    )
    job = Job.objects.get(kind="adapt")
    assert job.args["flips"] == "flip" and job.requested_by == project.created_by
    text = response.content.decode()
    assert "on its way" in text and "Adapt the backbone" in text and "Cancel" in text


def test_running_without_a_gpu_is_a_choice_and_its_progress_counts_steps(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptation, "LEAST_SELF_SUPERVISED", 40)
    project = make_project()
    make_items(project, 70)
    assert "Run on the CPU anyway" in page(client, project)
    client.post(f"/p/{project.slug}/adaptation/run", {"method": "selfsup", "on_cpu": "on"})
    job = Job.objects.get(kind="adapt")
    assert job.args["on_cpu"] is True
    now = timezone.now()
    running = {"state": JobState.RUNNING, "done": 40, "total": 90, "started_at": now - timedelta(seconds=20)}
    Job.objects.filter(pk=job.pk).update(**running, updated_at=now)
    assert "2 steps a second" in page(client, project)
    Job.objects.filter(pk=job.pk).update(started_at=now - timedelta(seconds=4000))
    assert "a second" not in page(client, project)


def test_an_unknown_choice_is_refused_beside_its_field(client: Client) -> None:
    project = make_project()
    make_items(project, 70)
    client.force_login(project.created_by)
    response = client.post(f"/p/{project.slug}/adaptation/run", {"method": "magic"})
    assert response.status_code == 422
    assert "Choose one of the methods listed." in response.content.decode()
    assert not Job.objects.filter(kind="adapt").exists()


def test_fine_tuning_is_a_training_and_needs_enough_labels(client: Client) -> None:
    project, _items, _keys = separable_project(108, unlabeled=70)
    client.force_login(project.created_by)
    refused = client.post(f"/p/{project.slug}/adaptation/run", {"method": "finetune"})
    assert refused.status_code == 422
    assert "two classes with 20 ground truths each" in refused.content.decode()
    ready, _items, _keys = separable_project(110, unlabeled=70)
    client.force_login(ready.created_by)
    text = client.post(
        f"/p/{ready.slug}/adaptation/run", {"method": "finetune", "flips": "flip"}, follow=True
    ).content.decode()
    job = Job.objects.get(kind="train")
    assert job.args["finetune"] is True and job.args["flips"] == "flip"
    assert "Train a model" in text and "Cancel" in text


def test_a_labeler_may_not_adapt(client: Client) -> None:
    project = make_project()
    make_items(project, 70)
    client.force_login(make_member(project))
    assert client.post(f"/p/{project.slug}/adaptation/run").status_code == 403
    assert not Job.objects.filter(kind="adapt").exists()


@pytest.mark.parametrize(
    ("state", "said"),
    [(JobState.FAILED, "The files are gone."), (JobState.CANCELLED, "The last adaptation was cancelled")],
)
def test_a_job_that_did_not_end_well_is_told(client: Client, state: str, said: str) -> None:
    project = make_project()
    make_items(project, 70)
    job = adaptation.request_adaptation(project=project, by=None)
    Job.objects.filter(pk=job.pk).update(state=state, error="The files are gone.", finished_at=timezone.now())
    assert said in page(client, project)


def test_before_a_training_the_verdict_is_open(client: Client, kept: Path, settings: Settings) -> None:  # noqa: F811
    project, _items, _keys = separable_project(20)
    register(project, kept, settings)
    text = page(client, project)
    assert "Not judged yet" in text and "Not judged" in text


def test_a_gain_is_told_with_its_figures(client: Client, kept: Path, settings: Settings) -> None:  # noqa: F811
    project, items, keys = separable_project(50, apart=0.25)
    candidate = register(project, kept, settings)
    store_under(candidate, items, keys, apart=1.5)
    run_job(services.request_training(project=project, by=None))
    text = page(client, project)
    assert "Version 1 stands on the adapted backbone" in text
    assert "Taken by version 1" in text and project.backbone in text
    row = ModelVersion.objects.get().metrics["backbones"]["candidates"][1]
    assert f"{row['log_loss']:.3f}"[1:] in text and f"{-row['difference']:.3f}"[1:] in text
    version_page = client.get(f"/p/{project.slug}/models/1").content.decode()
    assert "the least log loss on photos held out is taken" in version_page
    assert f"{row['log_loss']:.3f}"[1:] in version_page


def test_no_gain_is_told_and_a_later_adaptation_waits_for_the_next_training(
    client: Client,
    kept: Path,  # noqa: F811
    settings: Settings,
) -> None:
    project, items, keys = separable_project(50, apart=1.0)
    candidate = register(project, kept, settings)
    store_under(candidate, items, keys, apart=0.0)
    run_job(services.request_training(project=project, by=None))
    text = page(client, project)
    assert "keeps the project&#x27;s own backbone" in text and "Not taken" in text
    register(project, kept, settings)
    assert "The newest adaptation came later" in page(client, project)
