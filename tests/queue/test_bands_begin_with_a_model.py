"""Before the first model there are no bands, whatever people answer; its order begins them at the extremes."""

from __future__ import annotations

import pytest
from django.test import Client

from labeling.catalog.models import Activity
from labeling.catalog.services import amend_guideline
from labeling.frontier.bands import gates
from labeling.overview.diary import diary
from labeling.queue import pace, services
from labeling.queue.events import ranking_swapped
from labeling.queue.models import BandOpening, Ranking
from labeling.queue.selectors import progress
from labeling.refusals import Refused
from tests.factories import make_items, make_project
from tests.frontier.test_picture import Scene
from tests.learning.building import settle
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db

KEYS = ("functional", "defective")


def test_answers_without_a_model_open_no_band(setting: Setting) -> None:
    project = setting.project
    Ranking.objects.filter(project=project).update(bands=1)  # as the order by typicality is
    for n in range(22):
        for person in (setting.ann, setting.bob):
            for slot in services.claim(project=project, labeler=person, count=1):
                answer_with(project, slot, KEYS[n % 2])
    assert progress(project)["ground_truths"] >= pace.needed_for(project, 2)  # enough for the boundary
    assert not BandOpening.objects.exists()
    at = progress(project)
    assert (at["has_bands"], at["current_band"]) == (False, 0)
    assert gates(project, at) == []


def test_without_a_model_an_admin_and_a_guideline_open_none_either() -> None:
    project = make_project(bands=3, boundary_after=6)
    services.append_arrivals(project=project, item_ids=[item.pk for item in make_items(project, 10)])
    with pytest.raises(Refused) as refusal:
        services.open_next_band(project=project, by=project.created_by, reason="Go on")
    assert refusal.value.code == "no_bands"
    settle(project, list(project.items.all()[:8]), [KEYS[n % 2] for n in range(8)])
    amend_guideline(
        project=project, by=project.created_by, note="Other", criteria=dict.fromkeys(KEYS, "Something else")
    )
    assert not BandOpening.objects.exists()


def test_pages_and_api_tell_of_no_band_before_a_model() -> None:
    project = make_project(bands=3)
    services.append_arrivals(project=project, item_ids=[item.pk for item in make_items(project, 10)])
    client = Client()
    client.force_login(project.created_by)
    overview = client.get(f"/p/{project.slug}/").content.decode()
    assert "<dt>Band</dt>" not in overview and "Agreement in this band" not in overview
    frontier = client.get(f"/p/{project.slug}/frontier/bands").content.decode()
    assert "There are no bands before the first model" in frontier
    assert "Open the next band" not in frontier
    assert client.get(f"/api/v1/projects/{project.slug}/bands").json() == {"bands": []}
    assert client.get(f"/api/v1/projects/{project.slug}/progress").json()["has_bands"] is False


def scene_with(truths: int, *, passed: int = 0) -> Scene:
    """A first model's order over photos of which people had settled ``truths`` before; ``passed``: a band of old."""
    scene = Scene(current=passed)
    for n in range(truths):
        key = KEYS[n % 2]
        scene.settle(scene.items[key][-1 - n // 2], key)  # nearest to the boundary first
    ranking_swapped.send(sender=Ranking, project=scene.project)
    return scene


@pytest.mark.parametrize("passed", [0, 2])
def test_the_first_order_begins_at_the_extremes(passed: int) -> None:
    """Also where answers had moved the queue inward before, as they did once."""
    scene = scene_with(14, passed=passed)
    at = pace.band_progress(scene.project)
    assert (at.band, at.reached) == (0, 0)
    assert (at.settled, at.needed) == (0, 20)  # a third of 60; what they settled lies further in
    assert (
        services.claim(project=scene.project, labeler=scene.project.created_by, count=1)[0].context["band"]
        == 0
    )
    assert "the bands begin" in diary(scene.project)[0].text
    ranking_swapped.send(sender=Ranking, project=scene.project)
    assert Activity.objects.filter(kind="band_opened").count() == 1


def test_what_the_model_puts_into_the_outermost_band_counts_for_it() -> None:
    scene = scene_with(18)  # all but the outermost photo of either class
    assert pace.band_progress(scene.project).needed == 20 - 4
    scene = Scene(current=0)
    scene.project.boundary_after = 6
    scene.project.save()
    for key in KEYS:
        for item in scene.items[key][:2]:
            scene.settle(item, key)
    ranking_swapped.send(sender=Ranking, project=scene.project)
    at = pace.band_progress(scene.project)
    assert (at.band, at.needed) == (0, 1), "it holds enough, and yet the first answers are of its photos"
