"""A viewer reads how the project does, and meets no door that is closed to them."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from labeling.catalog.models import Membership, Role
from labeling.truth.quality.labelers import labeler_figures
from tests.gateway.conftest import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def test_every_link_of_a_viewers_pages_opens(world: World) -> None:
    client = world.client("viewer")
    seen, waiting = set(), ["/", f"/p/{world.project.slug}/"]
    while waiting:
        address = waiting.pop()
        seen.add(address)
        response = client.get(address)
        assert response.status_code == 200, address
        if response["Content-Type"].startswith("text/html"):
            page = response.content.decode()
            own = re.findall(r'(?:href|data-live-url|data-band-url|hx-get)="(/(?:p/|api/)[^"#]*)"', page)
            waiting += [each.replace("&amp;", "&") for each in set(own) - seen - set(waiting)]
    assert f"/p/{world.project.slug}/dashboard" in seen
    assert not [each for each in seen if "/label" in each or "/review" in each]


def test_a_viewer_reads_figures_by_the_api_and_answers_nothing(world: World) -> None:
    client = world.client("viewer")
    assert client.get(world.api("/dashboard")).status_code == 200
    assert "ground_truths" in client.get(world.api("/progress")).json()
    assert client.get("/api/v1/me").json()["projects"][0]["role"] == "viewer"
    for closed in ("/annotations", "/disputes", "/ground-truths", "/scores", "/gold", "/items", "/decisions"):
        assert client.get(world.api(closed)).status_code == 403, closed
    assert client.post(world.api("/claims"), {}, content_type="application/json").status_code == 403


def test_a_viewer_counts_nowhere_as_one_who_labels(world: World) -> None:
    assert world.viewer not in [figures.user for figures in labeler_figures(world.project)]
    assert world.viewer not in [each.user for each in Membership.objects.who_label()]
    labeling = Membership.objects.exclude(role=Role.VIEWER).count()
    assert Membership.objects.who_label().count() == labeling


def test_who_becomes_a_viewer_is_lent_nothing_more(world: World) -> None:
    client = world.client("labeler")
    Membership.objects.filter(user=world.labeler).update(role=Role.VIEWER)
    assert client.post(world.api("/claims"), {}, content_type="application/json").status_code == 403
    assert Client().get(f"/p/{world.project.slug}/").status_code == 302
