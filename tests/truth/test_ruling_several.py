"""Several disputes are ruled alike: each by itself, whatever becomes of another, and all of it can be taken back."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from labeling.refusals import Refused
from labeling.truth import services
from labeling.truth.current import open_dispute, truth_in_force
from labeling.truth.models import Dispute, GroundTruth, Ruling
from labeling.truth.ruling_several import MOST
from tests.factories import make_items
from tests.truth.test_review_page import DESK, Scene, answered

pytestmark = pytest.mark.django_db


def several(scene: Scene) -> str:
    return reverse("review-several", args=[scene.project.slug])


def test_one_that_cannot_be_ruled_never_stops_the_others_and_is_named_with_its_reason() -> None:
    scene = Scene(count=3)
    own_item = make_items(scene.project, 1)[0]
    answered(scene.project, own_item, scene.reviewer, "functional")
    answered(scene.project, own_item, scene.zoe, "defective")
    own = Dispute.objects.get(item=own_item)
    other = scene.client(scene.project.created_by)
    other.post(scene.url(dispute=scene.disputes[0]), {"ruling": "class:functional"})
    nowhere = uuid.uuid4()

    done, left = services.rule_alike(
        project=scene.project,
        dispute_ids=[*(each.pk for each in scene.disputes), own.pk, nowhere, scene.disputes[1].pk],
        reviewer=scene.reviewer,
        outcome="class",
        class_key="defective",
        note="A crack",
    )
    assert {each.dispute_id for each in done} == {each.pk for each in scene.disputes[1:]}
    assert {each.note for each in done} == {"A crack"}
    assert [(each.name, each.why.split(".")[0]) for each in left] == [
        (scene.items[0].name, "Somebody has just ruled on this photo"),
        (own_item.name, "You answered this photo yourself, so somebody else must rule on it"),
        (str(nowhere), "There is no such dispute in this project"),
    ]
    settled = GroundTruth.objects.current().filter(item__in=scene.items)
    assert {each.item_id: each.label_class.key for each in settled} == {  # type: ignore[union-attr]
        scene.items[0].pk: "functional",
        scene.items[1].pk: "defective",
        scene.items[2].pk: "defective",
    }
    assert truth_in_force(own_item.pk) is None


def test_what_could_be_no_ruling_rules_on_nothing() -> None:
    scene = Scene(count=2)
    ids = [each.pk for each in scene.disputes]
    for given in (
        {"outcome": "class", "class_key": "purple"},
        {"outcome": "send_back"},
        {"outcome": "hold", "reason": "blurred"},
        {"outcome": "nothing"},
    ):
        with pytest.raises(Refused) as refused:
            services.rule_alike(
                project=scene.project,
                dispute_ids=ids,
                reviewer=scene.reviewer,
                **given,  # type: ignore[arg-type]
            )
        assert refused.value.status == 422
    for wrong in ([], [uuid.uuid4() for _ in range(MOST + 1)]):
        with pytest.raises(Refused, match="Mark at"):
            services.rule_alike(
                project=scene.project, dispute_ids=wrong, reviewer=scene.reviewer, outcome="hold"
            )
    assert not Ruling.objects.exists()


def test_several_are_taken_back_at_once_and_what_cannot_be_is_named() -> None:
    scene = Scene(count=3)
    ids = [each.pk for each in scene.disputes]
    services.rule_alike(
        project=scene.project,
        dispute_ids=ids[:2],
        reviewer=scene.reviewer,
        outcome="class",
        class_key="defective",
    )
    back, left = services.undo_rulings(project=scene.project, dispute_ids=ids, reviewer=scene.reviewer)
    assert {each.item_id for each in back} == {item.pk for item in scene.items[:2]}
    assert [(each.name, each.why) for each in left] == [
        (scene.items[2].name, "There is no ruling of yours on this photo.")
    ]
    assert all(open_dispute(item.pk) for item in scene.items)
    assert not GroundTruth.objects.current().filter(item__in=scene.items).exists()


def test_the_grid_tells_answers_without_names_and_leaves_own_ones_out() -> None:
    scene = Scene(count=2)
    own_item = make_items(scene.project, 1)[0]
    answered(scene.project, own_item, scene.reviewer, "functional")
    answered(scene.project, own_item, scene.zoe, "hold", comment="secret of zoe")
    page = scene.client().get(several(scene)).content.decode()
    assert page.count('name="dispute"') == 2
    assert f'value="{Dispute.objects.get(item=own_item).pk}"' not in page
    for hidden in ("zoe-one", "yan-two", "secret of zoe"):
        assert hidden not in page


def test_the_page_says_what_was_done_and_what_not() -> None:
    scene = Scene(count=3)
    client = scene.client()
    client.post(scene.url(dispute=scene.disputes[0]), {"ruling": "hold"})
    marked = {"dispute": [str(each.pk) for each in scene.disputes], "ruling": "class:functional"}
    response = client.post(several(scene), marked, headers=DESK)
    page = response.content.decode()
    assert response.status_code == 200
    assert "2 photos are ruled: <b>Functional</b>" in page
    assert "One photo stayed as it was" in page
    assert "just ruled" in page
    assert page.count('type="hidden" name="dispute"') == 2, "both can be taken back"
    again = client.post(several(scene), marked, headers=DESK)
    assert again.status_code == 409
    assert "3 photos stayed as they" in " ".join(again.content.decode().split())
    for wrong in (
        {"ruling": "class:functional"},
        marked | {"ruling": "class:purple"},
        marked | {"ruling": ""},
    ):
        assert client.post(several(scene), wrong, headers=DESK).status_code == 422
    assert client.post(several(scene), {"dispute": "x", "ruling": "hold"}).status_code == 422
