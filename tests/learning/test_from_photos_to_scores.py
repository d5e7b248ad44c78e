"""The whole way with real photos and the packaged backbone, from intake to the champion's scores."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as PillowImage

from labeling.catalog.services import add_image, add_items
from labeling.jobs.models import Job, JobState
from labeling.learning import selectors, services
from labeling.learning.models import ModelVersion, Score
from tests.factories import make_project
from tests.learning.building import run_job, settle
from tests.learning.one_project import order_items, score_items

SIDE = 160


def stripes_or_disc(index: int) -> bytes:
    """A noisy grey photo: slanted stripes when ``index`` is even, one dark disc when it is odd."""
    rng = np.random.default_rng(index)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    if index % 2 == 0:
        pixels = 128 + 90 * np.sign(np.sin((x + y * rng.uniform(0.5, 1.5)) / rng.uniform(3, 6)))
    else:
        cx, cy, radius = rng.uniform(50, 110), rng.uniform(50, 110), rng.uniform(20, 45)
        pixels = np.where((x - cx) ** 2 + (y - cy) ** 2 < radius**2, 40.0, 190.0)
    pixels = np.clip(pixels + rng.normal(0, 15, pixels.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.mark.django_db
def test_sixty_photos_become_a_champion_that_tells_the_two_kinds_apart() -> None:
    project = make_project(backbone="efficientnet_lite0")
    images = [(add_image(data=stripes_or_disc(index))[0], f"{index}.png") for index in range(60)]
    items = add_items(project=project, images=images, source="test")
    keys = ["functional", "defective"] * 30

    embed = run_job(Job.objects.get(kind="embed"))
    assert embed.state == JobState.SUCCEEDED, embed.trace
    cold = order_items(
        project=project, item_ids=[item.pk for item in items], strategy="inward", bands=5, seed=0
    )
    assert len(cold.item_ids) == 60 and cold.model_version_id is None

    settle(project, items[:30], keys[:30])
    job = run_job(services.request_training(project=project, by=project.created_by))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    version = ModelVersion.objects.get()
    assert version.metrics["cross_validated"]["accuracy"]["value"] >= 0.9

    services.promote(model_version=version, by=project.created_by, reason="first")
    assert selectors.champion(project) == version
    told = score_items(
        project=project,
        model_version=version,
        item_ids=[item.pk for item in items],
    )
    assert told == {"scored": 60, "already": 0, "missing": 0}
    scores = {score.item_id: score for score in Score.objects.select_related("predicted")}
    right = sum(scores[item.pk].predicted.key == key for item, key in zip(items[30:], keys[30:], strict=True))
    assert right >= 28

    warm = order_items(
        project=project, item_ids=[item.pk for item in items[30:]], strategy="inward", bands=5, seed=0
    )
    assert warm.model_version_id == version.pk
    assert set(warm.ladder.tolist()) == set(version.classes)
    confidence = {item: scores[item].confidence for item in warm.item_ids.tolist()}
    assert np.allclose([confidence[item] for item in warm.item_ids.tolist()], warm.confidence, atol=1e-5)
