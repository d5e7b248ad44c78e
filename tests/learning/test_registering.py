"""A head from outside becomes a challenger, judged on what it has not seen; what does not fit is refused with why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from safetensors.numpy import load_file, save_file

from inference import artifacts, backbones, train
from labeling.catalog.models import Activity, Item, Project
from labeling.frontier.cohort import cohort_of
from labeling.jobs.models import Job, JobState
from labeling.learning import registering, selectors, services
from labeling.learning.compute import artifact
from labeling.learning.compute.outside import NO_HEAD, NO_PROBABILITIES, OTHER
from labeling.learning.compute.stores import store_of
from labeling.learning.head_manifest import read_manifest
from labeling.learning.models import ModelVersion
from labeling.learning.on_disk import is_whole
from labeling.learning.registering import register_head
from labeling.notify.kinds import KINDS
from labeling.refusals import Refused
from labeling.store.folders import STAGING
from tests.learning.building import run_job, trained_project
from tests.learning.one_project import score_items

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_staging(settings: Any, tmp_path: Path) -> None:
    settings.STAGING_DIR = tmp_path / "staging"


def saved(
    tmp_path: Path, project: Project, items: list[Item], keys: list[str], *, seed: int = 0, **said: Any
) -> Path:
    """A head that learned from these photos, on disk as the library writes it."""
    backbone = backbones.load(project.backbone)
    hashes = [item.image.sha256 for item in items]
    rows = store_of(backbone).rows(hashes)
    made = train.train_head(rows, keys, ["functional", "defective"], seed=seed, kinds=("logistic",))
    folder = tmp_path / f"head-{seed}"
    told = {"backbone_hash": backbone.content_hash, "seed": seed, "trained_on": hashes} | said
    artifacts.save_head(folder, made.head, told)
    return folder


def send(project: Project, folder: Path) -> Job:
    head, manifest = (
        ContentFile((folder / name).read_bytes()) for name in (registering.WEIGHTS, registering.MANIFEST)
    )
    return register_head(project=project, by=project.created_by, head=head, manifest=manifest)


def changed(folder: Path, **said: Any) -> Path:
    path = folder / registering.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | said))
    return folder


def version_of(job: Job) -> ModelVersion:
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    return ModelVersion.objects.get(job=job)


def test_a_head_becomes_a_challenger_that_is_judged_on_what_it_has_not_learned_from(tmp_path: Path) -> None:
    project, items, keys = trained_project(60, unlabeled=10)
    services.promote(model_version=selectors.version(project, 1), by=project.created_by)
    folder = saved(tmp_path, project, items[:30], keys[:30])
    made = version_of(run_job(send(project, folder)))
    assert (made.number, made.metrics["cross_validated"]["n"]) == (2, 20), "50 are settled, and it saw 30"
    assert made.comparison["champion"] == 1 and made.comparison["all"]["n"] == 20
    assert made.manifest["trained_on"] == 30 and is_whole(made)
    event = KINDS["version.trained"].sources["learning_modelversion"]([str(made.pk)])[str(made.pk)]
    assert (event["origin"], event["ground_truths"]) == ("registered", 50)
    assert selectors.champion(project).number == 1, "an admin promotes, or nobody"
    # As sure as it says what it learned from, nothing rests on that but its comparison.
    assert len(made.snapshot.ground_truth_ids) == 50
    theirs, _manifest = artifacts.load_head(folder)
    rows = store_of(backbones.load(project.backbone)).rows([item.image.sha256 for item in items])
    assert np.array_equal(artifact.load(made).predict_proba(rows), theirs.predict_proba(rows))
    told = Activity.objects.get(project=project, kind="model_registered")
    assert told.data["judged_on"] == 20
    assert STAGING.names() == set()
    client = Client()
    client.force_login(project.created_by)
    page = client.get(reverse("model", args=[project.slug, 2])).content.decode()
    assert "This head was trained elsewhere. Its figures are of 20 settled photos" in page
    assert "Trained elsewhere" in client.get(reverse("models", args=[project.slug])).content.decode()
    # It serves like any other.
    services.promote(model_version=made, by=project.created_by)
    item_ids = [item.pk for item in items]
    assert score_items(project=project, model_version=made, item_ids=item_ids)["scored"] == 60
    settled = {item.pk for item in items[:50]}
    assert not settled & {pk for pk, _class, _margin in cohort_of(project, made)}, "none of them can certify"


def test_near_duplicates_of_what_it_learned_from_judge_it_no_more_than_that(tmp_path: Path) -> None:
    project, items, keys = trained_project(60)
    Item.objects.filter(pk__in=[items[0].pk, items[50].pk]).update(twins_of=items[0].pk)
    made = version_of(run_job(send(project, saved(tmp_path, project, items[:30], keys[:30]))))
    assert made.metrics["cross_validated"]["n"] == 29
    assert items[50].pk not in artifact.load_out_of_fold(made).item_ids


def test_the_same_head_is_one_version_however_often_it_is_sent(tmp_path: Path) -> None:
    project, items, keys = trained_project(60)
    folder = saved(tmp_path, project, items[:30], keys[:30])
    job = send(project, folder)
    assert send(project, folder).pk == job.pk and len(STAGING.names()) == 1
    version_of(run_job(job))
    with pytest.raises(Refused) as refused:
        send(project, changed(folder, trained_on=[]))
    assert refused.value.code == "registered"


def test_what_a_head_learned_from_photos_without_a_ground_truth_is_known_of_it(tmp_path: Path) -> None:
    project, items, keys = trained_project(60, unlabeled=10)
    seen = version_of(run_job(send(project, saved(tmp_path, project, items[:30], keys[:30]))))
    assert not seen.learned_elsewhere
    at = [*range(30), *range(50, 60)]
    folder = saved(tmp_path, project, [items[each] for each in at], [keys[each] for each in at], seed=1)
    made = version_of(run_job(send(project, folder)))
    assert made.manifest["unsettled"] == 10 and made.learned_elsewhere


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"backbone_hash": "f" * 64}, "invalid"),
        ({"dim": 3}, "invalid"),
        ({"dim": "144"}, "invalid"),
        ({"classes": ["functional", "purple"]}, "unknown_class"),
        ({"classes": ["functional", "functional"]}, "invalid"),
        ({"classes": "functional"}, "invalid"),
        ({"trained_on": ["../../etc/passwd"]}, "invalid"),
        ({"trained_on": None}, "invalid"),
        ({"weights_sha256": "0" * 64}, "invalid"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_before_anything_is_kept(
    tmp_path: Path, said: dict[str, Any], code: str
) -> None:
    project, items, keys = trained_project(60)
    folder = changed(saved(tmp_path, project, items[:30], keys[:30]), **said)
    with pytest.raises(Refused) as refused:
        send(project, folder)
    assert (refused.value.code, refused.value.status) == (code, 422)
    assert STAGING.names() == set() and not Job.objects.filter(kind="register").exists()


@pytest.mark.parametrize("raw", [b"", b"[]", b"\x80\x04\x95", b'{"a":' * 20_000, b"\xff\xfe"])
def test_what_is_no_manifest_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_manifest(raw)
    assert refused.value.status == 422


def _pickle(arrays: dict[str, Any], path: Path) -> None:
    path.write_bytes(b"\x80\x04\x95\x00\x00\x00")


def _not_finite(arrays: dict[str, Any], path: Path) -> None:
    save_file(arrays | {"coef": np.full_like(arrays["coef"], np.nan)}, path)


def _lacking(arrays: dict[str, Any], path: Path) -> None:
    save_file({name: array for name, array in arrays.items() if name != "coef"}, path)


def _empty(arrays: dict[str, Any], path: Path) -> None:
    save_file(arrays | {"temperature": np.zeros(0)}, path)


def _narrow(arrays: dict[str, Any], path: Path) -> None:
    save_file(arrays | {"coef": arrays["coef"][:, :5].copy()}, path)


def _cold(arrays: dict[str, Any], path: Path) -> None:
    save_file(arrays | {"temperature": np.zeros(1)}, path)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("harm", [_pickle, _not_finite, _lacking, _empty, _narrow, _cold])
def test_weights_that_are_no_head_fail_with_why_and_leave_nothing(tmp_path: Path, harm: Any) -> None:
    project, items, keys = trained_project(60)
    folder = saved(tmp_path, project, items[:30], keys[:30])
    path = folder / registering.WEIGHTS
    harm(load_file(path), path)
    changed(folder, weights_sha256=artifacts._sha256(path))
    job = run_job(send(project, folder))
    assert job.state == JobState.FAILED and job.error in (NO_HEAD, OTHER, NO_PROBABILITIES)
    assert ModelVersion.objects.filter(project=project).count() == 1 and STAGING.names() == set()


def test_a_head_that_saw_everything_cannot_be_judged(tmp_path: Path) -> None:
    project, items, keys = trained_project(60)
    job = run_job(send(project, saved(tmp_path, project, items, keys)))
    assert job.state == JobState.FAILED and "only 0 are left" in job.error


def test_a_head_that_lacks_a_class_of_which_photos_are_settled_is_refused(tmp_path: Path) -> None:
    project, items, keys = trained_project(60, classes=("functional", "defective", "broken"))
    folder = saved(tmp_path, project, items[:30], keys[:30])
    changed(folder, classes=["functional", "broken"])
    job = run_job(send(project, folder))
    assert job.state == JobState.FAILED and "“Defective”" in job.error
