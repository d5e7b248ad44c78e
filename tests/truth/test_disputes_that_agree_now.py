"""When classes merge, or the rule asks for less, disputes whose answers agree are settled; all others wait on."""

from __future__ import annotations

import pytest

from labeling.catalog.models import Item, Project
from labeling.catalog.services import amend_guideline, update_settings
from labeling.people.models import User
from labeling.truth import services
from labeling.truth.current import open_dispute, truth_in_force
from labeling.truth.models import Dispute, Ruling
from tests.factories import make_items, make_member, make_project
from tests.truth.test_strict_rules import answer

pytestmark = pytest.mark.django_db

CLASSES = ("functional", "cracked", "broken")


def _merge(project: Project) -> None:
    amend_guideline(project=project, by=project.created_by, note="One word", merge={"cracked": "broken"})


def _differ(item: Item, first: tuple[User, str], second: tuple[User, str]) -> None:
    for person, choice in (first, second):
        answer(item.project, item, person, choice)


def test_a_merge_settles_what_was_only_two_words_for_one_thing() -> None:
    project = make_project(classes=CLASSES)
    ann, bob = make_member(project), make_member(project)
    same, other = make_items(project, 2)
    _differ(same, (ann, "cracked"), (bob, "broken"))
    _differ(other, (ann, "cracked"), (bob, "functional"))
    _merge(project)
    truth = truth_in_force(same.pk)
    assert truth is not None and truth.label_class is not None
    assert (truth.label_class.key, truth.origin) == ("broken", "agreement")
    assert truth.guideline.number == 1, "it rests on answers given under the first version"
    ruling = Ruling.objects.get(dispute__item=same)
    assert (ruling.outcome, ruling.reviewer) == ("withdrawn", None)
    assert truth_in_force(other.pk) is None
    assert open_dispute(other.pk) is not None


def test_what_a_person_put_before_a_reviewer_a_merge_leaves_there() -> None:
    project = make_project(classes=CLASSES)
    ann, bob = make_member(project), make_member(project)
    (item,) = make_items(project, 1)
    services.request_review(project=project, item=item, by=project.created_by, note="Look twice")
    _differ(item, (ann, "cracked"), (bob, "broken"))
    _merge(project)
    assert open_dispute(item.pk) is not None
    assert truth_in_force(item.pk) is None


def test_a_held_photo_stays_in_review_and_so_does_one_that_other_words_do_not_touch() -> None:
    project = make_project(classes=CLASSES)
    ann, bob = make_member(project), make_member(project)
    held, ruled = make_items(project, 2)
    answer(project, held, ann, "cracked")
    answer(project, held, bob, kind="hold", reason="between")
    _differ(ruled, (ann, "cracked"), (bob, "broken"))
    dispute = Dispute.objects.get(item=ruled)
    reviewer = make_member(project, "reviewer")
    services.rule(
        project=project, dispute_id=dispute.pk, reviewer=reviewer, outcome="unusable", reason="blurred"
    )
    _merge(project)
    assert open_dispute(held.pk) is not None
    truth = truth_in_force(ruled.pk)
    assert truth is not None and truth.kind == "unusable", "a ruling stands"


def test_answers_of_an_earlier_round_settle_nothing() -> None:
    project = make_project(classes=CLASSES)
    ann, bob = make_member(project), make_member(project)
    (item,) = make_items(project, 1)
    _differ(item, (ann, "cracked"), (bob, "broken"))
    services.rule(
        project=project,
        dispute_id=Dispute.objects.get(item=item).pk,
        reviewer=make_member(project, "reviewer"),
        outcome="send_back",
        comment="Look at the corner",
    )
    answer(project, item, ann, "cracked", round=2)
    _merge(project)
    assert truth_in_force(item.pk) is None


def test_a_rule_that_asks_for_less_settles_them_too() -> None:
    project = make_project(classes=CLASSES, answers_per_image=3)
    people = [make_member(project) for _ in range(3)]
    (item,) = make_items(project, 1)
    for person, choice in zip(people, ("broken", "broken", "functional"), strict=True):
        answer(project, item, person, choice)
    assert open_dispute(item.pk) is not None
    update_settings(project=project, by=project.created_by, rule="k_of_n", agreement_k=2)
    truth = truth_in_force(item.pk)
    assert truth is not None and truth.label_class is not None and truth.label_class.key == "broken"
