"""Several projects in one pass: each gets its own scores and its own order; what was there before is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from labeling.catalog.models import Item, Project
from labeling.catalog.services import add_items
from labeling.jobs.models import Job
from labeling.learning.models import ModelVersion, Score
from labeling.learning.services import promote, request_training
from labeling.queue import entry_counts, placing, rescoring, services, tasks  # noqa: F401  (tasks registers the handlers)
from labeling.queue.models import Entry, Ranking
from labeling.queue.places import ARRIVALS
from labeling.queue.placing import truths_by_band
from labeling.truth.current import truth_in_force
from labeling.truth.models import GroundTruth
from tests.factories import make_items, make_member, make_project
from tests.learning.building import ask_again, run_job, settle, trained_project
from tests.queue.conftest import answer_with

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"


def with_champion(count: int, unlabeled: int, **options: Any) -> tuple[Project, list[Item], ModelVersion]:
    project, items, _keys = trained_project(count, unlabeled=unlabeled, **options)
    version = ModelVersion.objects.get(project=project)
    promote(model_version=version, by=project.created_by)
    return project, items, version


def current(project: Project) -> Ranking:
    return Ranking.objects.get(project=project, current=True)


@pytest.mark.django_db(
    transaction=True
)  # two projects are written at the same time, by connections of their own
def test_projects_on_one_backbone_are_ranked_in_one_pass_over_the_embeddings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, items, one = with_champion(40, 24)
    second = make_project()
    # Another question on the same photos, with the classes the other way round.
    add_items(project=second, images=[(item.image, item.name) for item in items], source="the same")
    twins = list(second.items.order_by("image_id"))
    settle(second, twins[:16], [("defective", "functional")[n % 2] for n in range(16)])
    for twin in twins[:16]:
        services.remove_several(project=second, item_ids=[twin.pk])
    run_job(request_training(project=second, by=None))
    two = ModelVersion.objects.get(project=second)
    promote(model_version=two, by=second.created_by)
    bare = make_project()  # no model and nothing embedded
    waiting = make_items(bare, 3)

    passes: list[int] = []
    probabilities = rescoring.probabilities

    def counted(gathered: Any, heads: Any, progress: Any = None) -> Any:
        passes.append(len(heads))
        return probabilities(gathered, heads, progress)

    monkeypatch.setattr(rescoring, "probabilities", counted)
    writers: set[int] = set()
    write_ranking = rescoring.write_ranking

    def noted(**given: Any) -> Ranking:
        writers.add(threading.get_ident())
        return write_ranking(**given)

    monkeypatch.setattr(rescoring, "write_ranking", noted)
    job = run_job(services.request_rescoring(projects=[first, second, bare]))
    assert job.state == "succeeded", job.error + job.trace
    assert passes == [2], "all of them stand on one backbone"
    assert threading.get_ident() not in writers
    assert [told["photos"] for told in job.result["projects"]] == [24, 24, 3]
    assert job.result["projects"][2]["unscored"] == 3

    for project, version in ((first, one), (second, two)):
        entries = Entry.objects.filter(ranking=current(project))
        assert entries.count() == 24 and current(project).model_version == version
        assert Score.objects.filter(model_version=version).count() == 40
    mine = dict(Score.objects.filter(model_version=one).values_list("item__image", "predicted__key"))
    theirs = dict(Score.objects.filter(model_version=two).values_list("item__image", "predicted__key"))
    opposite = sum(mine[image] != theirs[image] for image in mine)
    assert opposite > 36, "each project was scored by its own head"
    bands = Entry.objects.filter(ranking=current(bare)).values_list("item_id", "band")
    assert dict(bands) == {item.pk: ARRIVALS for item in waiting}


def test_the_order_agrees_with_the_scores_and_the_summary_with_the_entries() -> None:
    project, _items, version = with_champion(50, 40)
    run_job(services.request_ranking(project=project))
    ranking = current(project)
    scores = {score.item_id: score for score in Score.objects.filter(model_version=version)}
    cells: dict[tuple[int, int], list[float]] = {}
    for entry in Entry.objects.filter(ranking=ranking):
        score = scores[entry.item_id]
        assert entry.ladder_id == score.predicted_id
        assert entry.confidence == pytest.approx(score.confidence, abs=1e-6)
        assert entry.free == project.answers_per_image and not entry.late
        cells.setdefault((entry.ladder_id, entry.band), []).append(entry.confidence)
    told = {
        (int(ladder), int(band)): cell
        for ladder, row in ranking.summary.items()
        for band, cell in row.items()
    }
    assert {key: [min(found), max(found), len(found)] for key, found in cells.items()} == told


def test_a_new_champion_takes_the_place_of_the_old_ones_scores_and_entries() -> None:
    project, _items, old = with_champion(40, 20)
    run_job(services.request_ranking(project=project))
    before = current(project)
    run_job(ask_again(project, seed=1))
    new = ModelVersion.objects.filter(project=project).latest("number")
    promote(model_version=new, by=project.created_by)
    run_job(services.request_ranking(project=project))
    assert current(project).number > before.number
    assert set(Score.objects.values_list("model_version_id", flat=True)) == {new.pk}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent IN"
            " ('queue_entry'::regclass, 'learning_score'::regclass)"
        )
        tables = {row[0] for row in cursor.fetchall()}
    assert f"queue_entry_{current(project).pk}" in tables and f"learning_score_{new.pk}" in tables
    assert f"queue_entry_{before.pk}" not in tables and f"learning_score_{old.pk}" not in tables
    waiting = entry_counts.waiting_of(current(project))
    assert sum(each.waiting for each in waiting) == Entry.objects.filter(ranking=current(project)).count() > 0
    assert entry_counts.waiting_of(before) == []
    assert entry_counts.mend() == 0


def test_what_is_settled_while_an_order_is_written_is_counted_in_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project, items, _version = with_champion(30, 10)
    run_job(services.request_ranking(project=project))
    old, early = settle(project, items[25:27], ["functional"] * 2)
    with pgtrigger.ignore("truth.GroundTruth:append_only"):
        GroundTruth.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1))
    before = truths_by_band(project).settled
    write = rescoring.write_ranking

    def meanwhile(**given: Any) -> Ranking:
        ranking = write(**given)
        settle(project, items[27:28], ["functional"])
        for gone in (old, early):
            GroundTruth.objects.create(
                project=project, item=gone.item, kind="withdrawn", origin="ruling", supersedes=gone, guideline=gone.guideline
            )  # fmt: skip
        return ranking

    monkeypatch.setattr(rescoring, "write_ranking", meanwhile)
    run_job(services.request_ranking(project=project))
    after = truths_by_band(project).settled
    assert sum(after.values()) == sum(before.values()) - 1 > 1
    assert placing.mend() == 0


def test_ranking_again_scores_only_what_came_since() -> None:
    project, _items, version = with_champion(30, 10)
    run_job(services.request_ranking(project=project))
    kept = dict(Score.objects.filter(model_version=version).values_list("item_id", "confidence"))
    fresh = make_items(project, 5, seed=3)
    from inference import backbones
    from labeling.learning.compute.stores import store_of

    store = store_of(backbones.load(project.backbone))
    store.append([item.image.sha256 for item in fresh], np.random.default_rng(0).normal(size=(5, store.dim)))
    services.append_arrivals(project=project, item_ids=[item.pk for item in fresh])
    job = run_job(services.request_ranking(project=project))
    assert job.result["scored"] == {"scored": 5, "already": 30, "missing": 0}
    after = dict(Score.objects.filter(model_version=version).values_list("item_id", "confidence"))
    assert len(after) == 35 and {item: after[item] for item in kept} == kept
    assert not Entry.objects.filter(ranking=current(project), band=ARRIVALS).exists()


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    again: list[int] = []
    reconsider = rescoring.reconsider

    def counted(*, project: Project, item_ids: list[int]) -> None:
        again.append(len(item_ids))
        reconsider(project=project, item_ids=item_ids)

    monkeypatch.setattr(rescoring, "reconsider", counted)
    yield again


def test_begun_answers_are_judged_again_only_after_the_rule_changed(judged: list[int]) -> None:
    project, _items, _version = with_champion(30, 10)
    run_job(services.request_ranking(project=project))
    person = make_member(project)
    (slot,) = services.claim(project=project, labeler=person, count=1)
    answer_with(project, slot)
    judged.clear()
    run_job(services.request_ranking(project=project))
    assert judged == [], "nothing changed that a consensus depends on"
    Project.objects.filter(pk=project.pk).update(answers_per_image=1, agreement_k=1)
    run_job(services.request_ranking(project=project))
    assert judged == [1] and truth_in_force(slot.item_id) is not None


def test_the_command_asks_for_one_job_for_all_projects_or_the_named_ones() -> None:
    one, two = make_project(), make_project()
    call_command("rescore", stdout=StringIO())
    call_command("rescore", two.slug, stdout=StringIO())
    call_command("rescore", two.slug, stdout=StringIO())  # the same one still waits
    asked = [job.args["projects"] for job in Job.objects.filter(kind="rescore").order_by("created_at")]
    assert asked == [[one.pk, two.pk], [two.pk]]
    with pytest.raises(CommandError, match="nowhere"):
        call_command("rescore", "nowhere")
