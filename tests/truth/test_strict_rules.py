"""From blind answers to ground truth, by the project's rule and no other way."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from labeling.catalog.models import Item, Project
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth import services
from labeling.truth.consensus import consensus
from labeling.truth.current import open_dispute, pause_of, truth_in_force
from labeling.truth.models import Annotation, Dispute, GroundTruth, Ruling
from labeling.truth.services import Answer
from tests.factories import make_items, make_member, make_project

pytestmark = pytest.mark.django_db


def answer(
    project: Project,
    item: Item,
    labeler: User,
    choice: str = "functional",
    *,
    kind: str = "class",
    reason: str = "",
    draw: str = "rank",
    round: int = 1,
    **more: object,
) -> Annotation:
    fields: dict[str, object] = {"view_ms": 500, "key": uuid4(), "checklist": ()} | more
    return services.record_answer(
        project=project,
        labeler=labeler,
        key=fields["key"],  # type: ignore[arg-type]
        answer=Answer(
            kind=kind,
            class_key=choice if kind == "class" else "",
            reason=reason,
            checklist=fields["checklist"],  # type: ignore[arg-type]
        ),
        viewing=services.Viewing(
            item_id=item.pk,
            round=round,
            draw=draw,
            context=fields.get("context", {}),  # type: ignore[arg-type]
            view_ms=fields["view_ms"],  # type: ignore[arg-type]
            guideline=fields.get("under"),  # type: ignore[arg-type]
        ),
    )


def test_two_answers_that_agree_make_ground_truth() -> None:
    project = make_project()
    ann, bob = make_member(project), make_member(project)
    [item] = make_items(project, 1)
    answer(project, item, ann)
    assert truth_in_force(item.pk) is None
    answer(project, item, bob)
    truth = truth_in_force(item.pk)
    assert truth is not None and truth.label_class.key == "functional" and truth.origin == "agreement"


def test_answers_that_differ_go_to_review_and_the_ruling_is_the_truth() -> None:
    project = make_project()
    ann, bob, rev = make_member(project), make_member(project), make_member(project, "reviewer")
    [item] = make_items(project, 1)
    answer(project, item, ann)
    answer(project, item, bob, "defective")
    dispute = open_dispute(item.pk)
    assert dispute is not None and dispute.cause == "disagreement" and truth_in_force(item.pk) is None
    services.rule(
        project=project, dispute_id=dispute.pk, reviewer=rev, outcome="class", class_key="defective"
    )
    truth = truth_in_force(item.pk)
    assert truth is not None and truth.origin == "ruling" and truth.ruling.reviewer == rev
    with pytest.raises(Refused) as refusal:
        services.rule(project=project, dispute_id=dispute.pk, reviewer=rev, outcome="hold")
    assert refusal.value.code == "already_ruled"


def test_a_hold_goes_to_review_without_asking_a_second_person_in_vain() -> None:
    project = make_project()
    [item] = make_items(project, 1)
    answer(project, item, make_member(project), kind="hold", reason="between")
    dispute = open_dispute(item.pk)
    assert dispute is not None and dispute.cause == "hold"


def test_two_who_call_it_unusable_settle_it_as_unusable() -> None:
    project = make_project()
    [item] = make_items(project, 1)
    for _ in range(2):
        answer(project, item, make_member(project), kind="unusable", reason="blurred")
    truth = truth_in_force(item.pk)
    assert truth is not None and truth.kind == "unusable"
    assert not GroundTruth.objects.trainable().exists()


@pytest.mark.parametrize(
    ("given", "wanted", "needed", "state"),
    [
        ([1], 3, 2, "wait"),
        ([1, 1], 3, 2, "agreed"),
        ([1, 2], 3, 2, "wait"),
        ([1, 2, 3], 3, 2, "disputed"),
        ([1, None], 3, 2, "wait"),
        ([1, None], 3, 3, "disputed"),
        ([1, 4], 2, 2, "agreed"),
        ([5, 5], 2, 2, "disputed"),
    ],
)
def test_the_verdict_comes_as_soon_as_it_is_certain(
    given: list[int | None], wanted: int, needed: int, state: str
) -> None:
    """Class 4 was merged into 1; class 5 is retired; None is a hold."""
    answers = [
        Annotation(kind="hold" if choice is None else "class", label_class_id=choice) for choice in given
    ]
    resolution = {1: 1, 2: 2, 3: 3, 4: 1, 5: None}
    assert consensus(answers, wanted=wanted, needed=needed, resolution=resolution).state == state


def test_a_reviewer_cannot_rule_on_a_photo_that_they_answered() -> None:
    project = make_project()
    rev, bob = make_member(project, "reviewer"), make_member(project)
    [item] = make_items(project, 1)
    answer(project, item, rev)
    answer(project, item, bob, "defective")
    dispute = open_dispute(item.pk)
    assert dispute is not None
    with pytest.raises(Refused) as refusal:
        services.rule(project=project, dispute_id=dispute.pk, reviewer=rev, outcome="hold")
    assert refusal.value.code == "own_answer"


def test_sending_back_asks_again_in_a_new_round() -> None:
    project = make_project()
    ann, bob, rev = make_member(project), make_member(project), make_member(project, "reviewer")
    [item] = make_items(project, 1)
    answer(project, item, ann)
    answer(project, item, bob, "defective")
    first = open_dispute(item.pk)
    assert first is not None
    with pytest.raises(Refused):
        services.rule(project=project, dispute_id=first.pk, reviewer=rev, outcome="send_back")
    services.rule(
        project=project, dispute_id=first.pk, reviewer=rev, outcome="send_back", comment="See the corner"
    )
    answer(project, item, ann, "defective", round=2)
    answer(project, item, bob, "defective", round=2)
    truth = truth_in_force(item.pk)
    assert truth is not None and truth.label_class.key == "defective"


def test_undo_is_a_new_row_and_withdraws_what_followed() -> None:
    project = make_project()
    ann, bob = make_member(project), make_member(project)
    [item] = make_items(project, 1)
    answer(project, item, ann)
    second = answer(project, item, bob)
    services.retract_answer(project=project, labeler=bob, key=second.key)
    services.retract_answer(project=project, labeler=bob, key=second.key)
    assert truth_in_force(item.pk) is None
    assert GroundTruth.objects.filter(item=item).count() == 2, "the first truth is kept, and superseded"
    answer(project, item, bob, "defective")
    assert open_dispute(item.pk) is not None
    assert Annotation.objects.filter(item=item).count() == 3


def test_undo_dissolves_the_dispute_that_it_caused_but_not_a_ruled_one() -> None:
    project = make_project()
    ann, bob, rev = make_member(project), make_member(project), make_member(project, "reviewer")
    one, two = make_items(project, 2)
    for item in (one, two):
        answer(project, item, ann)
        last = answer(project, item, bob, "defective")
        if item is two:
            services.rule(project=project, dispute_id=open_dispute(two.pk).pk, reviewer=rev, outcome="hold")
            with pytest.raises(Refused) as refusal:
                services.retract_answer(project=project, labeler=bob, key=last.key)
            assert refusal.value.code == "already_ruled"
        else:
            services.retract_answer(project=project, labeler=bob, key=last.key)
            assert open_dispute(one.pk) is None
            assert Ruling.objects.get(dispute__item=one).outcome == "withdrawn"


def test_undo_ends_with_its_window() -> None:
    project = make_project(undo_seconds=0)
    ann = make_member(project)
    [item] = make_items(project, 1)
    given = answer(project, item, ann)
    with pytest.raises(Refused) as refusal:
        services.retract_answer(project=project, labeler=ann, key=given.key)
    assert refusal.value.code == "undo_too_late"


def test_the_database_refuses_a_second_standing_answer_and_any_change() -> None:
    project = make_project()
    ann = make_member(project)
    [item] = make_items(project, 1)
    given = answer(project, item, ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        answer(project, item, ann)
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        Annotation.objects.filter(pk=given.pk).update(comment="changed")
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        Annotation.objects.filter(pk=given.pk).delete()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"choice": "nonsense"}, "unknown_class"),
        ({"kind": "hold", "reason": "whim"}, "invalid"),
        ({"kind": "unusable", "reason": ""}, "invalid"),
        ({"kind": "maybe"}, "invalid"),
        ({"view_ms": 20}, "too_fast"),
    ],
)
def test_a_bad_answer_is_refused_and_nothing_is_stored(fields: dict[str, object], code: str) -> None:
    project = make_project(min_view_ms=200)
    [item] = make_items(project, 1)
    with pytest.raises(Refused) as refusal, transaction.atomic():
        answer(project, item, make_member(project), **fields)  # type: ignore[arg-type]
    assert refusal.value.code == code and refusal.value.status == 422
    assert not Annotation.objects.exists()


def test_a_labeler_under_the_bar_is_paused_and_unconfirmed_answers_go_to_review() -> None:
    project = make_project(gold_window=4, gold_bar=0.8)
    ann, bob, admin = make_member(project), make_member(project), project.created_by
    pending, settled, *golds = make_items(project, 10)
    answer(project, pending, ann)
    for person in (ann, bob):
        answer(project, settled, person)
    for item in golds[:4]:
        services.add_gold(project=project, item=item, class_key="functional", by=admin)
    for index, item in enumerate(golds[:4]):
        assert pause_of(project, ann) is None
        answer(project, item, ann, "functional" if index < 2 else "defective", draw="gold")
    pause = pause_of(project, ann)
    assert pause is not None and (pause.correct, pause.asked) == (2, 4)
    assert [dispute.item_id for dispute in Dispute.objects.open()] == [pending.pk]
    assert project.activities.filter(kind="labeler_paused").exists()
    assert pause_of(project, bob) is None

    services.lift_pause(project=project, labeler=ann, by=admin)
    services.add_gold(project=project, item=golds[4], class_key="functional", by=admin)
    answer(project, golds[4], ann, "defective", draw="gold")
    assert pause_of(project, ann) is None, "the record starts afresh"


def test_gold_answers_neither_make_truth_nor_train() -> None:
    project = make_project()
    [item] = make_items(project, 1)
    services.add_gold(project=project, item=item, class_key="defective", by=project.created_by)
    for _ in range(2):
        answer(project, item, make_member(project), draw="gold")
    truth = truth_in_force(item.pk)
    assert truth is not None and truth.label_class.key == "defective"
    assert GroundTruth.objects.filter(item=item).count() == 1
    assert not GroundTruth.objects.trainable().exists()


def test_wrong_gold_is_put_right_by_a_reviewer_and_the_refusal_says_so() -> None:
    project = make_project()
    admin = project.created_by
    [item] = make_items(project, 1)
    gold = services.add_gold(project=project, item=item, class_key="defective", by=admin)
    with pytest.raises(Refused, match=r"is gold already, as defective. Retire it"):
        services.add_gold(project=project, item=item, class_key="functional", by=admin)
    services.retire_gold(gold=gold, by=admin)
    with pytest.raises(Refused, match=r"was gold as defective.*Send it to review"):
        services.add_gold(project=project, item=item, class_key="functional", by=admin)
    dispute = services.request_review(project=project, item=item, by=admin)
    services.rule(
        project=project, dispute_id=dispute.pk, reviewer=admin, outcome="class", class_key="functional"
    )
    truth = truth_in_force(item.pk)
    assert truth is not None and truth.label_class is not None and truth.label_class.key == "functional"
    assert services.add_gold(project=project, item=item, class_key="defective", by=admin).retired_at is None


def test_a_checklist_is_asked_for_when_the_project_says_so() -> None:
    project = make_project(checklist_required=True)
    from labeling.catalog.services import amend_guideline

    amend_guideline(
        project=project,
        by=project.created_by,
        note="Checklist",
        checklist={"functional": ["No crack", "Even brightness"]},
    )
    [item] = make_items(project, 1)
    with pytest.raises(Refused) as refusal, transaction.atomic():
        answer(project, item, make_member(project), checklist=("No crack",))
    assert refusal.value.code == "checklist_incomplete"
    answer(project, item, make_member(project), checklist=("No crack", "Even brightness"))
