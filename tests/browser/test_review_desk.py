"""The review desk beyond one key a ruling: undo, several at once, filter, compare, help; all by keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from labeling.catalog.models import Item, Project
from labeling.learning.models import Lookalikes
from labeling.people.models import User
from labeling.truth.models import Dispute, GroundTruth, Ruling, RulingRetraction
from labeling.truth.services import Answer
from tests.browser.axe import faults
from tests.browser.reviewing import answered, shown
from tests.factories import make_member, make_project

PageFor = Callable[..., Page]
DISPUTED, SETTLED, HELD = 4, 8, 1


@pytest.fixture
def project(live_stack: object) -> Project:
    """Four photos between two classes, one held, and eight settled ones that look like the first."""
    project = make_project(answers_per_image=2, undo_seconds=600)
    functional, defective, held = (
        Answer("class", "functional"),
        Answer("class", "defective"),
        Answer("hold", reason="hidden"),
    )
    disputed = [(functional, defective), (defective, functional)] * (DISPUTED // 2)
    settled = [(functional, functional), (defective, defective)] * (SETTLED // 2)
    items = answered(project, *disputed, *settled, *[(held, held)] * HELD)
    assert Dispute.objects.open().count() == DISPUTED + HELD
    truths = GroundTruth.objects.filter(item__in=items).values_list("item", "label_class")
    first = Dispute.objects.open().order_by("created_at", "id")[0]
    Lookalikes.objects.create(item_id=first.item_id, nearest=[list(each) for each in truths])
    return project


def box(place: Locator) -> dict[str, float]:
    found = place.bounding_box()
    assert found
    return dict(found)


def test_a_ruling_is_undone_by_a_key_and_made_anew(desk: Page, project: Project) -> None:
    desk.evaluate("window.notReloaded = true")
    first = shown(desk)
    item = Dispute.objects.get(pk=first).item
    desk.keyboard.press("1")
    expect(desk.locator("[data-undo]")).to_contain_text("Undo")
    expect(desk.locator("[data-undo-seconds]")).to_contain_text("s")
    assert GroundTruth.objects.current().get(item=item).label_class.key == "functional"  # type: ignore[union-attr]
    desk.keyboard.press("z")
    expect(desk.get_by_text("The ruling is taken back: rule again.").first).to_be_visible()
    again = Dispute.objects.open().get(item=item)
    assert shown(desk) == str(again.pk)
    assert not GroundTruth.objects.current().filter(item=item).exists()
    desk.keyboard.press("2")
    expect(desk.locator(f'.desk-root:not([data-dispute="{again.pk}"])')).to_be_visible()
    assert GroundTruth.objects.current().get(item=item).label_class.key == "defective"  # type: ignore[union-attr]
    assert desk.evaluate("window.notReloaded") is True
    assert (Ruling.objects.count(), RulingRetraction.objects.count()) == (2, 1)


def test_several_are_marked_ruled_with_one_key_and_taken_back(desk: Page, project: Project) -> None:
    desk.evaluate("window.notReloaded = true")
    desk.keyboard.press("g")
    cards = desk.locator(".several-cards input")
    expect(cards).to_have_count(DISPUTED + HELD)
    assert all(each["width"] >= 150 for each in map(box, desk.locator(".several-card .photo-thumb").all()))
    desk.keyboard.press("2")
    expect(desk.locator("[data-failed]")).to_have_text("Mark at least one photo first.")
    assert not Ruling.objects.exists()
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("Space")
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("Space")
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("Space")
    expect(desk.locator("[data-marked]")).to_have_text("3 marked")
    marked = [str(each.get_attribute("value")) for each in cards.all() if each.is_checked()]
    # Somebody else is quicker with one of them.
    other = make_member(project, "reviewer")
    from labeling.truth.services import rule

    rule(project=project, dispute_id=Dispute.objects.get(pk=marked[0]).pk, reviewer=other, outcome="hold")
    desk.keyboard.press("2")
    expect(desk.locator(".last-ruling")).to_contain_text("2 photos are ruled: Defective")
    expect(desk.locator("#desk-left")).to_contain_text("Somebody has just ruled on this photo")
    assert desk.evaluate("window.notReloaded") is True
    ruled = Ruling.objects.filter(label_class__key="defective")
    assert {str(each.dispute_id) for each in ruled} == set(marked[1:])
    expect(cards).to_have_count(DISPUTED + HELD - 3)
    desk.keyboard.press("z")
    expect(desk.get_by_text("2 rulings are taken back: rule again.").first).to_be_visible()
    expect(cards).to_have_count(DISPUTED + HELD - 1)
    assert RulingRetraction.objects.count() == 2
    assert desk.locator(".several-cards input:checked").count() == 2
    assert faults(desk) == []


def test_a_filter_is_chosen_by_keys_and_stays(desk: Page, project: Project) -> None:
    desk.keyboard.press("f")
    expect(desk.locator("[data-filter] .chip").first).to_be_focused()
    desk.get_by_role("link", name="Somebody held it 1").press("Enter")
    expect(desk.locator(".strip-count")).to_have_text("1 of 5 open")
    assert desk.url.endswith("?cause=hold")
    assert Dispute.objects.get(pk=shown(desk)).cause == "hold"
    desk.keyboard.press("h")
    expect(desk.get_by_role("heading", name="No dispute of this kind waits for you")).to_be_visible()
    assert Dispute.objects.open().count() == DISPUTED
    desk.keyboard.press("n")
    expect(desk.locator(".desk-root[data-dispute]")).to_be_visible()
    assert "cause" not in desk.url


def test_a_similar_photo_lies_over_the_disputed_one_at_its_zoom_while_pointed_at_or_focused(
    desk: Page,
) -> None:
    photo = desk.locator("[data-holder] img").first
    alike = desk.locator("a.compare")
    expect(alike).to_have_count(8)
    assert all(each["width"] >= 160 and each["height"] >= 160 for each in map(box, alike.all()))
    sides = [box(each) for each in desk.locator(".desk > .side").all()]
    work = box(desk.locator(".desk-work"))
    assert sides[0]["x"] + sides[0]["width"] <= work["x"] and sides[1]["x"] >= work["x"] + work["width"]
    desk.keyboard.press("+")
    over = desk.locator("img.compared")
    desk.mouse.move(5, 5)
    alike.first.hover()
    expect(over).to_be_visible()
    expect(desk.locator(".compared-line")).to_have_text("Functional, photo 1")
    assert box(over) == pytest.approx(box(photo), abs=0.5)
    expect(over).to_have_attribute("src", str(alike.first.evaluate("link => link.href")))
    desk.mouse.move(1, 1)
    expect(over).to_be_hidden()
    desk.keyboard.press("c")
    desk.keyboard.press("c")
    expect(desk.locator(".compared-line")).to_have_text("Functional, photo 2")
    desk.keyboard.press("Escape")
    expect(over).to_be_hidden()
    expect(desk.locator("[data-stage]")).to_be_focused()
    assert not Ruling.objects.exists()


def test_help_opens_and_closes_by_keys_and_the_page_has_no_fault(desk: Page) -> None:
    desk.keyboard.press("?")
    expect(desk.locator("#desk-keys")).to_be_visible()
    expect(desk.locator("#desk-keys-title")).to_be_focused()
    assert faults(desk) == []
    desk.keyboard.press("Escape")
    expect(desk.locator("#desk-keys")).to_be_hidden()
    assert not Ruling.objects.exists()


def test_a_note_for_the_labelers_goes_with_the_key(desk: Page) -> None:
    first = shown(desk)
    desk.keyboard.press("b")
    desk.get_by_label("Note to the labelers who answered otherwise").fill("Look at the corner 1 2 h")
    desk.keyboard.press("Enter")
    desk.keyboard.press("Escape")
    assert shown(desk) == first and not Ruling.objects.exists(), "typing never rules"
    desk.keyboard.press("1")
    expect(desk.locator(f'.desk-root:not([data-dispute="{first}"])')).to_be_visible()
    assert Ruling.objects.get().note == "Look at the corner 1 2 h"


def test_on_a_phone_the_photo_comes_first_and_nothing_is_wider_than_the_page(
    project: Project, reviewer: User, page_for: PageFor
) -> None:
    page = page_for(reviewer, viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto(f"/p/{project.slug}/review")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    places = [box(page.locator(each).first) for each in ("[data-stage]", ".ruling-keys", ".desk > .side")]
    assert [each["y"] for each in places] == sorted(each["y"] for each in places)
    assert all(each["width"] >= 160 for each in map(box, page.locator("a.compare").all()))
    page.locator('[data-key="1"]').tap()
    expect(page.locator("[data-undo]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"/p/{project.slug}/review/several")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert Item.objects.exists()


def test_of_many_classes_one_is_found_by_typing(live_stack: object, page_for: PageFor) -> None:
    keys = [f"kind-{number:02}" for number in range(30)]
    project = make_project(classes=tuple(keys), answers_per_image=2)
    answered(project, (Answer("class", keys[17]), Answer("class", keys[23])))
    page = page_for(make_member(project, "reviewer"))
    page.goto(f"/p/{project.slug}/review")
    names = [each.text_content() or "" for each in page.locator(".desk > .side h3 bdi").all()]
    assert names == ["Kind-17", "Kind-23"], "what was answered stands beside the photo"
    assert "Kind-17" in (page.locator('[data-key="1"]').text_content() or "")
    page.keyboard.press("/")
    expect(page.locator("[data-find-class]")).to_be_focused()
    page.keyboard.type("kind-0")
    page.keyboard.press("Enter")
    assert not Ruling.objects.exists(), "ten are left"
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing is in dispute")).to_be_visible()
    assert Ruling.objects.get().label_class.key == "kind-04"  # type: ignore[union-attr]
