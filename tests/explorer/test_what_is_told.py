"""Nobody learns from a photo's page, or its address in the API, what would unblind them when they are asked about it."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.models import Item
from labeling.explorer.photo.history import Kind
from labeling.explorer.services import mend
from labeling.frontier.models import AutomaticDecision, CertificateEnd, DecisionOverruled
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.models import Annotation, Dispute, GroundTruth
from labeling.truth.services import Answer, Viewing
from tests.factories import join, make_project, photo_bytes
from tests.gateway.conftest import World, make_world

pytestmark = pytest.mark.django_db
#: Everybody who may look at a photo's page. All of them may be asked to label.
READERS = ("reviewer", "admin", "superuser")


@pytest.fixture
def world() -> World:
    return make_world()


def tell(world: World, item: Item, role: str) -> dict[str, Any]:
    response = world.client(role).get(
        reverse("api-item", kwargs={"slug": world.project.slug, "sha256": item.image.sha256})
    )
    assert response.status_code == 200, response.content
    return dict(response.json())


def page(world: World, item: Item, role: str) -> str:
    response = world.client(role).get(reverse("photo-page", args=[world.project.slug, item.pk]))
    assert response.status_code == 200
    main = re.search(r"<main.*?</main>", response.content.decode(), re.S)
    assert main is not None
    return re.sub(r"<select.*?</select>", "", html.unescape(main[0]), flags=re.S)


def kinds(told: dict[str, Any]) -> set[str]:
    return {each["kind"] for each in told["history"]}


def assert_untold(
    world: World, item: Item, *, status: str = "open", readers: tuple[str, ...] = READERS
) -> None:
    for role in readers:
        told = tell(world, item, role)
        assert (told["status"], told["class"], told["scores"]) == (status, "", None), role
        assert kinds(told) == {Kind.INTAKE}, role
        text = page(world, item, role)
        assert not re.search(r"\b(lina|sam|rosa)\b", text), role
        assert not re.search(r"Functional|Defective|Margin|[Cc]ertificate", text), role


def untouched(world: World) -> Item:
    """A photo that nobody has answered, that is not gold, and that the machine has not decided."""
    fresh = Item.objects.filter(project=world.project, annotations=None, gold=None, automatic_decisions=None)
    return fresh.order_by("pk")[0]


def answered(world: World, item: Item, *labels: str) -> None:
    for person, label in zip((world.labeler, world.second), labels, strict=False):
        truth.record_answer(
            project=world.project,
            labeler=person,
            key=uuid4(),
            answer=Answer("class", label),
            viewing=Viewing(item_id=item.pk, round=1, draw="rank", context={}, view_ms=900),
        )


def later(world: World) -> None:
    """When no ruling that was made so far can be taken back."""
    world.project.undo_seconds = 0
    world.project.save(update_fields=["undo_seconds"])


def test_a_photo_that_waits_tells_its_file_and_no_more(world: World) -> None:
    assert_untold(world, untouched(world))


def test_a_begun_photo_does_not_tell_the_answer_it_has(world: World) -> None:
    item = untouched(world)
    answered(world, item, "functional")
    assert_untold(world, item)


def test_a_disputed_photo_tells_that_it_is_one_as_the_desk_does(world: World) -> None:
    assert_untold(world, world.dispute.item, status="disputed")


def test_gold_looks_like_a_photo_that_waits(world: World) -> None:
    assert_untold(world, world.gold.item)


def test_what_was_gold_is_told_to_admins_who_chose_it(world: World) -> None:
    truth.retire_gold(gold=world.gold, by=world.admin)
    assert_untold(world, world.gold.item, readers=("reviewer",))
    told = tell(world, world.gold.item, "admin")
    assert (told["status"], told["class"]) == ("settled", "functional")
    assert Kind.GOLD in kinds(told)


def test_a_settled_photo_tells_everything(world: World) -> None:
    item = world.settled
    for role in READERS:
        told = tell(world, item, role)
        assert (told["status"], told["class"]) == ("settled", "functional")
        assert kinds(told) == {Kind.INTAKE, Kind.ANSWER, Kind.TRUTH}
        assert [each["by"] for each in told["history"] if each["kind"] == "answer"] == ["lina", "sam"]
        assert told["scores"]["probabilities"] == {"functional": 0.7, "defective": 0.3}
        text = page(world, item, role)
        assert "Ground truth: Functional" in text and "lina" in text and "Margin .40" in text
    assert (
        world.client("labeler").get(reverse("photo-page", args=[world.project.slug, item.pk])).status_code
        == 403
    )


def test_a_fresh_ruling_is_told_when_it_can_be_taken_back_no_more(world: World) -> None:
    truth.rule(
        project=world.project,
        dispute_id=world.dispute.pk,
        reviewer=world.reviewer,
        outcome="class",
        class_key="defective",
        comment="It is broken.",
    )
    assert_untold(world, world.dispute.item)
    later(world)
    told = tell(world, world.dispute.item, "reviewer")
    assert told["status"] == "settled"
    assert {Kind.DISPUTE, Kind.RULING} < kinds(told)
    assert "It is broken." in page(world, world.dispute.item, "admin")


def test_what_is_sent_back_is_asked_blind_again(world: World) -> None:
    item = world.settled
    mend(project=world.project, item=item, by=world.reviewer, outcome="send_back", comment="Look again.")
    assert_untold(world, item)


def test_a_correction_is_told_at_once_as_all_of_it_was_told_before(world: World) -> None:
    item = world.settled
    mend(
        project=world.project,
        item=item,
        by=world.reviewer,
        outcome="class",
        class_key="defective",
        comment="A crack.",
    )
    told = tell(world, item, "reviewer")
    assert (told["status"], told["class"]) == ("settled", "defective")
    assert GroundTruth.objects.filter(item=item).count() == 2
    assert [each["label"] for each in told["history"] if each["kind"] == "truth"] == [
        "functional",
        "defective",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"audit": True},
        {"mode": "shadow"},
        {"drawn": True},
        {"suspended": True},
        {"overruled": True},
        {"begun": True},
    ],
    ids=lambda change: next(iter(change), "alone"),
)
def test_a_decision_is_told_while_nobody_is_asked_about_its_photo(
    world: World, change: dict[str, Any]
) -> None:
    item = untouched(world)
    of = world.decision
    decision = AutomaticDecision.objects.create(
        project=world.project,
        item=item,
        certificate=of.certificate,
        model_version=of.model_version,
        label_class=of.label_class,
        confidence=0.4,
        probabilities=[0.7, 0.3],
        mode=change.get("mode", "on"),
        audit=change.get("audit", False),
    )
    if "drawn" in change:
        Item.objects.filter(pk=item.pk).update(audit_drawn_at=timezone.now())
    if "suspended" in change:
        CertificateEnd.objects.create(certificate=of.certificate, kind="suspended", reason="audit")
    if "overruled" in change:
        DecisionOverruled.objects.create(decision=decision, by=world.reviewer, reason="A crack.")
    if "begun" in change:
        answered(world, item, "functional")
    if change:
        assert_untold(world, item)
        return
    for role in READERS:
        told = tell(world, item, role)
        assert (told["status"], told["class"]) == ("decided", "functional")
        assert Kind.DECISION in kinds(told)
        assert told["scores"]["predicted"] == "functional"


def test_one_answer_that_the_machine_confirmed_waits_for_a_second_person(world: World) -> None:
    item = untouched(world)
    answered(world, item, "functional")
    GroundTruth.objects.create(
        project=world.project,
        item=item,
        kind="class",
        label_class=world.decision.label_class,
        origin="assisted",
        guideline=world.project.guidelines.get(),
    )
    assert_untold(world, item)


def test_another_project_is_named_to_those_who_may_see_it(world: World) -> None:
    item = world.settled
    project = make_project(slug="other")
    there = Item.objects.create(project=project, image=item.image, random_key=1.0)
    assert tell(world, item, "reviewer")["elsewhere"] == []
    join(project, world.reviewer, role="labeler")
    assert tell(world, item, "reviewer")["elsewhere"] == [{"project": "other", "id": None}]
    assert tell(world, item, "superuser")["elsewhere"] == [{"project": "other", "id": there.pk}]


def test_only_what_is_told_can_be_corrected(world: World) -> None:
    said = {"project": world.project, "by": world.reviewer, "outcome": "class", "comment": "Because."}
    for item in (untouched(world), world.dispute.item, world.gold.item):
        with pytest.raises(Refused) as refused:
            mend(item=item, class_key="defective", **said)
        assert refused.value.code == "not_told"
    item = world.settled
    for more, code in (
        ({"class_key": "functional"}, "nothing_changed"),
        ({"class_key": "purple"}, "unknown_class"),
        ({"class_key": "defective", "comment": "  "}, "invalid"),
    ):
        with pytest.raises(Refused) as refused:
            mend(item=item, **(said | more))
        assert refused.value.code == code
    assert not Dispute.objects.filter(item=item).exists(), "what is refused leaves nothing behind"
    assert Annotation.objects.filter(item=item).count() == 2


def test_who_answered_it_corrects_it_not(world: World) -> None:
    item = world.settled
    world.project.memberships.filter(user=world.labeler).update(role="reviewer")
    client = world.client("labeler")
    address = reverse("photo-mend", args=[world.project.slug, item.pk])
    sent = {"ruling": "class:defective", "comment": "A crack, see the corner."}
    refused = client.post(address, sent)
    assert refused.status_code == 409
    assert "A crack, see the corner." in refused.content.decode(), "what was typed stays"
    assert world.client("reviewer").post(address, sent).status_code == 302
    assert GroundTruth.objects.current().get(item=item).label_class.key == "defective"


def test_the_original_comes_under_its_name_and_byte_by_byte(world: World) -> None:
    Item.objects.filter(pk=world.photo.pk).update(name="현장/앞면 1.png")
    response = world.client("reviewer").get(
        reverse("photo-original", args=[world.project.slug, world.photo.pk])
    )
    assert response.content == photo_bytes(1)
    assert "filename*=utf-8''%EC%95%9E%EB%A9%B4%201.png" in response["Content-Disposition"]
