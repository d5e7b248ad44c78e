"""The map: photos that look alike lie together, late ones move nobody, no colour tells more than a page, a lasso finds."""

from __future__ import annotations

import html
import struct
from array import array
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from labeling.explorer.laying_out import JOB_KIND
from labeling.explorer.map.colouring import NONE, By, colouring
from labeling.explorer.map.points import points
from labeling.explorer.models import Space
from labeling.explorer.search.wanted import Wanted
from labeling.explorer.spaces import current_space
from labeling.frontier.told import Status
from labeling.jobs.models import Job
from labeling.learning.features import features_of
from labeling.learning.models import Score
from labeling.refusals import Refused
from tests.explorer.conftest import Circle
from tests.factories import make_items, photo_bytes
from tests.gateway.conftest import make_world
from tests.learning.building import settle


def placed(space: Space) -> dict[int, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT item_id, x, y FROM {space.table}")
        return {item: (x, y) for item, x, y in cursor.fetchall()}


def read(body: bytes) -> tuple[float, list[int], list[int], list[int], list[int]]:
    n, behind, first = struct.unpack_from("<Ixxxxdd", body)
    assert len(body) == 24 + 9 * n
    arrays = []
    at = 24
    for code, size in (("I", 4), ("H", 2), ("H", 2), ("B", 1)):
        arrays.append(array(code, body[at : at + size * n]).tolist())
        at += size * n
    ids, x, y, value = arrays
    return behind, [int(first) + each for each in ids], x, y, value


def test_neighbours_lie_together_and_late_photos_move_nobody(circle: Circle) -> None:
    circle.fill()
    space = Space.objects.get()
    before = placed(space)
    assert all(0 <= each < 65_536 for place in before.values() for each in place)

    def apart(one: int, other: int) -> float:
        (a, b), (c, d) = before[circle.items[one].pk], before[circle.items[other].pk]
        return float(((a - c) ** 2 + (b - d) ** 2) ** 0.5)

    near = sum(apart(number, (number + 1) % 40) for number in range(40))
    assert 3 * near < sum(apart(number, (number + 20) % 40) for number in range(40))
    late, same = make_items(circle.project, 2)
    circle.put([late, same], [10.5, 3.0])
    circle.fill()
    after = placed(space)
    assert {item: after[item] for item in before} == before
    assert after[same.pk] == before[circle.items[3].pk]
    assert min(abs(after[late.pk][axis] - before[circle.items[10].pk][axis]) for axis in (0, 1)) < 5_000


def test_points_come_in_parts_with_the_colour_that_is_asked_for(
    circle: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle.fill()
    settle(circle.project, circle.items[:10], ["functional", "defective"] * 5)
    monkeypatch.setattr("labeling.explorer.map.points.CHUNK", 25)
    address = reverse("map-points", args=[circle.project.slug])
    found: list[tuple[int, int, int, int]] = []
    after = 0.0
    while after or not found:
        response = circle.client.get(address, {"by": "class", "after": int(after)})
        assert response["Content-Type"] == "application/octet-stream"
        after, *columns = read(response.content)
        found += zip(*columns, strict=True)
    places = placed(Space.objects.get())
    assert {item: (x, y) for item, x, y, _value in found} == places and len(found) == 40
    values = {item: value for item, _x, _y, value in found}
    assert [values[item.pk] for item in circle.items[:12]] == [0, 1] * 5 + [NONE, NONE]


def values(world: Any, role: str, by: By) -> dict[int, int]:
    space = current_space(world.project)
    assert space is not None
    found = points(world.project, world.person(role), space, colouring(world.project, by), after=0)
    return dict(zip(found.ids, found.value, strict=True))


@pytest.mark.django_db
def test_no_colour_tells_of_a_photo_that_somebody_may_yet_be_asked_about(circle: Circle) -> None:
    """Scores, answers and classes of open, begun, disputed and gold photos are in this world."""
    world = make_world()
    Score.objects.filter(item=world.gold.item).update(confidence=0.9)
    other = Circle(world.project, world.items, world.reviewer, len(world.items))
    other.put(world.items, range(len(world.items)))
    other.fill()
    told = {world.settled.pk, world.decision.item_id}
    for role in ("reviewer", "admin"):
        for by in (By.CLASS, By.SCORE, By.BAND):
            assert {pk for pk, value in values(world, role, by).items() if value != NONE} <= told, (role, by)
        assert {pk for pk, value in values(world, role, By.CLASS).items() if value != NONE} == told
        status = values(world, role, By.ANSWER)
        assert status[world.gold.item_id] == Status.values.index("open")
        assert status[world.dispute.item_id] == Status.values.index("disputed")
    for by in By:
        legend = colouring(world.project, by).legend
        assert {value for value in values(world, "admin", by).values() if value != NONE} <= set(
            range(len(legend))
        )


def test_an_area_is_a_search_that_can_be_sent_on(circle: Circle) -> None:
    circle.fill()
    space = Space.objects.get()
    places = placed(space)
    x, _y = places[circle.items[5].pk]
    half = {pk for pk, place in places.items() if place[0] <= x}
    area = f"{space.pk}:0,0,{x},0,{x},65535,0,65535"
    response = circle.client.get(
        f"/api/v1/projects/{circle.project.slug}/items", {"area": area, "limit": 100}
    )
    assert {each["id"] for each in response.json()["results"]} == half
    page = circle.client.get(reverse("photos", args=[circle.project.slug]), {"area": area})
    assert {each["item"].pk for each in page.context["photos"]} == half
    settle(circle.project, circle.items[:20], ["functional"] * 20)
    both = circle.client.get(
        f"/api/v1/projects/{circle.project.slug}/items",
        {"area": area, "status": "settled", "like": circle.items[5].image.sha256, "limit": 100},
    )
    expected = half & {item.pk for item in circle.items[:20]} - {circle.items[5].pk}
    assert {each["id"] for each in both.json()["results"]} == expected
    # Laid out anew, other photos lie there.
    circle.fill(anew=True)
    gone = circle.client.get(f"/api/v1/projects/{circle.project.slug}/items", {"area": area})
    assert gone.status_code == 422 and "anew" in gone.json()["error"]["message"]


@pytest.mark.parametrize(
    "area",
    ["7", "7:1,1,2,2", "7:1,1,2,2,3", "7:1,1,2,2,3,70000", "x:1,1,2,2,3,3", "7:" + "1," * 500 + "1"],
)
def test_what_is_no_area_is_refused(area: str) -> None:
    with pytest.raises(Refused) as refused:
        Wanted.of(None, {"area": area})  # type: ignore[arg-type]
    assert refused.value.status == 422 and "area" in refused.value.fields


def test_a_project_without_a_map_says_how_it_comes_to_one(circle: Circle) -> None:
    page = circle.client.get(reverse("map", args=[circle.project.slug]))
    assert page.status_code == 200 and "No map yet" in page.content.decode()
    assert circle.client.get(reverse("map-points", args=[circle.project.slug])).status_code == 404
    assert circle.client.post(reverse("map-anew", args=[circle.project.slug])).status_code == 403
    admin = circle.client
    admin.force_login(circle.project.created_by)
    admin.post(reverse("map-anew", args=[circle.project.slug]))
    assert Job.objects.filter(kind=JOB_KIND, args={"anew": True}).count() == 1
    assert "being laid out" in circle.client.get(reverse("map", args=[circle.project.slug])).content.decode()


def test_where_the_photos_could_not_be_embedded_nobody_is_told_to_wait(circle: Circle) -> None:
    project = circle.project
    why = "The weights are not there. Choose another backbone in the project's settings."
    Job.objects.create(project_id=project.pk, kind="embed", state="failed", error=why)
    assert why in html.unescape(circle.client.get(reverse("map", args=[project.slug])).content.decode())
    with pytest.raises(Refused, match="could not be embedded: The weights are not there"):
        features_of(project)
    photo = SimpleUploadedFile("mine.png", photo_bytes(3), "image/png")
    refused = circle.client.post(f"/api/v1/projects/{project.slug}/similar", {"photo": photo}).json()
    assert refused["error"]["code"] == "not_ready" and why in refused["error"]["message"]
    Job.objects.create(project_id=project.pk, kind="embed", state="queued")
    with pytest.raises(Refused, match="Look again when they are embedded"):
        features_of(project)
