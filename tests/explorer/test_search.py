"""Photos are found by what is known of them, in any script, page by page, and without telling what must stay untold."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.metadata import values as metadata
from labeling.catalog.models import Item, Metadata, MetadataNumber, Project
from labeling.catalog.services import amend_guideline, put_metadata
from labeling.explorer import services
from labeling.explorer.models import SavedView
from labeling.explorer.search import candidates, conditions
from labeling.explorer.search.finding import search
from labeling.explorer.search.pairs import having
from labeling.explorer.search.wanted import Wanted
from labeling.learning.models import Score
from labeling.queue.models import Entry
from labeling.queue.places import ASKED_FIRST
from labeling.truth import services as truth
from labeling.truth.models import GroundTruth
from tests.explorer.test_what_is_told import answered, later, untouched
from tests.factories import make_items, make_project
from tests.gateway.conftest import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def found(world: World, role: str = "reviewer", **asked: Any) -> set[int]:
    """Ids, of the API; the page finds the same."""
    client = world.client(role)
    response = client.get(world.api("/items"), asked)
    assert response.status_code == 200, response.content
    ids = {each["id"] for each in response.json()["results"]}
    shown = client.get(reverse("photos", args=[world.project.slug]), asked)
    assert {each["item"].pk for each in shown.context["photos"]} == ids
    return ids


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("앞범퍼_12가3456.jpg", "앞범퍼"),
        ("앞범퍼_12가3456.jpg", "12가34"),
        ("앞범퍼_12가3456.jpg", "범퍼 3456"),
        ("앞범퍼_12가3456.jpg", "가"),
        ("앞범퍼_12가3456.jpg", normalize("NFD", "앞범퍼")),
        ("IMG_0042 (2).JPG", "img_0042"),
        ("IMG_0042 (2).JPG", "(2)."),
        ("100%_b\\c.png", "%_b\\"),
        ("a.png", "서울/a"),
    ],
)
def test_any_part_of_name_and_folder_is_found(world: World, name: str, asked: str) -> None:
    item = world.items[4]
    Item.objects.filter(pk=item.pk).update(name=name, source="납품/서울" if "서울" in asked else "test")
    assert found(world, q=asked) == {item.pk}


def test_what_is_in_no_name_is_not_found(world: World) -> None:
    assert found(world, q="앞범퍼") == set()
    assert found(world, q="00 zz") == set()


def test_a_folder_is_whole(world: World) -> None:
    item = world.items[4]
    Item.objects.filter(pk=item.pk).update(source="납품 3월")
    assert found(world, source="납품 3월") == {item.pk}
    assert found(world, source="납품") == set()


def test_what_is_settled_is_found_by_all_that_is_told_of_it(world: World) -> None:
    item = world.settled
    today = timezone.localdate().isoformat()
    for asked in (
        {"status": "settled"},
        {"class": "functional", "labeler": "lina"},
        {"predicted": "functional", "margin_from": "0.3", "margin_to": "0,5", "status": "settled"},
        {"labeler": "sam", "answered_from": today, "answered_to": today, "status": "settled"},
    ):
        assert found(world, **asked) == {item.pk}, asked
    for asked in (
        {"class": "defective"},
        {"status": "settled", "margin_from": "0.41"},
        {"labeler": "lina", "answered_to": "2001-01-01"},
        {"disagrees": "1"},
        {"status": "unusable"},
    ):
        assert found(world, **asked) == set(), asked
    Score.objects.filter(item=item).update(predicted=world.project.label_classes.get(key="defective"))
    assert found(world, disagrees="1") == {item.pk}


@pytest.mark.parametrize("role", ["reviewer", "admin", "superuser"])
def test_no_filter_tells_of_a_photo_that_somebody_may_yet_be_asked_about(world: World, role: str) -> None:
    """Scores, answers and classes of open, begun, disputed and gold photos are in this world."""
    Score.objects.filter(item=world.gold.item).update(confidence=0.9)
    begun = untouched(world)
    answered(world, begun, "functional")
    told = {world.settled.pk, world.decision.item_id}
    assert found(world, role, predicted="functional") == told
    assert found(world, role, margin_from="0") == told
    assert found(world, role, **{"class": "functional"}) == told
    assert found(world, role, labeler="lina") == {world.settled.pk}
    assert found(world, role, status="disputed") == {world.dispute.item_id}
    waits = found(world, role, status="open")
    assert {world.gold.item_id, begun.pk} < waits and not waits & told


def test_a_reason_is_found_when_it_is_told(world: World) -> None:
    truth.rule(
        project=world.project,
        dispute_id=world.dispute.pk,
        reviewer=world.reviewer,
        outcome="unusable",
        reason="blurred",
    )
    later(world)
    assert found(world, status="unusable") == {world.dispute.item_id}
    # The reason of a ruling is the reviewer's; that of an answer is looked for.
    assert found(world, reason="blurred") == set()


def test_classes_are_found_as_they_count_today(world: World) -> None:
    amend_guideline(
        project=world.project,
        by=world.admin,
        note="One name is enough",
        add=[{"key": "good", "name": "Good"}],
        merge={"functional": "good"},
        wording_only=False,
    )
    assert world.settled.pk in found(world, **{"class": "good"})


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"status": "nice"}, "status"),
        ({"class": "purple"}, "class"),
        ({"predicted": "purple"}, "predicted"),
        ({"margin_from": "much"}, "margin_from"),
        ({"margin_to": "1.5"}, "margin_to"),
        ({"labeler": "nobody"}, "labeler"),
        ({"reason": "because"}, "reason"),
        ({"answered_from": "yesterday"}, "answered_from"),
        ({"answered_to": "0001-01-01"}, "answered_to"),
        ({"disagrees": "maybe"}, "disagrees"),
        ({"metadata": "vehicle"}, "metadata"),
        ({"metadata": 'line="second'}, "metadata"),
        ({"metadata": "a=1 b=1 c=1 d=1 e=1 f=1"}, "metadata"),
        ({"metadata": "mileage>=much"}, "metadata"),
        ({"metadata": "day<=2026-02-30"}, "metadata"),
    ],
)
def test_what_cannot_be_asked_is_said(world: World, asked: dict[str, str], field: str) -> None:
    refused = world.client("reviewer").get(world.api("/items"), asked)
    assert refused.status_code == 422 and field in refused.json()["error"]["fields"]
    page = world.client("reviewer").get(reverse("photos", args=[world.project.slug]), asked)
    assert page.status_code == 422 and "alert" in page.content.decode()


def walk(project: Project, user: Any, wanted: Wanted, **where: Any) -> tuple[list[list[int]], list[bool]]:
    pages, stopped, after = [], [], 0
    while True:
        page = search(project, user, wanted, after=after, **where)
        pages.append([row.item.pk for row in page.rows])
        stopped.append(page.stopped)
        if page.next is None:
            return pages, stopped
        after = page.next


ALL = [
    {},
    {"q": "000"},
    {"status": "open"},
    {"q": "000", "status": "open"},
    {"metadata": "line=2"},
    {"metadata": "line<=2"},
]


@pytest.mark.parametrize("asked", [*ALL, {"metadata": "line=2", "status": "open"}])
def test_pages_hold_every_photo_once_and_lead_back(asked: dict[str, str]) -> None:
    project = make_project()
    items = make_items(project, 23)
    metadata.put(project=project, given={item.pk: {"line": 2} for item in items}, by=project.created_by)
    admin = project.created_by
    wanted = Wanted.of(project, asked)
    pages, stopped = walk(project, admin, wanted, limit=5)
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    assert [pk for page in pages for pk in page] == [item.pk for item in items]
    assert not any(stopped)
    back = search(project, admin, wanted, before=pages[3][0], limit=5)
    assert [row.item.pk for row in back.rows] == pages[2]
    assert back.previous == pages[2][0]
    first = search(project, admin, wanted, before=pages[1][0], limit=5)
    assert [row.item.pk for row in first.rows] == pages[0] and first.previous is None


@pytest.mark.parametrize("named", [{}, {"q": "rare"}, {"metadata": "line=2"}, {"metadata": "line>=2"}])
def test_a_page_looks_at_so_many_and_the_next_goes_on(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str]
) -> None:
    """However few photos there are of what is wanted, none is missed, and each page stays as cheap."""
    project = make_project()
    items = make_items(project, 23)
    Item.objects.filter(project=project).update(name="rare.png")
    metadata.put(project=project, given={item.pk: {"line": 2} for item in items}, by=project.created_by)
    admin = project.created_by
    monkeypatch.setattr(conditions, "MOST_LOOKED_AT", 4)
    pages, stopped = walk(project, admin, Wanted.of(project, {**named, "status": "disputed"}))
    assert pages == [[]] if not named else len(pages) > 1
    truth.request_review(project=project, item=items[-1], by=admin)
    monkeypatch.setattr(candidates, "FEW", 0)  # disputes are too many to be listed
    pages, stopped = walk(project, admin, Wanted.of(project, {**named, "status": "disputed"}))
    assert [pk for page in pages for pk in page] == [items[-1].pk]
    assert stopped[0] and len(pages) == 6


def test_names_are_found_across_blocks_of_ids_and_in_the_right_project() -> None:
    project, other = make_project(), make_project()
    items = make_items(project, 3)
    make_items(other, 3)
    with connection.cursor() as cursor:  # two blocks further on
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('catalog_item', 'id'), max(id) + 40000) FROM catalog_item"
        )
    items += make_items(project, 3)
    metadata.put(project=project, given={item.pk: {"line": 2} for item in items}, by=project.created_by)
    given = {item.pk: {"line": 2} for item in Item.objects.filter(project=other)}
    metadata.put(project=other, given=given, by=project.created_by)
    for wanted in (Wanted(q="0000"), Wanted(metadata="line=2"), Wanted(metadata="line>=2 line<=2")):
        found = search(project, project.created_by, wanted).rows
        assert [row.item.pk for row in found] == [item.pk for item in items]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + _named_sql(project), None)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "item_by_name_parts" in plan


def _named_sql(project: Project) -> str:
    return f"""SELECT id FROM catalog_item i WHERE catalog_name_parts(i.project_id, i.source, i.name, i.id)
               @> catalog_text_parts({project.pk}, 0, 'abc')"""


@pytest.mark.parametrize(
    "asked",
    [
        {"vehicle": "12가3456"},
        {"line": "2"},
        {"vehicle": "12가3456", "line": "2"},
        {"the shift": 'the "second" one'},
    ],
)
def test_photos_are_found_by_their_metadata_in_the_order_they_came_in(
    world: World, asked: dict[str, str]
) -> None:
    said = {"vehicle": "12가3456", "line": 2, "the shift": 'the "second" one'}
    items = [world.items[5], world.items[2]]
    admin, project = world.client("admin"), world.project
    for item in items:
        sent = admin.patch(
            world.api(f"/items/{item.image.sha256}/metadata"), {"metadata": said}, "application/json"
        )
        assert sent.status_code == 200 and sent.json()["metadata"] == said
    put_metadata(project=project, item_id=world.items[3].pk, given={"vehicle": "12가3457"}, by=world.admin)
    assert found(world, metadata=having(asked)) == {item.pk for item in items}
    assert found(world, metadata=having(asked), q=items[0].name) == {items[0].pk}
    assert found(world, metadata=having(asked | {"more": "1"})) == set()
    page = search(project, world.reviewer, Wanted.of(project, {"metadata": having(asked)}), limit=1)
    assert [row.item for row in page.rows] == [items[1]] and page.next == items[1].pk


@pytest.mark.parametrize(
    ("asked", "index"), [("line=2", "metadata_by_parts"), ("line>=2 line<=2026-11-29", "metadata_by_number")]
)
@pytest.mark.parametrize("before", [None, 2**40])
def test_metadata_is_looked_up_in_its_index(world: World, asked: str, index: str, before: int | None) -> None:
    wanted = Wanted.of(world.project, {"metadata": asked})
    looked_for = conditions.Asked(world.project, world.reviewer, wanted, 0, before)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in "\n".join(
        row[0] for row in looked_for.run(f"EXPLAIN {candidates.candidates_of(looked_for)}")
    )


@pytest.mark.parametrize(
    ("asked", "which"),
    [
        ("mileage>=1000", [3, 4]),
        ("mileage<=1000", [2, 3]),
        ('mileage>=999.5 "mileage"<=1,5', []),
        ("mileage>=999,5 mileage<=1000 mileage>=1", [2, 3]),
        ("mileage<=-1", []),
        ("day>=2026-11-30 day<=2026-11-30", [3]),
        ("day<=2026-12-31", [2, 3, 5]),
        ("mileage<=1000 day>=2026-11-30", [3]),
        ("mileage>=1000 mileage=1000", [3]),
    ],
)
def test_numbers_and_days_are_found_from_one_to_another(world: World, asked: str, which: list[int]) -> None:
    """Of what is said of a photo now, as a number or as a text that is one; a day is found whatever its hour."""
    said = {
        2: {"mileage": 999.5, "day": "2026-11-29"},
        3: {"mileage": "1000", "day": "2026-11-30T23:59"},
        4: {"mileage": 200_000, "day": "2027-01-01"},
        5: {"mileage": "1000 or so", "day": "20261201"},
    }
    for number, values in said.items():
        for now in ({"mileage": 5, "day": "1999-01-01"}, values):
            put_metadata(project=world.project, item_id=world.items[number].pk, given=now, by=world.admin)
    assert found(world, metadata=asked) == {world.items[number].pk for number in which}
    Metadata.objects.all().delete()
    assert not MetadataNumber.objects.exists()


def test_what_is_known_of_a_photo_stands_on_its_page_with_who_said_it(world: World) -> None:
    item, client = world.settled, world.client("admin")
    address = reverse("photo-metadata", args=[world.project.slug, item.pk])
    for value in ("2", "3", ""):
        assert client.post(address, {"name": "line", "value": value}).status_code == 302
    assert client.post(address, {"name": "a=b", "value": "kept"}).status_code == 422
    client.post(address, {"name": "vehicle", "value": "12가3456"})
    photo = world.client("reviewer").get(world.api(f"/items/{item.image.sha256}")).json()
    assert photo["metadata"] == {"vehicle": "12가3456"}
    told = [each["what"] for each in photo["history"] if each["kind"] == "metadata"]
    assert told == [
        f"Metadata: {each}" for each in ("line = 2", "line = 3", "line = taken away", "vehicle = 12가3456")
    ]
    page = client.get(reverse("photo-page", args=[world.project.slug, item.pk])).content.decode()
    assert urlencode({"metadata": "vehicle=12가3456"}) in page


def test_a_view_is_kept_by_name_for_everybody_and_forgotten(world: World) -> None:
    client, address = world.client("reviewer"), reverse("photos", args=[world.project.slug])
    kept = client.post(
        reverse("photos-save", args=[world.project.slug]), {"name": "범퍼", "query": "q=범퍼&status=open"}
    )
    assert kept["Location"] == f"{address}?{urlencode({'q': '범퍼', 'status': 'open'})}"
    page = world.client("admin").get(address).content.decode()
    assert "범퍼" in page
    client.post(
        reverse("photos-save", args=[world.project.slug]), {"name": "범퍼", "query": "status=settled"}
    )
    views = SavedView.objects.exclude(pk=world.view.pk)
    view = views.get()
    assert view.query == "status=settled"
    for sent in (
        {"name": " ", "query": "status=open"},
        {"name": "all", "query": ""},
        {"name": "x", "query": "status=nice"},
    ):
        client.post(reverse("photos-save", args=[world.project.slug]), sent)
    assert views.count() == 1
    rename = reverse("photos-rename", args=[world.project.slug, view.pk])
    services.save_view(project=world.project, by=world.admin, name="앞면", wanted=Wanted(q="앞"))
    for name, now in (("문", "문"), ("앞면", "문"), (" ", "문")):
        client.post(rename, {"name": name})
        view.refresh_from_db()
        assert view.name == now
    client.post(reverse("photos-forget", args=[world.project.slug, SavedView.objects.get(name="앞면").pk]))
    client.post(reverse("photos-forget", args=[world.project.slug, view.pk]))
    assert not views.exists()


def test_views_are_kept_changed_and_forgotten_by_the_api(world: World) -> None:
    client, views = world.client("reviewer"), world.api("/views")

    def send(method: str, address: str, **said: str) -> Any:
        return getattr(client, method)(address, said, content_type="application/json")

    kept = send("post", views, name="범퍼", search="q=범퍼&status=open")
    assert kept.status_code == 201
    view = f"{views}/{kept.json()['id']}"
    assert client.get(view).json() == kept.json()
    assert kept.json()["search"] == urlencode({"q": "범퍼", "status": "open"})
    assert send("post", views, name="문", search="q=문").status_code == 201
    assert [each["name"] for each in client.get(views).json()["results"]] == ["held", "문", "범퍼"]
    for wrong in ({"name": "문"}, {"name": " "}, {"search": ""}, {"search": "colour=red"}, {"colour": "red"}):
        assert send("patch", view, **wrong).status_code == 422, wrong
    changed = send("patch", view, search="status=settled").json()
    assert (changed["name"], changed["search"]) == ("범퍼", "status=settled")
    assert client.delete(view).status_code == 204
    assert client.delete(view).status_code == client.get(view).status_code == 404
    assert send("patch", view, name="문").status_code == 404
    assert send("post", views, name="all", search="").status_code == 422


def test_ticked_photos_are_mended_each_by_itself(world: World) -> None:
    client, address = world.client("reviewer"), reverse("photos-ticked", args=[world.project.slug])
    both = [world.settled.image.sha256, world.dispute.item.image.sha256]
    sent = {"photo": both, "deed": "unusable", "comment": "Out of focus.", "query": "q=0&after=3"}
    answer = client.post(address, sent, follow=True)
    assert answer.request["QUERY_STRING"] == "q=0&after=3", "back to where they were"
    said, other = map(str, answer.context["messages"])
    assert said == "Done with 1 photo." and world.dispute.item.name in other, "the other is named"
    current = GroundTruth.objects.current().get(item=world.settled)
    assert (current.kind, current.ruling.comment) == ("unusable", "Out of focus.")  # type: ignore[union-attr]
    for wrong in ({"deed": "burn"}, {"comment": " "}, {"photo": []}, {"photo": ["0" * 64] * 101}):
        client.post(address, sent | wrong)
    assert GroundTruth.objects.filter(item=world.settled).count() == 2


def test_an_admin_has_photos_asked_first_without_learning_which_are_gold(world: World) -> None:
    address = reverse("photos-ticked", args=[world.project.slug])
    fresh = untouched(world)
    Entry.objects.filter(item=fresh).update(position=900)
    sent = {"photo": [each.image.sha256 for each in (fresh, world.gold.item)], "deed": "first"}
    assert world.client("reviewer").post(address, sent).status_code == 403
    answer = world.client("admin").post(address, sent, follow=True)
    assert [str(each) for each in answer.context["messages"]] == ["Done with 2 photos."]
    assert Entry.objects.get(item=fresh, ranking__current=True).position == ASKED_FIRST
