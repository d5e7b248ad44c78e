"""A training makes one version of the ground truths of the moment, judged honestly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from inference import train
from labeling.catalog.models import Activity, ClassDefinition, ClassState, Guideline, LabelClass, Project
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import Progress
from labeling.jobs.services import cancel
from labeling.learning import selectors, services
from labeling.learning.compute import training
from labeling.learning.models import ModelVersion, Promotion, Snapshot
from labeling.learning.training_set import readiness, training_set
from labeling.refusals import Refused
from labeling.truth.events import settled
from labeling.truth.models import Draw, GroundTruth, Origin
from labeling.truth.services import request_review, rule
from tests.factories import make_items, make_member, make_project
from tests.learning.building import (
    ask_again,
    run_job,
    separable_project,
    settle,
    sha,
    store_vectors,
    trained_project,
)

pytestmark = pytest.mark.django_db


def weights(version: ModelVersion, settings: Settings) -> str:
    return sha(Path(settings.MODELS_DIR) / version.artifact / "head.safetensors")


def test_a_training_stores_a_version_with_snapshot_metrics_and_manifest() -> None:
    project, _items, _keys = separable_project(40)
    job = run_job(services.request_training(project=project, by=project.created_by))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get()
    assert version.number == 1 and version.job == job and version.created_by == project.created_by
    assert version.snapshot.counts == {"functional": 20, "defective": 20}
    assert version.manifest["snapshot_digest"] == version.snapshot.digest
    cross = version.metrics["cross_validated"]
    assert cross["n"] == 40
    assert cross["accuracy"]["low"] < cross["accuracy"]["value"] <= cross["accuracy"]["high"]
    assert set(cross["classes"]) == {"functional", "defective"}
    assert selectors.class_keys(version) == ["functional", "defective"]
    assert job.result is not None and job.result["model"] == 1
    assert Activity.objects.filter(project=project, kind="model_trained").exists()


def test_random_photos_are_judged_apart_and_only_those() -> None:
    project, _items, _keys = separable_project(30)
    audited = make_items(project, 10, seed=7)
    keys = ["functional", "defective"] * 5
    store_vectors(project, audited, keys)
    settle(project, audited, keys, draw=Draw.AUDIT)
    run_job(services.request_training(project=project, by=None))
    figures = ModelVersion.objects.get().metrics
    assert figures["cross_validated"]["n"] == 40
    assert figures["audit"]["n"] == 10
    assert figures["audit"]["accuracy"]["high"] - figures["audit"]["accuracy"]["low"] > 0


def test_metrics_come_from_answers_that_the_fit_had_not_seen() -> None:
    """With labels that mean nothing, an honest figure is near chance, a leaking one near 1."""
    _project, _items, _keys = trained_project(60, apart=0.0)
    assert ModelVersion.objects.get().metrics["cross_validated"]["accuracy"]["value"] < 0.75


def test_gold_never_trains() -> None:
    project, _items, _keys = separable_project(20)
    gold = make_items(project, 4, seed=3)
    keys = ["functional", "defective"] * 2
    store_vectors(project, gold, keys)
    settle(project, gold, keys, origin=Origin.GOLD)
    run_job(services.request_training(project=project, by=None))
    assert ModelVersion.objects.get().metrics["cross_validated"]["n"] == 20


def test_the_same_snapshot_and_seed_give_the_same_head(settings: Settings) -> None:
    project, _items, _keys = separable_project(40, apart=0.3)
    for seed in (5, 5, 6):
        run_job(ask_again(project, seed=seed))
    first, second, third = ModelVersion.objects.order_by("number")
    assert first.snapshot.digest == second.snapshot.digest
    assert weights(first, settings) == weights(second, settings)
    assert first.metrics == second.metrics
    assert first.diagnostics.findings == second.diagnostics.findings
    assert third.metrics != first.metrics


def test_the_digest_follows_photos_and_classes_and_not_the_order_of_answers() -> None:
    project = make_project()
    items = make_items(project, 6)
    keys = ["functional", "defective"] * 3
    for at in (3, 0, 5, 1, 4, 2):
        settle(project, [items[at]], [keys[at]])
    before = training_set(project)
    assert [example.sha256 for example in before.examples] == sorted(item.image.sha256 for item in items)
    other = make_project()
    assert training_set(other).digest != before.digest
    assert before.without({items[0].image.sha256}).digest != before.digest


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "No photo is settled as a class yet."),
        (["functional"] * 5, "So far only “Functional” has enough (5); Defective has 0."),
        (["functional"] * 5 + ["defective"], "So far only “Functional” has enough (5); Defective has 1."),
        (["defective"], "So far Functional has 0, Defective has 1."),
    ],
)
def test_a_training_with_one_class_only_is_refused_at_once_and_says_what_is_missing(
    keys: list[str], said: str
) -> None:
    project = make_project()
    settle(project, make_items(project, len(keys)), keys)
    with pytest.raises(Refused) as refusal:
        services.request_training(project=project, by=None)
    assert (refusal.value.code, refusal.value.status) == ("one_class", 422)
    assert said in refusal.value.message
    assert not Job.objects.exists()


def test_training_again_on_identical_data_is_refused_and_names_the_version() -> None:
    project, items, keys = trained_project(20, unlabeled=2)
    with pytest.raises(Refused) as refusal:
        services.request_training(project=project, by=project.created_by)
    assert (refusal.value.code, refusal.value.status) == ("same_data", 409)
    assert "Version 1 was trained on exactly these ground truths" in refusal.value.message
    assert Job.objects.filter(kind="train").count() == 1
    assert services.request_training(project=project, by=None, seed=1).is_live, (
        "another seed is another model"
    )
    Job.objects.filter(state=JobState.QUEUED).update(state=JobState.CANCELLED)
    settle(project, items[18:19], keys[18:19])
    assert services.request_training(project=project, by=None).is_live, "one more ground truth is new data"


def test_a_ruling_that_changes_nothing_does_not_break_what_it_settles() -> None:
    """It is a new ground truth of the same photo and class: due by count, and nothing to learn from."""
    project, items, _keys = trained_project(20, retrain_every=1)
    dispute = request_review(project=project, item=items[0], by=None)
    reviewer = make_member(project, "reviewer")
    rule(project=project, dispute_id=dispute.pk, reviewer=reviewer, outcome="class", class_key="functional")
    assert services.retrain_when_due(project=project) is None
    assert not Job.objects.live().filter(kind="train").exists()


@pytest.mark.parametrize("seed", [-1, 2**31, True, "7", 1.5])
def test_a_seed_that_is_no_whole_number_is_refused(seed: Any) -> None:
    project, _items, _keys = separable_project(8)
    with pytest.raises(Refused) as refusal:
        services.request_training(project=project, by=None, seed=seed)
    assert refusal.value.status == 422 and "seed" in refusal.value.fields


def test_a_second_request_joins_the_training_under_way() -> None:
    project, _items, _keys = separable_project(8)
    first = services.request_training(project=project, by=None)
    assert services.request_training(project=project, by=project.created_by).pk == first.pk
    run_job(first)
    assert services.request_training(project=project, by=None, seed=1).pk != first.pk


def test_a_training_run_twice_makes_one_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a worker is killed after the version was stored and before the job was marked as done."""
    project, _items, _keys = separable_project(20)
    job = services.request_training(project=project, by=None)
    first = training.train_project(Progress(job))
    assert job.is_live
    run_job(job)
    assert ModelVersion.objects.count() == 1 and Snapshot.objects.count() == 1
    assert job.state == JobState.SUCCEEDED and job.result == first


def test_a_training_killed_before_it_stored_its_version_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    project, _items, _keys = separable_project(20)
    job = services.request_training(project=project, by=None)
    store = training.store_version

    def killed(*_: Any, **_named: Any) -> ModelVersion:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "store_version", killed)
    with pytest.raises(KeyboardInterrupt):
        training.train_project(Progress(job))
    assert not ModelVersion.objects.exists() and not Snapshot.objects.exists()
    assert not list((Path(settings.MODELS_DIR) / project.slug).iterdir())
    monkeypatch.setattr(training, "store_version", store)
    assert run_job(job).state == JobState.SUCCEEDED
    assert ModelVersion.objects.get().number == 1


def test_a_cancelled_training_makes_no_version_and_a_later_one_starts_afresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project, _items, _keys = separable_project(20)
    job = services.request_training(project=project, by=None)
    fit = train.train_head

    def cancel_then_fit(*args: Any, **options: Any) -> Any:
        cancel(job=job)
        return fit(*args, **options)

    monkeypatch.setattr(train, "train_head", cancel_then_fit)
    assert run_job(job).state == JobState.CANCELLED
    assert not ModelVersion.objects.exists()
    monkeypatch.setattr(train, "train_head", fit)
    assert run_job(services.request_training(project=project, by=None)).state == JobState.SUCCEEDED


def test_the_truth_may_change_between_the_request_and_the_run() -> None:
    project, _items, _keys = separable_project(8)
    job = services.request_training(project=project, by=None)
    amend(project, merge={"defective": "functional"})
    run_job(job)
    assert job.state == JobState.FAILED and "at least two classes" in job.error
    assert not ModelVersion.objects.exists()


def amend(project: Any, *, merge: dict[str, str] | None = None, retire: tuple[str, ...] = ()) -> Guideline:
    """The next guideline version by hand: some classes merged or retired, the others as they were."""
    before = Guideline.objects.filter(project=project).order_by("-number")[0]
    after = Guideline.objects.create(
        project=project, number=before.number + 1, note="Amended", created_by=project.created_by
    )
    for old in before.definitions.all():
        key, into, state = old.label_class.key, None, old.state
        if key in (merge or {}):
            into, state = LabelClass.objects.get(project=project, key=(merge or {})[key]), ClassState.MERGED
        elif key in retire:
            state = ClassState.RETIRED
        ClassDefinition.objects.create(
            guideline=after,
            label_class=old.label_class,
            name=old.name,
            position=old.position,
            state=state,
            merged_into=into,
        )
    return after


def test_merged_classes_train_as_their_survivor_and_retired_ones_not_at_all() -> None:
    project = make_project(classes=("functional", "defective", "cracked", "odd"))
    keys = ["functional", "defective", "cracked", "odd"] * 6
    items = make_items(project, len(keys))
    merged = ["defective" if key == "cracked" else key for key in keys]
    store_vectors(project, items, merged)
    settle(project, items, keys)
    amend(project, merge={"cracked": "defective"}, retire=("odd",))
    assert {each.key: each.count for each in readiness(project).counts} == {"functional": 6, "defective": 12}
    run_job(services.request_training(project=project, by=None))
    version = ModelVersion.objects.get()
    assert version.snapshot.counts == {"functional": 6, "defective": 12}
    assert selectors.class_keys(version) == ["functional", "defective"]


def test_the_first_training_by_itself_starts_at_the_fifth_ground_truth_of_the_second_class() -> None:
    """Told by the truth room's own signal, one ground truth at a time, however large ``retrain_every`` is."""
    project = make_project(retrain_every=50)
    items = make_items(project, 20)
    keys = ["functional"] * 9 + ["defective"] * 11
    for at in range(14):
        assert not Job.objects.filter(kind="train").exists(), f"after {at} ground truths"
        settle(project, [items[at]], [keys[at]])
        settled.send(sender=GroundTruth, project=project, item_ids=[items[at].pk])
    job = Job.objects.get(kind="train")
    assert keys[:14].count("defective") == 5 and job.args["auto"] and job.requested_by is None


def test_after_so_many_new_ground_truths_a_training_starts_by_itself() -> None:
    project = make_project(retrain_every=6)
    items = make_items(project, 30)
    keys = ["functional", "defective"] * 15
    settle(project, items[:10], keys[:10])
    job = services.retrain_when_due(project=project)
    assert job is not None
    cancel(job=job)
    settle(project, items[10:15], keys[10:15])
    assert services.retrain_when_due(project=project) is None, "five new ones since the last request"
    settle(project, items[15:16], keys[15:16])
    assert services.retrain_when_due(project=project) is not None


def test_a_project_that_never_trains_by_itself_does_not_start_a_first_model_either() -> None:
    project = make_project(retrain_every=0)
    settle(project, make_items(project, 20), ["functional", "defective"] * 10)
    assert services.retrain_when_due(project=project) is None


def test_a_training_by_itself_waits_for_a_second_class() -> None:
    project = make_project(retrain_every=2)
    settle(project, make_items(project, 5), ["functional"] * 5)
    assert services.retrain_when_due(project=project) is None
    assert not Job.objects.exists()


@pytest.mark.parametrize(("allowed", "promoted"), [(True, 1), (False, 0)])
def test_a_training_by_itself_promotes_only_where_the_project_says_so(allowed: bool, promoted: int) -> None:
    project, _items, _keys = separable_project(20, promote_automatically=allowed)
    run_job(services.request_training(project=project, by=None, auto=True))
    assert Promotion.objects.count() == promoted


def test_a_training_that_an_admin_asked_for_never_promotes() -> None:
    project, _items, _keys = separable_project(20, promote_automatically=True)
    run_job(services.request_training(project=project, by=project.created_by))
    assert not Promotion.objects.exists()


def test_a_worse_version_is_not_promoted_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    project, _items, _keys = separable_project(60, promote_automatically=True)
    run_job(services.request_training(project=project, by=None, auto=True))
    champion = selectors.champion(project)
    assert champion is not None
    fit = train.train_head

    def wrong_way_round(*args: Any, **options: Any) -> Any:
        trained = fit(*args, **options)
        return replace(trained, oof_proba=trained.oof_proba[:, ::-1].copy())

    monkeypatch.setattr(train, "train_head", wrong_way_round)
    job = run_job(ask_again(project, auto=True))
    assert job.result is not None and job.result["promoted"] is False
    assert selectors.champion(project) == champion
    monkeypatch.setattr(train, "train_head", fit)
    job = run_job(ask_again(project, auto=True))
    assert job.result is not None and job.result["promoted"] is True
    assert selectors.champion(project) == ModelVersion.objects.get(number=3)


def test_what_one_answer_settled_trains_where_the_project_says_so_and_judges_nothing() -> None:
    project, _items, _keys = separable_project(30)
    assisted = make_items(project, 12, seed=5)
    keys = ["functional", "defective"] * 6
    store_vectors(project, assisted, keys)
    settle(project, assisted, keys, origin=Origin.ASSISTED)
    run_job(services.request_training(project=project, by=None))
    first = ModelVersion.objects.get()
    assert sum(first.snapshot.counts.values()) == 30
    Project.objects.filter(pk=project.pk).update(train_on_assisted=True)
    project.refresh_from_db()
    services.promote(model_version=first, by=project.created_by)
    job = run_job(services.request_training(project=project, by=None))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    second = ModelVersion.objects.get(number=2)
    assert sum(second.snapshot.counts.values()) == 42
    assert job.result is not None and job.result["ground_truths"] == 42
    assert second.metrics["cross_validated"]["n"] == 30
    assert (
        second.comparison is not None
        and second.comparison["all"]["n"] == 30
        and second.comparison["new"] == 0
    )


def test_what_one_answer_settled_is_replayed_by_no_lab() -> None:
    project, _items, _keys = separable_project(30, train_on_assisted=True)
    assisted = make_items(project, 2, seed=5)
    store_vectors(project, assisted, ["functional", "defective"])
    settle(project, assisted, ["functional", "defective"], origin=Origin.ASSISTED)
    found = training_set(project)
    assert (len(found.examples), len(found.strict.examples)) == (32, 30)
    assert all(each.strict for each in found.strict.examples)
