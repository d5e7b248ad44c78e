"""The pages of models and jobs say what is, why something cannot be done, and what to do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.models import Project, Role
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning import selectors, services, version_charts
from labeling.learning.models import ModelVersion, Promotion
from tests.factories import make_items, make_member, make_project, make_user
from tests.learning.building import (
    ask_again,
    run_job,
    separable_project,
    settle,
    store_vectors,
    trained_project,
)

pytestmark = pytest.mark.django_db


def signed_in(project: Project, role: str = Role.ADMIN) -> Client:
    client = Client()
    client.force_login(project.created_by if role == Role.ADMIN else make_member(project, role))
    return client


def text_of(response: object) -> str:
    """What a person reads: tags gone, white space as one blank."""
    html = response.content.decode()  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_first_page_teaches_and_says_why_nothing_can_be_trained_yet() -> None:
    project = make_project()
    settle(project, make_items(project, 3), ["functional"] * 3)
    response = signed_in(project).get(reverse("models", args=[project.slug]))
    assert response.status_code == 200
    text = text_of(response)
    assert "No model yet" in text
    assert "So far only “Functional” has enough (3); Defective has 0." in text
    assert re.search(r"<button[^>]*disabled[^>]*>", response.content.decode())


def test_training_from_the_page_ends_in_a_version_with_its_interval() -> None:
    project, _items, _keys = separable_project(30)
    client = signed_in(project)
    answer = client.post(reverse("models-train", args=[project.slug]), follow=True)
    assert "Training is on its way" in text_of(answer)
    assert "A training is under way" in text_of(answer)
    run_job(Job.objects.get(kind="train"))
    text = text_of(client.get(reverse("models", args=[project.slug])))
    assert "Version 1" in text and re.search(r"±|\[", text)
    assert "Version 1" in text_of(client.get(reverse("models-versions", args=[project.slug])))


def test_training_with_one_class_only_tells_why_and_starts_nothing() -> None:
    project = make_project()
    answer = signed_in(project).post(reverse("models-train", args=[project.slug]), follow=True)
    assert "Training needs at least two classes" in text_of(answer)
    assert not Job.objects.filter(kind="train").exists()


def test_a_version_is_promoted_and_rolled_back_with_a_reason() -> None:
    project, _items, _keys = separable_project(30)
    for seed in (0, 1):
        run_job(services.request_training(project=project, by=project.created_by, seed=seed))
    client = signed_in(project)
    page = text_of(client.get(reverse("model", args=[project.slug, 2])))
    assert "Promote version 2" in page
    client.post(reverse("model-promote", args=[project.slug, 2]), {"reason": "better on dark photos"})
    champion = selectors.champion(project)
    assert champion is not None and champion.number == 2
    assert "better on dark photos" in text_of(client.get(reverse("model", args=[project.slug, 2])))
    assert "Roll back to version 1" in text_of(client.get(reverse("model", args=[project.slug, 1])))
    client.post(reverse("model-promote", args=[project.slug, 1]), {"reason": ""})
    assert [row.model_version.number for row in Promotion.objects.all()] == [1, 2]


def test_a_refused_promotion_keeps_what_was_typed() -> None:
    project, _items, _keys = trained_project(20)
    reason = "long " * 70
    answer = signed_in(project).post(reverse("model-promote", args=[project.slug, 1]), {"reason": reason})
    assert answer.status_code == 422
    assert "300 can be kept" in text_of(answer)
    assert reason.strip() in answer.content.decode()


def test_the_comparison_is_told_in_plain_words() -> None:
    project, _items, _keys = trained_project(30)
    services.promote(model_version=ModelVersion.objects.get(), by=None)
    run_job(ask_again(project))
    text = text_of(signed_in(project).get(reverse("model", args=[project.slug, 2])))
    assert "Not worse than version 1" in text
    assert "On the same 30 photos this version is right on" in text
    assert "No photo was drawn at random" in text


def test_pages_carry_no_inline_style_script_or_handler() -> None:
    project, _items, _keys = separable_project(30)
    for seed in (0, 1):
        run_job(services.request_training(project=project, by=None, seed=seed))
    client = signed_in(project)
    for name, args in (("models", []), ("model", [1]), ("jobs", [])):
        html = client.get(reverse(name, args=[project.slug, *args])).content.decode()
        body = html[html.index("<main") : html.index("</main>")]
        assert not re.search(r"""\sstyle=|<script|\son\w+=""", body)


def test_what_hilltop_did_again_and_again_alike_is_one_line() -> None:
    project = make_project()
    admin, now = project.created_by, timezone.now()
    results: list[tuple[dict[str, int], object]] = [
        ({"labels": 5, "pending": 1, "certified": {}, "issued": 0}, None),
        ({"labels": 9, "pending": 1, "certified": {}, "issued": 1}, None),
        ({"labels": 9, "pending": 1, "certified": {}, "issued": 0}, None),
        ({"labels": 9, "pending": 1, "certified": {}, "issued": 0}, None),
        ({"labels": 9, "pending": 1, "certified": {}, "issued": 0}, None),
        ({"labels": 9, "pending": 1, "certified": {}, "issued": 0}, admin),
    ]
    for result, by in results:
        job = enqueue(kind="certify", project_id=project.pk, requested_by=by, args={})
        Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED, finished_at=now, result=result)
    text = text_of(signed_in(project).get(reverse("jobs", args=[project.slug])))
    assert text.count("9 random labels count; 1 more asked for. No new certificate.") == 2
    assert text.count("2 before it ended alike") == 1
    assert text.count("1 new certificate.") == 1 and text.count("5 random labels count") == 1


def test_jobs_show_progress_rate_time_left_and_can_be_cancelled() -> None:
    project = make_project()
    job = enqueue(kind="embed", queue="gpu", project_id=project.pk)
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING,
        started_at=now - timedelta(seconds=10),
        updated_at=now,
        done=500,
        total=1000,
        message="Embedding photos",
    )
    client = signed_in(project)
    text = text_of(client.get(reverse("jobs", args=[project.slug])))
    assert "500 / 1,000" in text and "50 photos a second" in text and "10 s left" in text
    answer = client.post(
        reverse("job-cancel", args=[project.slug, job.pk]),
        {"next": "https://elsewhere.example/"},
        follow=True,
    )
    assert "The job is being cancelled" in text_of(answer)
    assert answer.redirect_chain[-1][0] == reverse("jobs", args=[project.slug])
    job.refresh_from_db()
    assert job.cancel_requested_at is not None
    assert "Stopping" in text_of(client.get(reverse("jobs-list", args=[project.slug])))


def test_a_failed_job_shows_what_to_do() -> None:
    project = make_project(backbone="no-such-network")
    run_job(services.request_embedding(project=project))
    assert "Choose another backbone" in text_of(signed_in(project).get(reverse("jobs", args=[project.slug])))


def test_another_projects_job_cannot_be_cancelled() -> None:
    mine, other = make_project(), make_project()
    job = enqueue(kind="embed", queue="gpu", project_id=other.pk)
    assert signed_in(mine).post(reverse("job-cancel", args=[mine.slug, job.pk])).status_code == 404
    job.refresh_from_db()
    assert job.cancel_requested_at is None


@pytest.mark.parametrize("role", [Role.LABELER, Role.REVIEWER])
@pytest.mark.parametrize("name", ["models", "models-training", "models-versions", "jobs", "jobs-list"])
def test_only_admins_see_models_and_jobs(role: str, name: str) -> None:
    project = make_project()
    assert signed_in(project, role).get(reverse(name, args=[project.slug])).status_code == 403


@pytest.mark.parametrize("role", [Role.LABELER, Role.REVIEWER])
def test_only_admins_train_promote_and_cancel(role: str) -> None:
    project, _items, _keys = trained_project(20)
    job = enqueue(kind="embed", queue="gpu", project_id=project.pk)
    client = signed_in(project, role)
    before = Job.objects.count()
    for path in (
        reverse("models-train", args=[project.slug]),
        reverse("model-promote", args=[project.slug, 1]),
        reverse("job-cancel", args=[project.slug, job.pk]),
    ):
        assert client.post(path).status_code == 403
    assert Job.objects.count() == before and not Promotion.objects.exists()


def test_strangers_learn_nothing() -> None:
    project = make_project()
    client = Client()
    assert client.get(reverse("models", args=[project.slug])).status_code == 302
    client.force_login(make_user())
    assert client.get(reverse("models", args=[project.slug])).status_code == 404
    assert signed_in(project).get(reverse("model", args=[project.slug, 9])).status_code == 404


def test_a_learning_curve_needs_two_versions_and_its_title_says_the_finding() -> None:
    def version(number: int, n: int, value: float) -> ModelVersion:
        accuracy = {"value": value, "low": value - 0.04, "high": value + 0.04}
        return ModelVersion(
            pk=number,
            number=number,
            metrics={"cross_validated": {"n": n, "accuracy": accuracy}, "audit": None},
        )

    assert version_charts.learning_curve([version(1, 50, 0.7)], None, "cells") is None
    curve = version_charts.learning_curve([version(2, 120, 0.82), version(1, 50, 0.70)], 2, "cells")
    assert curve is not None
    assert curve.title == "Accuracy rose from .70 at 50 to .82 at 120 ground truths"
    for view in curve.views:
        (line,) = view.series
        assert [each.spot.look == "best" for each in line.spots] == [False, True]
        xs, ys = (list(map(float, each.split())) for each in (view.places, line.heights))
        assert xs[0] < xs[1] and ys[0] > ys[1]
        assert all(float(view.left) <= x <= float(view.right) for x in xs)
        high = [float(each.interval.split("V")[1].split("h")[0]) for each in line.spots]
        assert all(float(view.top) <= y for y in high)
    assert (curve.x.low, curve.y.high) == (0, 1) and (curve.x.high or 0) >= 120
    flat = version_charts.learning_curve([version(1, 50, 0.70), version(2, 60, 0.71)], None, "cells")
    assert flat is not None and flat.title.startswith("No clear change yet")


def test_the_confusion_table_names_its_rows_and_columns_in_the_order_of_the_matrix() -> None:
    """PostgreSQL reorders the keys of stored objects, so they must not name the columns."""
    project, _items, _keys = separable_project(30)
    settle(project, more := make_items(project, 6, seed=2), ["functional"] * 6)
    store_vectors(project, more, ["functional"] * 5 + ["defective"])
    run_job(services.request_training(project=project, by=None))
    version = ModelVersion.objects.get()
    assert version.metrics["order"] == ["functional", "defective"]
    matrix = version.metrics["cross_validated"]["confusion"]
    assert [sum(row) for row in matrix] == [21, 15]
    context = signed_in(project).get(reverse("model", args=[project.slug, 1])).context
    assert [(row["name"], row["total"]) for row in context["confusion"]] == [
        ("Functional", 21),
        ("Defective", 15),
    ]
    assert [row["cross"]["support"] for row in context["class_rows"]] == [21, 15]
    assert context["snapshot_counts"] == [("Functional", 21), ("Defective", 15)]
