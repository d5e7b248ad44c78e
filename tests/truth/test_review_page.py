"""The review page: one dispute in one view, blind until ruled, one post a ruling."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Exemplar, Item, Project, Role
from labeling.catalog.selectors import current_guideline
from labeling.people.models import User
from labeling.truth import selectors, services
from labeling.truth.models import Dispute, GroundTruth, Outcome, Ruling
from tests.factories import make_items, make_member, make_project

pytestmark = pytest.mark.django_db
DESK = {"X-Hilltop-Desk": "1"}


def answered(project: Project, item: Item, labeler: User, said: str, comment: str = "") -> None:
    services.record_answer(
        project=project,
        labeler=labeler,
        key=uuid.uuid4(),
        answer=services.Answer("hold", reason="hidden", comment=comment)
        if said == "hold"
        else services.Answer("class", class_key=said, comment=comment),
        viewing=services.Viewing(item_id=item.pk, round=1, draw="rank", context={}, view_ms=1500),
    )


class Scene:
    """A project with ``count`` photos in dispute between zoe-one and yan-two."""

    def __init__(self, count: int = 1, prefix: str = "") -> None:
        self.project = make_project()
        self.zoe = make_member(self.project, username=f"{prefix}zoe-one")
        self.yan = make_member(self.project, username=f"{prefix}yan-two")
        self.reviewer = make_member(self.project, Role.REVIEWER, username=f"{prefix}rita-rev")
        self.items = make_items(self.project, count)
        for item in self.items:
            answered(self.project, item, self.zoe, "functional")
            answered(self.project, item, self.yan, "defective", comment="a dark corner")
        self.disputes = list(selectors.open_disputes(self.project))

    def client(self, user: User | None = None) -> Client:
        client = Client()
        client.force_login(user or self.reviewer)
        return client

    def url(self, name: str = "review-ruling", dispute: Dispute | None = None) -> str:
        return reverse(name, args=[self.project.slug, (dispute or self.disputes[0]).pk])

    @property
    def review(self) -> str:
        return reverse("review", args=[self.project.slug])


def test_a_labeler_cannot_open_review_nor_rule() -> None:
    scene = Scene()
    client = scene.client(scene.zoe)
    assert client.get(scene.review).status_code == 403
    assert client.get(scene.url("review-dispute")).status_code == 403
    assert client.post(scene.url(), {"ruling": "class:functional"}).status_code == 403
    assert not Ruling.objects.exists()


def test_a_stranger_learns_nothing_of_the_dispute() -> None:
    scene = Scene()
    other = Scene(prefix="other-")
    assert scene.client(other.reviewer).get(scene.review).status_code == 404
    foreign = reverse("review-dispute", args=[other.project.slug, scene.disputes[0].pk])
    assert scene.client(other.reviewer).get(foreign).status_code == 404


def test_answers_are_shown_by_letter_without_names_until_ruled() -> None:
    scene = Scene()
    page = scene.client().get(scene.review).content.decode()
    assert "a dark corner" in page
    assert "zoe-one" not in page
    assert "yan-two" not in page
    letters = [a.letter for a in selectors.dispute_detail(scene.disputes[0]).answers]
    assert letters == ["A", "B"]

    services.rule(
        project=scene.project,
        dispute_id=scene.disputes[0].pk,
        reviewer=scene.reviewer,
        outcome=Outcome.CLASS,
        class_key="defective",
    )
    page = scene.client().get(scene.url("review-dispute")).content.decode()
    assert "zoe-one" in page
    assert "yan-two" in page


def test_letters_do_not_follow_who_answered_first() -> None:
    scene = Scene(count=16)
    first = {
        next(a.letter for a in selectors.dispute_detail(d).answers if a.class_key == "functional")
        for d in scene.disputes
    }
    assert first == {"A", "B"}, "zoe answered first each time, and must not be A each time"


def test_a_ruling_makes_ground_truth_and_brings_the_next_dispute_at_once() -> None:
    scene = Scene(count=2)
    response = scene.client().post(scene.url(), {"ruling": "class:defective"}, headers=DESK)
    assert response.status_code == 200
    page = response.content.decode()
    assert f'data-dispute="{scene.disputes[1].pk}"' in page
    assert "Ruled: Defective." in page
    assert "<html" not in page
    truth = GroundTruth.objects.get(item=scene.items[0])
    assert truth.label_class is not None
    assert truth.label_class.key == "defective"


def test_without_script_a_ruling_leads_to_the_next_page_and_at_last_to_the_finished_state() -> None:
    scene = Scene(count=2)
    client = scene.client()
    response = client.post(scene.url(), {"ruling": "hold", "hold_reason": "between"})
    assert response.headers["Location"] == scene.url("review-dispute", scene.disputes[1])
    response = client.post(scene.url(dispute=scene.disputes[1]), {"ruling": "unusable"}, follow=True)
    assert "Nothing is in dispute" in response.content.decode()
    assert set(Ruling.objects.values_list("outcome", "reason")) == {
        ("hold", "between"),
        ("unusable", "other"),
    }


def test_sending_back_without_a_comment_is_refused_and_the_dispute_stays() -> None:
    scene = Scene()
    response = scene.client().post(scene.url(), {"ruling": "send_back"}, headers=DESK)
    assert response.status_code == 422
    assert "what the labelers should look at" in response.content.decode()
    assert selectors.open_disputes(scene.project).count() == 1


def test_an_unknown_ruling_or_class_is_refused_with_what_was_typed_kept() -> None:
    scene = Scene()
    for ruling in ("", "withdrawn", "class:purple"):
        response = scene.client().post(scene.url(), {"ruling": ruling, "comment": "so I typed"}, headers=DESK)
        assert response.status_code == 422
        assert "so I typed" in response.content.decode()
    assert not Ruling.objects.exists()


def test_a_second_ruling_is_refused_and_shows_the_first() -> None:
    scene = Scene()
    client = scene.client()
    client.post(scene.url(), {"ruling": "class:defective"})
    response = client.post(scene.url(), {"ruling": "class:functional"}, headers=DESK)
    assert response.status_code == 409
    assert "just ruled" in response.content.decode()
    assert Ruling.objects.count() == 1


def test_a_reviewer_who_answered_is_told_so_and_sees_no_other_answer() -> None:
    scene = Scene(count=1)
    item = make_items(scene.project, 1)[0]
    answered(scene.project, item, scene.reviewer, "functional")
    answered(scene.project, item, scene.zoe, "hold", comment="secret of zoe")
    own = Dispute.objects.get(item=item)
    page = scene.client().get(scene.url("review-dispute", own)).content.decode()
    assert "You answered this photo yourself" in page
    assert "secret of zoe" not in page
    assert scene.client().post(scene.url(dispute=own), {"ruling": "hold"}, headers=DESK).status_code == 409

    scene.client().post(scene.url(), {"ruling": "hold"})
    page = scene.client().get(scene.review).content.decode()
    assert "The open disputes need somebody else" in page


def test_earlier_rounds_keep_each_persons_letter() -> None:
    scene = Scene()
    before = {a.class_key: a.letter for a in selectors.dispute_detail(scene.disputes[0]).answers}
    services.rule(
        project=scene.project,
        dispute_id=scene.disputes[0].pk,
        reviewer=scene.reviewer,
        outcome=Outcome.SEND_BACK,
        comment="look at the corner",
    )
    for labeler, said in ((scene.yan, "defective"), (scene.zoe, "functional")):
        services.record_answer(
            project=scene.project,
            labeler=labeler,
            key=uuid.uuid4(),
            answer=services.Answer("class", class_key=said),
            viewing=services.Viewing(
                item_id=scene.items[0].pk, round=2, draw="rank", context={}, view_ms=1500
            ),
        )
    detail = selectors.dispute_detail(selectors.open_disputes(scene.project).get())
    assert {a.class_key: a.letter for a in detail.answers} == before
    assert [r.number for r in detail.earlier] == [1]
    assert detail.earlier[0].ruling is not None
    assert detail.earlier[0].ruling.comment == "look at the corner"


def test_amending_the_criteria_publishes_a_version_and_stays_on_the_dispute() -> None:
    scene = Scene()
    sha = scene.items[0].image.sha256
    response = scene.client().post(
        scene.url("review-amend"),
        {
            "base": 1,
            "note": "Corners count",
            "criteria-functional": "What makes a photo functional.",
            "criteria-defective": "A dark corner counts.",
            "exemplar_for": "defective",
            "meaning": "changed",
        },
        headers=DESK,
    )
    assert response.status_code == 200
    assert f'data-dispute="{scene.disputes[0].pk}"' in response.content.decode()
    guideline = current_guideline(scene.project)
    assert (guideline.number, guideline.note) == (2, "Corners count")
    assert dict(guideline.definitions.values_list("label_class__key", "criteria")) == {
        "functional": "What makes a photo functional.",
        "defective": "A dark corner counts.",
    }
    shown = Exemplar.objects.filter(definition__guideline=guideline)
    assert list(shown.values_list("definition__label_class__key", "image__sha256")) == [("defective", sha)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"note": ""}, "Say in a few words"),
        ({"criteria-defective": "What makes a photo defective."}, "Nothing changed"),
        ({"base": 7}, "while you were editing"),
        ({"exemplar_for": "purple"}, "no such class"),
        ({"meaning": ""}, "press one of the two buttons"),
    ],
)
def test_an_amendment_that_cannot_be_is_refused_with_the_text_kept(
    changes: dict[str, str], said: str
) -> None:
    scene = Scene()
    data = {"base": 1, "note": "because", "criteria-defective": "New words.", "meaning": "same"} | changes
    response = scene.client().post(scene.url("review-amend"), data, headers=DESK)
    assert 400 <= response.status_code < 500
    page = response.content.decode()
    assert said in page
    assert str(data["criteria-defective"]) in page
    assert current_guideline(scene.project).number == 1


def test_a_slip_can_be_put_before_reviewers_again() -> None:
    scene = Scene()
    client = scene.client()
    client.post(scene.url(), {"ruling": "class:functional"})
    client.post(scene.url("review-again"), {"note": "slip"})
    fresh = selectors.open_disputes(scene.project).get()
    client.post(scene.url(dispute=fresh), {"ruling": "class:defective"})
    assert Ruling.objects.count() == 2
    current = GroundTruth.objects.current().get(item=scene.items[0])
    assert current.label_class is not None
    assert current.label_class.key == "defective"


def test_the_labelers_page_is_for_admins_and_lets_a_paused_labeler_go_on() -> None:
    scene = Scene()
    from labeling.truth.models import Pause

    Pause.objects.create(project=scene.project, labeler=scene.zoe, correct=1, asked=20, bar=0.8)
    url = reverse("labelers", args=[scene.project.slug])
    assert scene.client().get(url).status_code == 403
    assert scene.client(scene.zoe).get(url).status_code == 403
    admin = scene.client(scene.project.created_by)
    page = admin.get(url).content.decode()
    assert "paused at 1/20" in page
    resume = reverse("labelers-resume", args=[scene.project.slug, "zoe-one"])
    assert scene.client().post(resume).status_code == 403
    admin.post(resume)
    assert Pause.objects.get().lifted_by == scene.project.created_by
    assert admin.post(resume).status_code == 409


def test_gold_is_added_from_a_found_photo_and_retired() -> None:
    scene = Scene()
    fresh = make_items(scene.project, 1)[0]
    admin = scene.client(scene.project.created_by)
    add = reverse("gold-add", args=[scene.project.slug])
    page = admin.get(reverse("labelers", args=[scene.project.slug]), {"find": fresh.image.sha256[:20]})
    assert fresh.image.sha256 in page.content.decode()
    browsing = admin.get(reverse("labelers", args=[scene.project.slug]), {"find": ""}).content.decode()
    offered = 'name="sha256" value="{}"'.format
    assert offered(fresh.image.sha256) in browsing
    assert offered(scene.items[0].image.sha256) not in browsing, "an answered photo cannot be asked blind"
    admin.post(add, {"sha256": fresh.image.sha256, "class_key": "defective"})
    gold = scene.project.golds.get()
    assert gold.item == fresh
    assert (
        admin.post(add, {"sha256": scene.items[0].image.sha256, "class_key": "defective"}).status_code == 409
    )
    assert admin.post(add, {"sha256": "nonsense", "class_key": "defective"}).status_code == 422
    assert admin.post(add, {"sha256": "0" * 64, "class_key": "defective"}).status_code == 404
    admin.post(reverse("gold-retire", args=[scene.project.slug, gold.pk]))
    gold.refresh_from_db()
    assert gold.retired_at is not None
