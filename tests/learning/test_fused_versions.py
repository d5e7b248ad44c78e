"""Several backbones a project: each gets a head, they are fused late, and a version stands on them only where it gains."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone, translation

from inference import backbones
from inference.heads import FusedHead
from labeling.catalog.models import Item, Project
from labeling.catalog.services import update_settings
from labeling.frontier.compute import arriving
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import Progress, of
from labeling.jobs.services import cancel
from labeling.learning import domain_backbones, events, job_lines, selectors, services
from labeling.learning.compute import artifact
from labeling.learning.compute.stores import store_of, vectors_of
from labeling.learning.deriving import derive_project
from labeling.learning.models import ModelVersion, Score
from labeling.monitors.compute import samples
from labeling.queue import rescoring, tasks  # noqa: F401  (tasks registers the handlers)
from labeling.queue.requests import request_rescoring
from labeling.refusals import Refused
from tests.factories import TINY, make_items, make_project
from tests.kept import made_once
from tests.learning.building import run_job, settle
from tests.learning.one_project import score_items
from tests.learning.test_embedding import with_photos

pytestmark = pytest.mark.django_db

SECOND, THIRD = f"{TINY}+tiles2", f"{TINY}+flip"


def seen_by(name: str, items: list[Item], keys: list[str], *, apart: float, seed: int) -> None:
    """Vectors of a backbone: noise of its own, moved by ``apart`` along one direction a class."""
    store = store_of(backbones.load(name))
    vectors = np.random.default_rng(seed).normal(size=(len(items), store.dim)).astype(np.float32)
    for row, key in enumerate(keys):
        at = 20 if key == "defective" else 0
        vectors[row, at : at + 20] += apart
    store.append([item.image.sha256 for item in items], vectors)


def with_two(
    count: int = 120, *, apart: tuple[float, float] = (0.35, 0.35), labeled: int = 100, **settings: Any
) -> tuple[Project, list[Item], list[str]]:
    project = make_project(further_backbones=[SECOND], **settings)
    items = make_items(project, count)
    keys = [("functional", "defective")[index % 2] for index in range(count)]
    for seed, (name, each) in enumerate(zip(project.backbone_names, apart, strict=True)):
        seen_by(name, items, keys, apart=each, seed=seed)
    settle(project, items[:labeled], keys[:labeled])
    return project, items, keys


def trained(project: Project) -> ModelVersion:
    job = run_job(services.request_training(project=project, by=project.created_by))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = selectors.version(project, job.result["model"])
    assert version is not None
    return version


@made_once
def fused_project() -> tuple[Project, list[Item], list[str], ModelVersion]:
    """What most tests begin with: the usual project, and its first version, which stands on both backbones."""
    project, items, keys = with_two()
    return project, items, keys, trained(project)


def test_two_views_that_err_on_other_photos_are_fused() -> None:
    project, items, _keys, version = fused_project()
    own, other = (backbones.load(name) for name in (TINY, SECOND))
    assert version.backbone == f"{TINY} & {SECOND}"
    assert (
        version.backbone_hash == hashlib.sha256((own.content_hash + other.content_hash).encode()).hexdigest()
    )
    assert [(part.backbone, part.backbone_hash, part.dim) for part in version.parts] == [
        (TINY, own.content_hash, own.dim),
        (SECOND, other.content_hash, other.dim),
    ]
    assert version.manifest["bases"] == [TINY, SECOND] and version.manifest["dim"] == own.dim + other.dim

    reference, alone, fused = version.metrics["backbones"]["candidates"]
    assert (reference["name"], alone["name"], fused["name"]) == (TINY, SECOND, version.backbone)
    assert (reference["method"], alone["method"], fused["method"]) == ("", "", "fused")
    assert fused["log_loss"] < min(reference["log_loss"], alone["log_loss"])
    assert version.metrics["backbones"]["chosen"] == version.backbone
    assert version.metrics["cross_validated"]["log_loss"] == pytest.approx(fused["log_loss"])

    head = artifact.load(version)
    assert isinstance(head, FusedHead) and head.widths_ == (own.dim, other.dim)
    hashes = [item.image.sha256 for item in items[100:]]
    logs = [
        np.log(part.predict_proba(store_of(each).rows(hashes)))
        for part, each in zip(head.parts_, (own, other), strict=True)
    ]
    by_hand = np.exp(np.mean(logs, axis=0))
    by_hand /= by_hand.sum(axis=1, keepdims=True)
    services.promote(model_version=version, by=project.created_by)
    score_items(project=project, model_version=version, item_ids=[item.pk for item in items])
    stored = dict(Score.objects.filter(item__in=items[100:]).values_list("item_id", "probabilities"))
    found = np.array([stored[item.pk] for item in items[100:]])
    np.testing.assert_allclose(found, by_hand, atol=2e-5)


def test_a_photo_that_one_backbone_lacks_has_no_score_until_it_has_both() -> None:
    project, items, keys, version = fused_project()
    late = make_items(project, 1, seed=7)
    seen_by(TINY, late, keys[:1], apart=0.35, seed=9)
    ids = [item.pk for item in [*items, *late]]
    assert score_items(project=project, model_version=version, item_ids=ids)["missing"] == 1
    seen_by(SECOND, late, keys[:1], apart=0.35, seed=10)
    told = score_items(project=project, model_version=version, item_ids=ids)
    assert (told["scored"], told["missing"]) == (1, 0)


def test_what_sees_nothing_is_not_fused_and_the_report_says_so() -> None:
    project, _items, _keys = with_two(apart=(0.5, 0.0))
    version = trained(project)
    assert (version.backbone, len(version.parts)) == (TINY, 1)
    report = version.metrics["backbones"]
    assert [row["note"] for row in report["candidates"]] == ["reference", "no gain", "no gain"]
    assert report["chosen"] == TINY and set(report["judged"]) == {SECOND, f"{TINY} & {SECOND}"}


def test_the_better_of_two_may_be_the_further_one_alone() -> None:
    project, _items, _keys = with_two(apart=(0.0, 0.9))
    version = trained(project)
    assert version.backbone == SECOND and version.manifest["base"] == TINY
    with pytest.raises(Refused, match="exactly these"):
        services.request_training(project=project, by=None)


def test_a_backbone_whose_weights_are_gone_stops_no_training_and_may_come_into_the_next() -> None:
    project, _items, _keys = with_two()
    project.further_backbones = ["torchvision:gone"]
    project.save()
    version = trained(project)
    assert version.backbone == TINY and version.manifest["bases"] == [TINY]
    (_own, gone) = version.metrics["backbones"]["candidates"]
    assert gone["name"] == "torchvision:gone" and "log_loss" not in gone and gone["note"]
    # The same labels again are a reason to train as long as it was not compared.
    services.request_training(project=project, by=None)


def test_another_backbone_is_a_reason_to_train_again_on_the_same_labels() -> None:
    project, items, keys, _version = fused_project()
    with pytest.raises(Refused, match="exactly these"):
        services.request_training(project=project, by=None)
    project = update_settings(project=project, by=project.created_by, further_backbones=[SECOND, THIRD])
    seen_by(THIRD, items, keys, apart=0.35, seed=3)
    version = trained(project)
    assert [row["name"] for row in version.metrics["backbones"]["candidates"]] == [
        TINY, SECOND, THIRD, f"{TINY} & {SECOND} & {THIRD}",
    ]  # fmt: skip
    assert len(version.parts) in (1, 3)


def test_a_fused_version_is_compared_with_its_champion_and_the_other_way_round() -> None:
    project, items, keys, first = fused_project()
    services.promote(model_version=first, by=None)
    settle(project, items[100:], keys[100:])
    project = update_settings(project=project, by=project.created_by, further_backbones=[])
    second = trained(project)
    assert (len(first.parts), len(second.parts)) == (2, 1)
    assert second.comparison is not None and second.comparison["all"]["n"] == 120
    assert second.comparison["new"] == 20 and second.comparison["left_out"] == 0


# -- embedding -----------------------------------------------------------------------------------------------------


def embed(project: Project) -> Job:
    return run_job(services.request_embedding(project=project))


def test_all_backbones_are_embedded_own_first_and_each_is_told() -> None:
    project = make_project(further_backbones=[SECOND])
    with_photos(project, 5)
    job = embed(project)
    assert job.state == JobState.SUCCEEDED, job.trace
    own, other = job.result["backbones"]
    assert (own["name"], own["embedded"], own["measured"]) == (TINY, 5, 5)
    assert (other["name"], other["embedded"], other["dim"]) == (SECOND, 5, backbones.load(SECOND).dim)
    assert own["seconds"] > 0 and own["device"] in ("cpu", "cuda")
    assert len(store_of(backbones.load(SECOND)).keys()) == 5
    assert f"{SECOND}: 5." in job_lines.line(job).outcome
    assert f"{SECOND} (2/2)" in job.message


def test_one_that_cannot_be_loaded_is_told_and_stops_no_other() -> None:
    project = make_project(further_backbones=["torchvision:gone", SECOND])
    with_photos(project, 3)
    job = embed(project)
    assert job.state == JobState.SUCCEEDED, job.trace
    own, gone, other = job.result["backbones"]
    assert own["embedded"] == other["embedded"] == 3
    assert gone["name"] == "torchvision:gone" and gone["error"]
    assert "torchvision:gone could not be used" in job_lines.line(job).outcome


def test_one_that_fails_in_the_midst_is_told_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from labeling.learning.compute import embedding

    built = embedding.embedder_for

    def breaks(name: str, on: str) -> Any:
        if name == SECOND:
            raise RuntimeError("no such operator")
        return built(name, on)

    monkeypatch.setattr(embedding, "embedder_for", breaks)
    project = make_project(further_backbones=[SECOND, THIRD])
    with_photos(project, 3)
    job = embed(project)
    assert job.state == JobState.SUCCEEDED, job.trace
    assert ["error" in each for each in job.result["backbones"]] == [False, True, False]
    assert job.result["backbones"][2]["embedded"] == 3


def test_without_its_own_the_others_are_embedded_and_the_job_says_what_to_do() -> None:
    project = make_project(backbone="torchvision:gone", further_backbones=[SECOND])
    with_photos(project, 3)
    job = embed(project)
    assert job.state == JobState.FAILED and "settings" in job.error
    assert len(store_of(backbones.load(SECOND)).keys()) == 3


def test_a_job_cancelled_at_the_second_backbone_keeps_what_both_have(monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(further_backbones=[SECOND])
    with_photos(project, 70, start=300)
    monkeypatch.setattr("labeling.jobs.progress.REPORT_EVERY_S", 0.0)
    report = Progress.report

    def cancel_at_the_second(self: Progress, done: int, *rest: Any) -> None:
        if done and SECOND in rest[-1]:
            cancel(job=self.job)
        report(self, done, *rest)

    monkeypatch.setattr(Progress, "report", cancel_at_the_second)
    job = embed(project)
    kept = len(store_of(backbones.load(SECOND)).keys())
    assert job.state == JobState.CANCELLED and 0 < kept < 70
    assert len(store_of(backbones.load(TINY)).keys()) == 70
    monkeypatch.setattr(Progress, "report", report)
    again = embed(project)
    assert [(each["already"], each["embedded"]) for each in again.result["backbones"]] == [
        (70, 0),
        (kept, 70 - kept),
    ]


def test_dropping_a_backbone_leaves_the_champion_whole() -> None:
    project, items, keys, version = fused_project()
    services.promote(model_version=version, by=project.created_by)
    project = update_settings(project=project, by=project.created_by, further_backbones=[])
    assert domain_backbones.to_embed(project) == [TINY, SECOND]
    (new,) = with_photos(project, 1, start=900)
    job = embed(project)
    assert [each["embedded"] for each in job.result["backbones"]] == [1, 1]
    told = score_items(project=project, model_version=version, item_ids=[*(i.pk for i in items), new.pk])
    assert told["missing"] == 0
    # Once another version took over, and is the newest, nobody needs it.
    settle(project, items[100:], keys[100:])
    services.promote(model_version=trained(project), by=project.created_by)
    assert domain_backbones.to_embed(project) == [TINY]


def test_new_photos_are_scored_before_a_candidate_has_seen_them() -> None:
    project, _items, _keys, version = fused_project()
    services.promote(model_version=version, by=None)
    project.further_backbones = [THIRD, SECOND]
    project.save()
    assert domain_backbones.to_embed(project) == [TINY, SECOND, THIRD]
    (new,) = with_photos(project, 1, start=900)
    lacked: list[list[str]] = []

    def listen(sender: Any, **_: Any) -> None:
        stores = {name: store_of(backbones.load(name)) for name in (TINY, SECOND, THIRD)}
        lacked.append([name for name, store in stores.items() if store.missing([new.image.sha256])])

    events.embedded.connect(listen)
    try:
        embed(project)
    finally:
        events.embedded.disconnect(listen)
    assert lacked == [[SECOND, THIRD], [THIRD], []]


# -- who reads a version's vectors -----------------------------------------------------------------------------------


def test_projects_on_the_same_backbones_share_a_pass_and_get_the_scores_of_their_heads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project, items, _keys, version = fused_project()
    pairs, versions = [(project, items)], [version]
    for apart in ((0.35, 0.35), (0.5, 0.0)):
        project, items, _keys = with_two(apart=apart)
        pairs.append((project, items))
        versions.append(trained(project))
    for version in versions:
        services.promote(model_version=version, by=None)
    assert [len(version.parts) for version in versions] == [2, 2, 1]
    passes: list[int] = []
    probabilities = rescoring.probabilities

    def counted(gathered: Any, heads: Any, progress: Any = None) -> Any:
        passes.append(len(heads))
        return probabilities(gathered, heads, progress)

    monkeypatch.setattr(rescoring, "probabilities", counted)
    job = run_job(request_rescoring(projects=[project for project, _items in pairs]))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    assert passes == [2, 1]
    for (_project, items), version in zip(pairs, versions, strict=True):
        rows = vectors_of(version).rows([item.image.sha256 for item in items])
        stored = dict(Score.objects.filter(model_version=version).values_list("item_id", "probabilities"))
        expected = artifact.load(version).predict_proba(rows)
        np.testing.assert_allclose([stored[item.pk] for item in items], expected, atol=2e-5)


def test_monitors_and_arrivals_compare_whole_rows() -> None:
    project, items, _keys, version = fused_project()
    services.promote(model_version=version, by=None)
    score_items(project=project, model_version=version, item_ids=[item.pk for item in items])
    photos = samples.reference_sample(version, 50).as_photos(version)
    assert photos.embeddings is not None and photos.embeddings.shape == (50, version.manifest["dim"])
    hashes = [item.image.sha256 for item in items[:3]]

    class Plan:
        model_version = version

    there = arriving._embeddings(Plan(), hashes)  # type: ignore[arg-type]
    np.testing.assert_array_equal(there, vectors_of(version).rows(hashes))


def test_a_derived_project_looks_through_the_same_backbones() -> None:
    project, _items, _keys = with_two()
    derived, _job = derive_project(
        source=project, slug="other", name="Other", question="Is it dirty?", by=project.created_by,
        classes=[{"name": "Dirty"}, {"name": "Clean"}],
    )  # fmt: skip
    assert derived.further_backbones == [SECOND]


def test_a_pace_is_told_of_the_backbone_that_is_embedded_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeling.jobs.progress.REPORT_EVERY_S", 0.0)
    project = make_project()
    job = services.request_embedding(project=project)
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, started_at=timezone.now() - timedelta(hours=1), attempts=job.attempts
    )
    progress = Progress(job)
    progress.report(500, 1000, of("Embedding photos", "a (1/2)"))
    first = Job.objects.get(pk=job.pk).counted_since
    progress.report(600, 1000, of("Embedding photos", "a (1/2)"))
    assert Job.objects.get(pk=job.pk).counted_since == first
    progress.report(0, 1000, of("Embedding photos", "b (2/2)"))
    job.refresh_from_db()
    assert job.counted_since is not None and first is not None and job.counted_since > first
    Job.objects.filter(pk=job.pk).update(
        done=50, counted_since=timezone.now() - timedelta(seconds=25), updated_at=timezone.now()
    )
    job.refresh_from_db()
    line = job_lines.line(job)
    assert line.rate == pytest.approx(2, rel=0.05) and line.seconds_left == pytest.approx(475, rel=0.05)
    with translation.override("ko"):
        assert job_lines.line(job).message == "사진 임베딩 중 · b (2/2)"
