"""A domain backbone is made of photos that judge nothing, and is taken only where held-out labels gain."""

from __future__ import annotations

import io
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image as PillowImage
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from inference import backbones, domain, selfsup
from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_image, add_items
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import JobError
from labeling.jobs.services import LAST, NORMAL, cancel, retry
from labeling.learning import domain_backbones, selectors, services
from labeling.learning.adaptation import compute as computing
from labeling.learning.adaptation import services as adaptation
from labeling.learning.compute.contest import judge
from labeling.learning.compute.stores import load_backbone, store_of
from labeling.learning.models import DomainBackbone, ModelVersion
from labeling.refusals import Refused
from labeling.truth.models import Gold
from tests.factories import TINY, make_items, make_project
from tests.learning.building import run_job, separable_project, settle, store_vectors, trained_project
from tests.learning.one_project import score_items

pytestmark = pytest.mark.django_db


def cell(index: int) -> bytes:
    """A grey 96 x 96 photo: always the same bars in the same place, and some grain."""
    pixels = np.full((96, 96), 150.0)
    pixels[:, 20:24] = pixels[:, 70:74] = 60
    grain = np.random.default_rng(index).normal(0, 8, pixels.shape)
    buffer = io.BytesIO()
    PillowImage.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def with_cells(project: Project, count: int, *, start: int = 0) -> list[Item]:
    images = [(add_image(data=cell(start + at))[0], f"{at}.png") for at in range(count)]
    return add_items(project=project, images=images, source="test")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real domain backbone on disk."""
    files = {f"{index:03}": cell(index) for index in range(domain.LEAST_PHOTOS)}
    base = backbones.load(TINY)
    folder = tmp_path_factory.mktemp("kept") / "cells"
    domain.save(folder, base=base.name, statistics=domain.fit(base, list(files), files.__getitem__, modes=1))
    return folder


def register(project: Project, kept: Path, settings: Settings) -> DomainBackbone:
    """The kept backbone as this project's candidate."""
    name = f"p{project.pk}-{project.domain_backbones.count()}"
    shutil.copytree(kept, Path(settings.BACKBONES_DIR) / name)
    loaded = load_backbone(f"domain:{name}")
    return DomainBackbone.objects.create(
        project=project,
        method=DomainBackbone.Method.STATISTICS,
        name=loaded.name,
        content_hash=loaded.content_hash,
        dim=loaded.dim,
        base=project.backbone,
        base_hash=backbones.load(project.backbone).content_hash,
        photos=domain.LEAST_PHOTOS,
        pool=100,
        excluded={},
        metrics={},
    )


def store_under(candidate: DomainBackbone, items: list[Item], keys: list[str], *, apart: float) -> None:
    """Vectors under a candidate; nothing of the classes in them where ``apart`` is 0."""
    store = store_of(load_backbone(candidate.name))
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(len(items), candidate.dim)).astype(np.float32)
    for row, key in enumerate(keys):
        at = 20 if key == "defective" else 0
        vectors[row, at : at + 20] += apart
    store.append([item.image.sha256 for item in items], vectors)


# -- the job -------------------------------------------------------------------------------------------------------


def test_the_job_makes_a_backbone_of_photos_that_judge_nothing_and_has_the_pool_embedded(
    settings: Settings,
) -> None:
    project = make_project()
    items = with_cells(project, 76)
    Item.objects.filter(pk__in=[item.pk for item in items[:3]]).update(audit_drawn_at=timezone.now())
    settle(project, items[3:7], ["functional", "defective"] * 2)
    Gold.objects.create(
        item=items[7],
        project=project,
        label_class=project.label_classes.get(key="functional"),
        added_by=project.created_by,
    )
    run_job(Job.objects.get(kind="embed"))
    job = adaptation.request_adaptation(project=project, by=project.created_by)
    assert job.queue == "gpu"
    run_job(job)
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    made = DomainBackbone.objects.get()
    assert made.photos == 68 and made.pool == 76
    assert made.excluded == {"audit": 3, "gold": 1, "settled": 4, "alike": 0}
    assert made.created_by == project.created_by and made.base == TINY
    assert load_backbone(made.name).content_hash == made.content_hash
    assert (Path(settings.BACKBONES_DIR) / made.name.removeprefix("domain:") / "manifest.json").is_file()
    assert not list(Path(settings.BACKBONES_DIR).glob(".*.state"))

    embed = Job.objects.get(kind="embed", state=JobState.QUEUED)
    run_job(embed)
    assert embed.result is not None
    assert embed.result["already"] == 76
    done = {each["name"]: each["embedded"] for each in embed.result["backbones"]}
    assert done == {TINY: 0, made.name: 76}
    assert len(store_of(load_backbone(made.name)).keys()) == 76


def test_a_job_that_is_run_again_makes_no_second_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project()
    with_cells(project, 66)
    job = adaptation.request_adaptation(project=project, by=None)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(computing, "_register", killed)
        with pytest.raises(KeyboardInterrupt):
            run_job(job)
    assert not DomainBackbone.objects.exists()
    calls: list[int] = []
    monkeypatch.setattr(domain, "fit", lambda *_, **__: calls.append(1))
    run_job(job)
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    assert not calls, "what was fitted is kept"
    assert DomainBackbone.objects.count() == 1


def test_self_supervision_is_a_second_method_of_the_same_job(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SELF_SUPERVISION_EPOCHS = 1
    monkeypatch.setattr(adaptation, "LEAST_SELF_SUPERVISED", 40)
    # Batches that a test can afford; all photos are one on a pool this small otherwise.
    usual = selfsup.Recipe
    monkeypatch.setattr(selfsup, "Recipe", lambda **given: usual(batch_size=20, **given))
    project = make_project()
    with_cells(project, 66)
    job = run_job(adaptation.request_adaptation(project=project, by=None, method="selfsup", on_cpu=True))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    made = DomainBackbone.objects.get()
    assert made.method == "selfsup" and made.photos == 66
    assert len(made.metrics["losses"]) == 3 and made.metrics["modes"]
    folder = Path(settings.BACKBONES_DIR) / made.name.removeprefix("domain:")
    assert {each.name for each in folder.iterdir()} == {
        "manifest.json",
        "statistics.safetensors",
        "sums.json",
        "weights.safetensors",
    }
    assert not list(Path(settings.BACKBONES_DIR).glob(".*"))
    assert load_backbone(made.name).content_hash == made.content_hash
    assert made in domain_backbones.candidates(project)


def test_self_supervision_fails_at_once_without_a_gpu_unless_somebody_agreed_to_the_hours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adaptation, "LEAST_SELF_SUPERVISED", 40)
    begun: list[str] = []

    def begin(*_args: Any, **_options: Any) -> DomainBackbone:
        begun.append(computing.device())
        raise JobError("begun")

    monkeypatch.setattr(computing, "_make", begin)
    project = make_project()
    make_items(project, 66)

    def run(device: str, **options: Any) -> str:
        monkeypatch.setattr(computing, "device", lambda: device)
        return run_job(adaptation.request_adaptation(project=project, by=None, **options)).error

    assert "has no GPU" in run("cpu", method="selfsup") and begun == []
    assert run("cpu", method="selfsup", on_cpu=True) == "begun"
    assert run("cuda", method="selfsup") == "begun"
    assert run("cpu") == "begun"
    assert begun == ["cpu", "cuda", "cpu"]


def test_self_supervision_is_refused_for_a_small_pool() -> None:
    project = make_project()
    make_items(project, 70)
    with pytest.raises(Refused, match="needs 500 photos"):
        adaptation.request_adaptation(project=project, by=None, method="selfsup")


def test_a_cancelled_job_leaves_no_backbone(settings: Settings) -> None:
    project = make_project()
    with_cells(project, 66)
    job = adaptation.request_adaptation(project=project, by=None)
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now(), state=JobState.RUNNING)
    run_job(job)
    assert job.state == JobState.CANCELLED
    assert not DomainBackbone.objects.exists()


def _states(settings: Settings) -> list[str]:
    return [each.name for each in Path(settings.BACKBONES_DIR).glob(".*.state")]


def test_a_failed_adaptation_that_is_started_again_goes_on_where_it_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project()
    with_cells(project, 66)
    job = adaptation.request_adaptation(project=project, by=None)
    fit, found = domain.fit, []

    def breaks(*given: Any, checkpoint: Path, **options: Any) -> Any:
        found.append(checkpoint.is_file())
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_bytes(b"what was done so far")
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(domain, "fit", breaks)
        assert run_job(job).state == JobState.FAILED
        again = retry(job=job, by=None)
        assert again.pk != job.pk
        assert run_job(again).state == JobState.FAILED
    assert found == [False, True]
    assert len(_states(settings)) == 1
    monkeypatch.setattr(domain, "fit", fit)
    assert run_job(retry(job=again, by=None)).state == JobState.SUCCEEDED
    assert _states(settings) == []


@pytest.mark.parametrize("method", ["statistics", "selfsup"])
def test_a_cancelled_or_hopeless_adaptation_leaves_no_state(
    method: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptation, "LEAST_SELF_SUPERVISED", 40)
    project = make_project()
    with_cells(project, 66)

    def begun(place: Path) -> None:
        (place if method == "selfsup" else place.parent).mkdir(parents=True, exist_ok=True)
        (place / "squares.bin" if method == "selfsup" else place).write_bytes(b"gigabytes")
        assert _states(settings)

    def cancelled(*_: Any, on_progress: Any, **options: Any) -> None:
        begun(options.get("folder") or options["checkpoint"])
        Job.objects.filter(kind="adapt", state=JobState.RUNNING).update(cancel_requested_at=timezone.now())
        on_progress(1, 1)

    def hopeless(*_: Any, **options: Any) -> None:
        begun(options.get("folder") or options["checkpoint"])
        raise selfsup.Diverged("No number.") if method == "selfsup" else domain.TooFewPhotos("None.")

    for stand_in, state in ((cancelled, JobState.CANCELLED), (hopeless, JobState.FAILED)):
        monkeypatch.setattr(domain, "fit", stand_in)
        monkeypatch.setattr(selfsup, "train", stand_in)
        job = run_job(adaptation.request_adaptation(project=project, by=None, method=method, on_cpu=True))
        assert job.state == state, job.error
        assert _states(settings) == []


def test_states_that_nobody_goes_on_with_are_swept_and_newer_ones_stay(settings: Settings) -> None:
    folder = Path(settings.BACKBONES_DIR)
    for name in (".p1-selfsup-plain-0.state", ".p2-selfsup-plain-0.state"):
        (folder / name).mkdir(parents=True)
        (folder / name / "squares.bin").write_bytes(b"gigabytes")
    long_ago = time.time() - computing.STATE_KEPT_S - 60
    os.utime(folder / ".p1-selfsup-plain-0.state", (long_ago, long_ago))
    computing.sweep_old_states()
    assert _states(settings) == [".p2-selfsup-plain-0.state"]


def test_a_pool_that_is_too_small_is_refused_with_what_is_missing() -> None:
    project = make_project()
    make_items(project, adaptation.LEAST - 1)
    with pytest.raises(Refused) as refusal:
        adaptation.request_adaptation(project=project, by=None)
    assert (refusal.value.code, refusal.value.status) == ("too_few", 422)
    assert "there are 63" in refusal.value.message


@pytest.mark.parametrize("field", ["method", "flips"])
def test_unknown_choices_are_refused(field: str) -> None:
    project = make_project()
    make_items(project, 70)
    strange: dict[str, Any] = {field: "strange"}
    with pytest.raises(Refused) as refusal:
        adaptation.request_adaptation(project=project, by=None, **strange)
    assert field in refusal.value.fields


def test_a_second_request_joins_the_job_under_way() -> None:
    project = make_project()
    make_items(project, 70)
    first = adaptation.request_adaptation(project=project, by=None)
    assert adaptation.request_adaptation(project=project, by=None, flips="flip").pk == first.pk
    cancel(job=first)
    assert adaptation.request_adaptation(project=project, by=None).pk != first.pk


# -- by itself -----------------------------------------------------------------------------------------------------


def test_a_project_adapts_by_itself_once_it_has_enough_photos_and_again_when_they_have_doubled(
    settings: Settings,
) -> None:
    settings.ADAPT_AFTER = 80
    project = make_project()
    make_items(project, 79)
    assert adaptation.adapt_when_due(project=project) == []
    make_items(project, 1, seed=1)
    (job,) = adaptation.adapt_when_due(project=project)
    assert job.args["pool"] == 80
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    make_items(project, 79, seed=2)
    assert adaptation.adapt_when_due(project=project) == []
    make_items(project, 1, seed=3)
    assert len(adaptation.adapt_when_due(project=project)) == 1


def test_adaptations_of_all_projects_take_turns_and_go_last() -> None:
    tasks = []
    for _ in range(2):
        project = make_project()
        make_items(project, 70)
        job = adaptation.request_adaptation(project=project, by=None)
        tasks.append(ProcrastinateJob.objects.get(pk=job.procrastinate_id))
    assert [(task.lock, task.priority) for task in tasks] == [("adapt", LAST)] * 2
    assert LAST < NORMAL


def test_a_project_never_adapts_by_itself_where_that_is_switched_off(settings: Settings) -> None:
    settings.ADAPT_AFTER = 0
    project = make_project()
    make_items(project, 300)
    assert adaptation.adapt_when_due(project=project) == []


def test_the_end_of_the_embedding_is_the_moment_to_adapt(settings: Settings) -> None:
    settings.ADAPT_AFTER = 66
    project = make_project()
    with_cells(project, 66)
    assert not Job.objects.filter(kind="adapt").exists()
    run_job(Job.objects.get(kind="embed"))
    assert Job.objects.get(kind="adapt").args["auto"] is True


def test_a_backbone_that_cannot_be_adapted_fails_no_automatic_job_and_tells_who_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = make_project()
    make_items(project, 70)

    def refuse(_: Any) -> None:
        raise domain.NoMaps("It has no maps by place.")

    monkeypatch.setattr(domain, "map_shapes", refuse)
    auto = run_job(adaptation.request_adaptation(project=project, by=None, auto=True))
    assert auto.state == JobState.SUCCEEDED and auto.result == {"skipped": "It has no maps by place."}
    asked = run_job(adaptation.request_adaptation(project=project, by=project.created_by))
    assert asked.state == JobState.FAILED and "Choose another backbone" in asked.error


@pytest.mark.parametrize(
    ("name", "maps"),
    [
        ("efficientnet_lite0", "efficientnet_lite0"),
        ("efficientnet_lite2+tiles2+flips", "efficientnet_lite2"),
        ("torchvision:resnet50", "torchvision:resnet50+stages"),
        ("timm:resnet50+last+tiles2", "timm:resnet50+stages"),
        (
            "timm:vit_small_patch14_dinov2@224+cls+block7+block10+tiles2",
            "timm:vit_small_patch14_dinov2@224+block7+block10",
        ),
    ],
)
def test_statistics_are_made_of_the_same_network_without_views(name: str, maps: str) -> None:
    assert computing.maps_name(name) == maps


def test_each_of_a_projects_backbones_is_adapted_and_each_is_a_candidate(settings: Settings) -> None:
    settings.ADAPT_AFTER = 66
    second = f"{TINY}+tiles2"
    project = make_project(further_backbones=[second])
    with_cells(project, 66)
    embed = Job.objects.get(kind="embed")
    Job.objects.filter(pk=embed.pk).update(state=JobState.SUCCEEDED)
    asked = adaptation.adapt_when_due(project=project)
    assert [job.args["base"] for job in asked] == [TINY, second]
    assert adaptation.adapt_when_due(project=project) == []
    for job in asked:
        run_job(job)
        assert job.state == JobState.SUCCEEDED, job.error + job.trace
    made = DomainBackbone.objects.order_by("id")
    assert [each.base for each in made] == [TINY, second]
    assert {each.name for each in domain_backbones.candidates(project)} == {each.name for each in made}
    assert domain_backbones.to_embed(project)[:2] == [TINY, second]
    project.further_backbones = []
    project.save()
    assert [each.base for each in domain_backbones.candidates(project)] == [TINY]


def test_one_that_the_project_dropped_meanwhile_is_not_adapted() -> None:
    second = f"{TINY}+tiles2"
    project = make_project(further_backbones=[second])
    make_items(project, 70)
    with pytest.raises(Refused) as refusal:
        adaptation.request_adaptation(project=project, by=None, base="efficientnet_lite1")
    assert "base" in refusal.value.fields
    job = adaptation.request_adaptation(project=project, by=None, base=second)
    project.further_backbones = []
    project.save()
    run_job(job)
    assert job.state == JobState.SUCCEEDED and "any more" in job.result["skipped"]
    assert not DomainBackbone.objects.exists()


# -- the gate ------------------------------------------------------------------------------------------------------


def test_a_version_takes_the_adapted_backbone_where_held_out_labels_gain(
    kept: Path, settings: Settings
) -> None:
    project, items, keys = separable_project(60, apart=0.25, unlabeled=10)
    candidate = register(project, kept, settings)
    store_under(candidate, items, keys, apart=1.5)
    job = run_job(services.request_training(project=project, by=project.created_by))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get()
    assert (version.backbone, version.backbone_hash) == (candidate.name, candidate.content_hash)
    assert version.manifest["base"] == TINY
    report = version.metrics["backbones"]
    assert report["chosen"] == candidate.name and report["judged"] == [candidate.name]
    reference, judged = report["candidates"]
    assert judged["log_loss"] < reference["log_loss"] and judged["difference"] < 0 < judged["error"]
    assert version.metrics["cross_validated"]["log_loss"] == pytest.approx(judged["log_loss"])

    # The head speaks about the adapted embeddings: scores come from their store.
    services.promote(model_version=version, by=project.created_by)
    told = score_items(project=project, model_version=version, item_ids=[item.pk for item in items])
    assert told["scored"] == 60
    assert candidate.name in domain_backbones.to_embed(project)
    assert Job.objects.filter(kind="embed", state=JobState.QUEUED).exists()


def test_a_version_keeps_the_projects_backbone_where_nothing_is_gained(
    kept: Path, settings: Settings
) -> None:
    project, items, keys = separable_project(60, apart=1.0)
    candidate = register(project, kept, settings)
    store_under(candidate, items, keys, apart=0.0)
    assert domain_backbones.to_embed(project) == [TINY, candidate.name]
    run_job(services.request_training(project=project, by=None))
    version = ModelVersion.objects.get()
    assert version.backbone == TINY
    assert version.metrics["backbones"]["chosen"] == TINY
    assert version.metrics["backbones"]["candidates"][1]["note"] == "no gain"
    assert domain_backbones.to_embed(project) == [TINY], "new photos need no embedding under it"


def test_the_same_backbone_twice_is_no_gain() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=80)
    proba = rng.dirichlet([2, 2], size=80)
    row = judge(proba, proba, y, seed=0)
    assert row["note"] == "no gain" and row["difference"] == 0.0


def test_surer_right_answers_gain_and_surer_wrong_ones_do_not() -> None:
    y = np.arange(60) % 2
    right = np.where(y[:, None] == [0, 1], 0.7, 0.3)
    surer = np.where(y[:, None] == [0, 1], 0.9, 0.1)
    assert judge(right, surer, y, seed=0)["note"] == "gains"
    assert judge(right, surer[:, ::-1], y, seed=0)["note"] == "no gain"
    row = judge(right, surer, y, seed=0)
    assert row["difference"] == pytest.approx(np.log(0.7 / 0.9)) and row["error"] == pytest.approx(
        0, abs=1e-12
    )


def test_without_a_candidate_nothing_is_judged() -> None:
    _project, _items, _keys = trained_project(20)
    assert ModelVersion.objects.get().metrics["backbones"] is None


def test_damaged_files_keep_a_candidate_out_and_stop_no_training(kept: Path, settings: Settings) -> None:
    project, items, keys = separable_project(30)
    candidate = register(project, kept, settings)
    store_under(candidate, items, keys, apart=2.0)
    folder = Path(settings.BACKBONES_DIR) / candidate.name.removeprefix("domain:")
    backbones._loaded.clear()
    (folder / "statistics.safetensors").write_bytes(b"damaged")
    job = run_job(services.request_training(project=project, by=None))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get()
    assert version.backbone == TINY
    assert "differs from its manifest" in version.metrics["backbones"]["candidates"][1]["note"]
    embed = run_job(services.request_embedding(project=project))
    assert embed.state == JobState.SUCCEEDED, embed.error + embed.trace


def test_an_adapted_backbone_is_a_reason_to_train_again_on_the_same_labels(
    kept: Path, settings: Settings
) -> None:
    project, items, keys = trained_project(40, apart=0.25, retrain_every=100)
    with pytest.raises(Refused, match="exactly these"):
        services.request_training(project=project, by=None)
    assert adaptation.train_when_adapted(project=project) is None
    candidate = register(project, kept, settings)
    store_under(candidate, items, keys, apart=3.0)
    job = adaptation.train_when_adapted(project=project)
    assert job is not None
    run_job(job)
    assert adaptation.train_when_adapted(project=project) is None, "it was judged"
    assert ModelVersion.objects.get(number=2).backbone == candidate.name
    with pytest.raises(Refused, match="exactly these"):
        services.request_training(project=project, by=None)


def test_a_project_that_does_not_train_by_itself_is_left_to_its_admin(kept: Path, settings: Settings) -> None:
    project, _items, _keys = trained_project(40)
    register(project, kept, settings)
    assert adaptation.train_when_adapted(project=project) is None


def test_candidates_are_the_newest_and_what_the_champion_stands_on(kept: Path, settings: Settings) -> None:
    project, items, keys = separable_project(40, apart=0.25)
    first = register(project, kept, settings)
    store_under(first, items, keys, apart=1.5)
    run_job(services.request_training(project=project, by=None))
    version = ModelVersion.objects.get()
    assert version.backbone == first.name
    services.promote(model_version=version, by=None)
    second = register(project, kept, settings)
    third = register(project, kept, settings)
    assert {each.name for each in domain_backbones.candidates(project)} == {first.name, third.name}
    Project.objects.filter(pk=project.pk).update(backbone="efficientnet_lite1")
    project.refresh_from_db()
    assert domain_backbones.candidates(project) == []
    assert second.name not in domain_backbones.to_embed(project)


def test_photos_that_came_since_are_embedded_for_the_training(kept: Path, settings: Settings) -> None:
    project = make_project()
    items = with_cells(project, 12)
    settle(project, items, ["functional", "defective"] * 6)
    register(project, kept, settings)
    job = run_job(services.request_training(project=project, by=None))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    report = ModelVersion.objects.get().metrics["backbones"]
    assert len(report["judged"]) == 1


def test_vectors_stored_by_the_tests_are_what_a_training_reads() -> None:
    """The tests above would prove nothing if the training embedded anew."""
    project, items, _keys = separable_project(10)
    store = store_of(backbones.load(project.backbone))
    assert store.missing([item.image.sha256 for item in items]) == []
    assert selectors.champion(project) is None
    more = make_items(project, 2, seed=9)
    store_vectors(project, more, ["functional", "defective"])
    assert store_of(backbones.load(project.backbone)).missing([item.image.sha256 for item in more]) == []
