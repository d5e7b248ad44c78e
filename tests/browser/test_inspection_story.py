"""Inspections from an empty database to a verdict that no person gave, and the person who overrules it.

By hand, on the pages: the protocol from its template, the question sheet, the capture links, two inspections on an emulated
phone, all answers to the first one, the ruling, the training, the promotion, the policy, the draw of random photos, the look
that certifies, and the overruling. Jobs are run by the worker's code, in this process, once the pages have asked for them.
The labelers' pages stay open and ask for photos all the while: what the second car's photos show is the machine's to say.

Not by hand: people and their roles are rows; the projects are set to the tests' small network, show no gold, and draw no
photo by lot; nor does the audit of what the machine decides first. So that a head can be trained and certified, ``EARLIER``
photos come in through the catalog's services, and people's answers to them are written as ground truths at once. What they
show is made up, stripes for a broken car; what the network makes of them, and what is proven of that, is not.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Item, Project, Role
from labeling.catalog.projects import update_settings
from labeling.frontier import auditing
from labeling.inspections.models import Inspection, InspectionPhoto
from labeling.people.models import User
from labeling.truth import events
from labeling.truth.models import Annotation, Dispute, GroundTruth
from tests.browser.cameras import PICTURES, Phone, film, picture
from tests.browser.test_question_sheet import Screen
from tests.every_job import work
from tests.factories import TINY, join, make_user

SLUG = "car-return"
#: The least that a shot of the template may have on its shorter side.
SIZE = (960, 720)
SHOTS = ("Front", "Rear", "Left side", "Right side", "Interior")
EARLIER, TRAINED, DRAWN = 280, 40, 150


def earlier_photos(project: Project) -> dict[int, str]:
    """Item id -> what it shows: every other car is broken."""
    images = []
    for number in range(EARLIER):
        roll, place = divmod(number, PICTURES)
        out = io.BytesIO()
        made = picture(place, roll=3 + roll, striped=number % 2 == 1).resize((160, 120))
        made.convert("RGB").save(out, "JPEG", quality=85)
        images.append((add_image(data=out.getvalue())[0], f"{number:03}.jpg"))
    items = add_items(project=project, images=images, source="earlier")
    return {item.pk: ("none", "broken")[number % 2] for number, item in enumerate(items)}


def settle(project: Project, items: Iterable[int], shows: dict[int, str]) -> None:
    """As if two people had agreed on each of them."""
    classes = {each.key: each for each in project.label_classes.all()}
    drawn = Item.objects.filter(project=project, audit_drawn_at__isnull=False).values_list("pk", flat=True)
    random = set(drawn)
    truths = GroundTruth.objects.bulk_create(
        GroundTruth(
            project=project,
            item_id=pk,
            kind="class",
            label_class=classes[shows[pk]],
            origin="agreement",
            draw="audit" if pk in random else "rank",
            guideline=project.guidelines.get(),
        )
        for pk in items
    )
    events.settled.send(sender=Annotation, project=project, item_ids=[each.item_id for each in truths])


class Story:
    """Whoever takes part in it, each in a browser of their own."""

    def __init__(self, page_for: Callable[..., Page]) -> None:
        self.admin = make_user("admin", is_superuser=True)
        self.labelers = [make_user("ann"), make_user("ben")]
        self.reviewer = make_user("rita")
        self.desk, self.office = page_for(self.reviewer), page_for(self.admin)
        self.page_for = page_for

    def make_protocol(self) -> None:
        page = self.office
        page.goto("/protocols/new/")
        page.get_by_role("link", name="Return of a shared car").click()
        expect(page.get_by_text("Which is the worst damage to the car here?")).to_be_visible()
        page.get_by_role("button", name="Create protocol").click()
        expect(page.get_by_text("The protocol and the projects that it asks are created.")).to_be_visible()
        self.damage, self.dirt = (Project.objects.get(slug=f"{SLUG}-{key}") for key in ("damage", "dirt"))
        for project in (self.damage, self.dirt):
            update_settings(
                project=project, by=self.admin, backbone=TINY, gold_rate=0.0, audit_rate=0.0, min_view_ms=0
            )
            join(project, *self.labelers)
            join(project, self.reviewer, role=Role.REVIEWER)
            project.refresh_from_db()

    def make_sheet(self) -> None:
        page = self.office
        page.goto("/sheets/new/")
        page.get_by_label("Name").fill("Return")
        page.get_by_label("Address").fill("return")
        for place, project in enumerate((self.damage, self.dirt), start=1):
            page.get_by_label(project.name).fill(str(place))
        page.get_by_role("button", name="Create question sheet").click()
        expect(page.get_by_text("“Return” can be answered now.")).to_be_visible()

    def link(self, plate: str) -> str:
        """The address of a new capture link."""
        page = self.desk
        page.goto(f"/protocols/{SLUG}/links/")
        page.get_by_label("Plate or number").fill(plate)
        page.get_by_label("Event").fill("return")
        page.get_by_role("button", name="Make a link").click()
        expect(page.get_by_role("heading", name=plate)).to_be_visible()
        return page.get_by_label("Address").input_value()

    def evidence(self, plate: str) -> Page:
        """The page of the newest inspection of this car, as the reviewer sees it."""
        page = self.desk
        page.goto(f"/protocols/{SLUG}/")
        page.get_by_role("row").filter(has_text=plate).get_by_role("link").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(plate)
        return page

    def answer_all(self, labeler: User, **otherwise: str) -> None:
        """The first answer to every question; ``otherwise``: the key to press, by the number of the question."""
        screen = Screen(self.page_for(labeler)).open("return")
        page = screen.page
        for number in range(2 * len(SHOTS) - 1):
            page.wait_for_selector("html[data-shown][data-asked]", state="attached")
            page.keyboard.press(otherwise.get(f"q{number}", "1"))
        expect(page.locator("#card-title")).to_have_text("You are through")
        screen.expect_saved()


def photograph(phone: Phone, names: Iterable[str]) -> None:
    for name in names:
        phone.shoot(name)


def hand_in(phone: Phone) -> None:
    card = phone.page.locator(".cp-card")
    expect(card).to_contain_text("All photos are there")
    phone.page.get_by_role("button", name="Hand in").click()
    expect(card).to_contain_text("everything has arrived")


def test_from_a_template_to_an_automatic_verdict_that_a_person_overrules(
    page_for: Callable[..., Page],
    phone: Callable[..., Phone],
    reel: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.ADAPT_AFTER = 0
    monkeypatch.setattr(auditing, "first_share", lambda _policy: 0.0)
    story = Story(page_for)
    story.make_protocol()
    story.make_sheet()

    # A phone at the first car.
    film(reel, sharp=False, size=SIZE)
    address = story.link("12가 3456")
    car = phone()
    car.open(address)
    car.begin()
    car.shoot("Front")
    card = car.page.locator(".cp-card")
    expect(card).to_contain_text("Once more: Front")
    expect(card).to_contain_text("blurred")
    expect(card).to_contain_text("Stand three steps before the car")
    assert not InspectionPhoto.objects.exists()
    film(reel, size=SIZE)
    car.open(address)
    car.begin()
    photograph(car, SHOTS)
    hand_in(car)
    work()
    page = story.evidence("12가 3456")
    expect(page.get_by_role("heading", level=1)).to_contain_text("To be looked at")
    expect(page.locator(".says").first).to_contain_text("It waits for 9 answers")

    # People answer, and disagree once.
    ann, ben = story.labelers
    story.answer_all(ann)
    story.answer_all(ben, q0="2")
    (dispute,) = Dispute.objects.open()
    assert dispute.project == story.damage
    work()
    page = story.evidence("12가 3456")
    expect(page.get_by_role("heading", level=1)).to_contain_text("To be looked at")
    expect(page.locator(".says").first).to_contain_text("It waits for 1 answer:")
    page.goto(f"/p/{story.damage.slug}/review")
    expect(page.locator(".desk-root[data-dispute]")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="Nothing is in dispute")).to_be_visible()
    work()
    page = story.evidence("12가 3456")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ready")
    expect(page.locator(".says").first).to_contain_text("Why is not told yet")
    # From now on the ruling cannot be taken back, and so nobody asked.
    Project.objects.filter(pk=story.damage.pk).update(undo_seconds=0)
    page.reload()
    expect(page.get_by_text("9 answers were settled by people")).to_be_visible()

    # A head is trained, promoted, and proven.
    shows = earlier_photos(story.damage)
    known = list(shows)
    settle(story.damage, known[:TRAINED], shows)
    work()
    office, base = story.office, f"/p/{story.damage.slug}"
    office.goto(f"{base}/models")
    office.get_by_role("button", name="Train a new version").click()
    expect(office.get_by_text("A training is under way.")).to_be_visible()
    work()
    office.goto(f"{base}/models/1")
    office.get_by_role("button", name="Promote version 1").click()
    expect(office.get_by_text("This version is the champion")).to_be_visible()
    work()
    office.goto(f"{base}/frontier/policy")
    office.get_by_label("Target precision").fill("70")
    office.get_by_label("Planned random labels").fill("120")
    office.get_by_label("On The machine decides").check()
    office.get_by_label("Reason", exact=True).fill("Broken cars are plain to see")
    office.get_by_role("button", name="Apply").click()
    expect(office.get_by_text("The policy is applied.")).to_be_visible()
    office.goto(f"{base}/frontier")
    office.get_by_role("button", name="Certify now").click()
    work()  # the plan is written before any label is drawn that counts for it
    office.goto(f"{base}/frontier")
    office.get_by_label("Random photos").fill(str(DRAWN))
    office.get_by_role("button", name="Request random labels").click()
    expect(office.get_by_text("were drawn at random and come before all others")).to_be_visible()
    drawn = Item.objects.filter(pk__in=known[TRAINED:], audit_drawn_at__isnull=False)
    settle(story.damage, drawn.values_list("pk", flat=True), shows)
    work()
    office.goto(f"{base}/frontier")
    expect(office.get_by_role("heading", name="of the pool is certified")).to_be_visible()
    expect(office.get_by_text("Certificate: 0 wrong of").first).to_be_visible()

    # A broken car: nobody is asked about the damage.
    film(reel, roll=1, striped=True, size=SIZE)
    address = story.link("34나 5678")
    other = phone()
    other.open(address)
    other.begin()
    photograph(other, SHOTS[:1])
    expect(other.shot("Front")).to_have_attribute("data-state", "accepted")
    film(reel, roll=2, size=SIZE)
    other.open(address)
    other.begin()
    photograph(other, SHOTS[1:])
    hand_in(other)
    work()
    page = story.evidence("34나 5678")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Out of service")
    front = page.get_by_role("region", name="Front")
    expect(front).to_contain_text("Broken")
    expect(front).to_contain_text("the machine, right in at least 70")
    expect(front.get_by_role("link", name="Why the machine decided so")).to_be_visible()
    sure = page.get_by_role("region", name="Accuracy")
    expect(sure).to_contain_text("At least 70")
    expect(sure).to_contain_text("1 answer was decided with the machine, proven right in at least 70")
    broken = Inspection.objects.select_related("verdict").get(asset__identifier="34나 5678")
    assert broken.verdict is not None and broken.verdict.by is None
    assert Annotation.objects.filter(project=story.damage).count() == 2 * 4, "of the first car alone"

    # A reviewer knows better.
    page.get_by_role("radio", name="Ready").check()
    page.get_by_label("Reason").fill("The stripes are the shadow of a fence")
    page.get_by_role("button", name="Overrule").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ready")
    expect(page.locator(".says").first).to_have_text("The stripes are the shadow of a fence")
    expect(page.get_by_text("rita said so.")).to_be_visible()
    expect(page.get_by_text("it would be: Out of service")).to_be_visible()
    work()
    broken.refresh_from_db()
    assert broken.outcome == "passed", "it stands"
