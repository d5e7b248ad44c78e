"""A photo that one answer settled, because it is what the machine says, gives way to whatever people settle strictly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from labeling.catalog.models import Item, Project
from labeling.catalog.services import amend_guideline, update_settings
from labeling.exchange import provenance
from labeling.overview.dashboard.history import history
from labeling.overview.project_cards import project_cards
from labeling.people.models import User
from labeling.queue.selectors import progress
from labeling.refusals import Refused
from labeling.truth import events, services
from labeling.truth.alpha import alpha_by_band
from labeling.truth.current import open_dispute, truth_in_force
from labeling.truth.models import Annotation, GroundTruth, Origin, TruthKind
from labeling.truth.quality.agreement import agreement
from labeling.truth.quality.labelers import labeler_figures
from labeling.truth.tallies import settled_count
from labeling.truth.tasks import answers_frame, krippendorff, settled_values
from tests.factories import make_items, make_member, make_project
from tests.truth.test_strict_rules import answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Iterator[list[tuple[str, Any]]]:
    """What truth told the rooms above, in order: (signal, item id)."""
    told: list[tuple[str, Any]] = []
    named = {name: getattr(events, name) for name in ("answer_waits", "settled", "disputed", "reopened")}

    def listener(name: str) -> Any:
        def hear(item_id: int = 0, item_ids: Any = (), rounds: Any = (), **_: Any) -> None:
            told.extend((name, each) for each in (item_ids or rounds or [item_id]))

        return hear

    listeners = {name: listener(name) for name in named}
    for name, signal in named.items():
        signal.connect(listeners[name])
    yield told
    for name, signal in named.items():
        signal.disconnect(listeners[name])


def assisted(project: Project, labeler: User, choice: str = "functional") -> tuple[Item, Annotation]:
    [item] = make_items(project, 1)
    annotation = answer(project, item, labeler, choice)
    services.settle_by_answer(project=project, annotation=annotation)
    return item, annotation


def origin(item: Item) -> str | None:
    truth = truth_in_force(item.pk)
    return truth.origin if truth else None


# -- the signal ------------------------------------------------------------------------------------------------


def test_an_answer_that_leaves_a_photo_open_says_so_and_others_do_not(heard: list[tuple[str, Any]]) -> None:
    project = make_project(answers_per_image=2)
    ann, bob = make_member(project), make_member(project)
    first, second = make_items(project, 2)
    answer(project, first, ann)
    assert heard == [("answer_waits", first.pk)]
    answer(project, first, bob)
    assert heard[1:] == [("settled", first.pk)]
    answer(project, second, ann)
    answer(project, second, bob, "defective")
    assert heard[2:] == [("answer_waits", second.pk), ("disputed", second.pk)]


def test_a_gold_answer_and_one_of_a_paused_person_wait_for_nobody(heard: list[tuple[str, Any]]) -> None:
    project = make_project(gold_window=3, gold_bar=1.0)
    ann = make_member(project)
    golds = make_items(project, 3)
    for gold in golds:
        services.add_gold(
            project=project, item=gold, class_key="functional", by=project.memberships.get(role="admin").user
        )
    heard.clear()
    for gold in golds:
        answer(project, gold, ann, "defective", draw="gold")
    assert heard == []
    [item] = make_items(project, 1)
    answer(project, item, ann)  # taken before the pause was noticed
    assert heard == [("disputed", item.pk)]


# -- settling ----------------------------------------------------------------------------------------------------


def test_one_answer_settles_a_photo_as_an_assisted_label(heard: list[tuple[str, Any]]) -> None:
    project = make_project()
    item, annotation = assisted(project, make_member(project))
    truth = truth_in_force(item.pk)
    assert truth is not None
    assert (truth.origin, truth.kind, truth.label_class) == ("assisted", "class", annotation.label_class)
    assert truth.guideline == annotation.guideline and truth.draw == "rank"
    assert heard[-1] == ("settled", item.pk)
    assert truth in GroundTruth.objects.current() and truth in GroundTruth.objects.assisted()
    assert truth not in GroundTruth.objects.strict()


def test_it_stands_under_the_guideline_that_its_answer_was_given_under() -> None:
    project = make_project()
    ann, admin = make_member(project), project.memberships.get(role="admin").user
    [item] = make_items(project, 1)
    annotation = answer(project, item, ann)
    amend_guideline(project=project, by=admin, note="Clearer.", criteria={"functional": "Stricter."})
    truth = services.settle_by_answer(project=project, annotation=annotation)
    assert truth.guideline.number == 1


def test_an_answer_of_a_merged_class_settles_as_the_class_that_took_it_in() -> None:
    project = make_project(classes=("functional", "defective", "cracked"))
    ann, admin = make_member(project), project.memberships.get(role="admin").user
    [item] = make_items(project, 1)
    annotation = answer(project, item, ann, "cracked")
    amend_guideline(project=project, by=admin, note="Clearer.", merge={"cracked": "defective"})
    truth = services.settle_by_answer(project=project, annotation=annotation)
    assert truth.label_class is not None and truth.label_class.key == "defective"


@pytest.mark.parametrize(
    "case",
    ["settled", "disputed", "held", "unusable", "gold", "swept", "drawn", "undone", "retired", "sent back"],
)
def test_where_one_answer_cannot_settle_it_is_refused(case: str) -> None:
    classes = ("functional", "defective", "cracked")
    project = make_project(classes=classes, answers_per_image=3, undo_seconds=60)
    ann, bob, admin = make_member(project), make_member(project), project.memberships.get(role="admin").user
    [item] = make_items(project, 1)
    if case == "gold":
        services.add_gold(project=project, item=item, class_key="functional", by=admin)
    said: dict[str, Any] = {
        "held": {"kind": "hold", "reason": "between"},
        "unusable": {"kind": "unusable", "reason": "blurred"},
        "gold": {"draw": "gold"},
        "swept": {"draw": "sweep"},
    }.get(case, {})
    key = uuid4()
    annotation = answer(project, item, ann, key=key, **said)
    if case == "settled":
        services.settle_by_answer(project=project, annotation=annotation)
    elif case == "disputed":
        services.request_review(project=project, item=item, by=admin)
    elif case == "drawn":
        Item.objects.filter(pk=item.pk).update(audit_drawn_at="2026-11-01T00:00:00Z")
    elif case == "undone":
        services.retract_answer(project=project, labeler=ann, key=key)
    elif case == "retired":
        amend_guideline(project=project, by=admin, note="Clearer.", retire=["functional"])
    elif case == "sent back":
        dispute = services.request_review(project=project, item=item, by=admin)
        services.rule(
            project=project, dispute_id=dispute.pk, reviewer=bob, outcome="send_back", comment="Look again."
        )
    before = GroundTruth.objects.count()
    with pytest.raises(Refused):
        services.settle_by_answer(project=project, annotation=annotation)
    assert GroundTruth.objects.count() == before


def test_the_database_knows_no_assisted_label_but_of_a_class() -> None:
    project = make_project()
    [item] = make_items(project, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        GroundTruth.objects.create(
            project=project,
            item=item,
            kind=TruthKind.HOLD,
            origin=Origin.ASSISTED,
            guideline=project.guidelines.get(),
        )


# -- a later answer ------------------------------------------------------------------------------------------------


def test_a_second_answer_that_agrees_makes_it_strict(heard: list[tuple[str, Any]]) -> None:
    project = make_project()
    item, _ = assisted(project, make_member(project))
    answer(project, item, make_member(project))
    truth = truth_in_force(item.pk)
    assert truth is not None and truth.origin == "agreement" and truth.supersedes.origin == "assisted"  # type: ignore[union-attr]
    assert heard[-1] == ("settled", item.pk)


@pytest.mark.parametrize(
    ("said", "cause"),
    [({"choice": "defective"}, "disagreement"), ({"kind": "hold", "reason": "between"}, "hold")],
)
def test_a_second_answer_that_differs_takes_it_away_and_goes_to_review(
    said: dict[str, str], cause: str, heard: list[tuple[str, Any]]
) -> None:
    project = make_project()
    item, _ = assisted(project, make_member(project))
    answer(project, item, make_member(project), **said)  # type: ignore[arg-type]
    dispute = open_dispute(item.pk)
    assert origin(item) is None and dispute is not None and dispute.cause == cause
    assert heard[-1] == ("disputed", item.pk)


def test_where_three_are_wanted_one_that_agrees_leaves_it_and_one_that_differs_asks_for_the_third(
    heard: list[tuple[str, Any]],
) -> None:
    project = make_project(answers_per_image=3, rule="k_of_n", agreement_k=3)
    item, _ = assisted(project, make_member(project))
    answer(project, item, make_member(project))
    assert origin(item) == "assisted"
    answer(project, item, make_member(project))
    assert origin(item) == "agreement"
    majority = make_project(answers_per_image=3, rule="k_of_n", agreement_k=2)
    other, _ = assisted(majority, make_member(majority))
    heard.clear()
    answer(majority, other, make_member(majority), "defective")
    assert origin(other) is None and open_dispute(other.pk) is None
    assert heard == [("reopened", other.pk), ("answer_waits", other.pk)]
    answer(majority, other, make_member(majority), "defective")
    truth = truth_in_force(other.pk)
    assert truth is not None and truth.label_class is not None and truth.label_class.key == "defective"


# -- taken back ----------------------------------------------------------------------------------------------------


def test_who_takes_the_answer_back_takes_the_label_with_it(heard: list[tuple[str, Any]]) -> None:
    project = make_project(undo_seconds=60)
    ann = make_member(project)
    item, annotation = assisted(project, ann)
    services.retract_answer(project=project, labeler=ann, key=annotation.key)
    newest = GroundTruth.objects.get(item=item, superseded_by__isnull=True)
    assert (newest.kind, newest.origin) == ("withdrawn", "undone")
    assert heard[-1] == ("reopened", item.pk)


def test_withdrawn_ones_wait_for_their_second_person_and_strict_ones_are_left_alone(
    heard: list[tuple[str, Any]],
) -> None:
    project = make_project()
    ann, bob = make_member(project), make_member(project)
    kept, confirmed = (assisted(project, ann)[0] for _ in range(2))
    answer(project, confirmed, bob)
    [fresh] = make_items(project, 1)
    heard.clear()
    ids = [confirmed.pk, kept.pk, fresh.pk]
    assert services.withdraw_assisted(project=project, item_ids=ids) == 1
    assert heard == [("reopened", kept.pk)]
    assert origin(kept) is None and origin(confirmed) == "agreement"
    newest = GroundTruth.objects.get(item=kept, superseded_by__isnull=True)
    assert (newest.kind, newest.origin) == ("withdrawn", "withdrawal")
    assert services.withdraw_assisted(project=project, item_ids=ids) == 0
    answer(project, kept, bob)
    assert origin(kept) == "agreement"


def test_what_is_in_dispute_waits_for_the_ruling_when_it_is_withdrawn(heard: list[tuple[str, Any]]) -> None:
    project = make_project()
    admin = project.memberships.get(role="admin").user
    item, _ = assisted(project, make_member(project))
    services.request_review(project=project, item=item, by=admin)
    heard.clear()
    assert services.withdraw_assisted(project=project, item_ids=[item.pk]) == 1
    assert heard == [] and origin(item) is None and open_dispute(item.pk) is not None


def test_no_photo_of_another_project_is_withdrawn() -> None:
    one, other = make_project(), make_project()
    item, _ = assisted(one, make_member(one))
    assert services.withdraw_assisted(project=other, item_ids=[item.pk]) == 0
    assert origin(item) == "assisted"


# -- reviews, rules and classes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["class", "send_back"])
def test_a_review_overrules_it(outcome: str) -> None:
    project = make_project()
    admin, rev = project.memberships.get(role="admin").user, make_member(project, "reviewer")
    item, _ = assisted(project, make_member(project))
    dispute = services.request_review(project=project, item=item, by=admin)
    assert origin(item) == "assisted", "it stays in force until the ruling"
    ruled: dict[str, str] = {"class_key": "defective"} if outcome == "class" else {"comment": "Look again."}
    services.rule(project=project, dispute_id=dispute.pk, reviewer=rev, outcome=outcome, **ruled)
    assert origin(item) == ("ruling" if outcome == "class" else None)


def test_a_review_that_is_asked_for_is_not_ended_by_a_later_answer() -> None:
    project = make_project()
    item, _ = assisted(project, make_member(project))
    services.request_review(project=project, item=item, by=None)
    answer(project, item, make_member(project))
    assert origin(item) == "assisted" and open_dispute(item.pk) is not None


def test_judged_again_it_stands_while_its_answer_counts_as_its_class() -> None:
    project = make_project(classes=("functional", "defective", "cracked"))
    admin = project.memberships.get(role="admin").user
    item, _ = assisted(project, make_member(project), "cracked")
    services.reconsider(project=project, item_ids=[item.pk])
    assert origin(item) == "assisted"
    amend_guideline(project=project, by=admin, note="Clearer.", merge={"cracked": "defective"})
    services.reconsider(project=project, item_ids=[item.pk])
    assert origin(item) == "assisted"
    answer(project, item, make_member(project), "defective")  # a class that is one with it now
    assert origin(item) == "agreement"


def test_of_a_class_that_is_no_more_it_goes_to_review_when_it_is_judged_again() -> None:
    project = make_project(classes=("functional", "defective", "cracked"))
    admin = project.memberships.get(role="admin").user
    item, _ = assisted(project, make_member(project), "cracked")
    amend_guideline(project=project, by=admin, note="Clearer.", retire=["cracked"])
    assert origin(item) == "assisted", "as strict ones of that class"
    services.reconsider(project=project, item_ids=[item.pk])
    assert origin(item) is None and open_dispute(item.pk) is not None


def test_under_a_rule_that_asks_for_one_answer_it_is_strict_when_it_is_judged_again() -> None:
    project = make_project()
    admin = project.memberships.get(role="admin").user
    item, _ = assisted(project, make_member(project))
    project = update_settings(project=project, by=admin, answers_per_image=1)
    services.reconsider(project=project, item_ids=[item.pk])
    assert origin(item) == "agreement"


# -- gold ----------------------------------------------------------------------------------------------------------


def test_it_is_no_gold() -> None:
    project = make_project()
    item, _ = assisted(project, make_member(project))
    with pytest.raises(Refused) as refused:
        services.add_gold(
            project=project, item=item, class_key="functional", by=project.memberships.get(role="admin").user
        )
    assert refused.value.code == "already_answered"


def test_whoever_is_paused_leaves_their_assisted_labels_to_a_second_person() -> None:
    project = make_project(gold_window=3, gold_bar=1.0)
    ann, bob = make_member(project), make_member(project)
    mine, others = assisted(project, ann)[0], assisted(project, bob)[0]
    for gold in make_items(project, 3):
        services.add_gold(
            project=project, item=gold, class_key="functional", by=project.memberships.get(role="admin").user
        )
        answer(project, gold, ann, "defective", draw="gold")
    assert origin(mine) is None and open_dispute(mine.pk) is None
    assert origin(others) == "assisted"
    paused = project.activities.get(kind="labeler_paused")
    assert paused.data["asked_again"] == 1


# -- training --------------------------------------------------------------------------------------------------------


def test_it_trains_only_where_its_project_says_so() -> None:
    project = make_project()
    item, _ = assisted(project, make_member(project))
    truth = truth_in_force(item.pk)
    assert truth not in GroundTruth.objects.trainable()
    update_settings(project=project, by=project.memberships.get(role="admin").user, train_on_assisted=True)
    assert truth in GroundTruth.objects.trainable()


# -- what it counts in -----------------------------------------------------------------------------------------------


def test_nobody_is_held_against_their_own_answer() -> None:
    project = make_project()
    ann, bob = make_member(project), make_member(project)
    item, _ = assisted(project, ann)
    assert {f.user.pk: f.agreed.whole for f in labeler_figures(project)}[ann.pk] == 0
    assert settled_values(project) == {}
    answer(project, item, bob)
    assert {f.user.pk: f.agreed.whole for f in labeler_figures(project)}[ann.pk] == 1
    assert settled_values(project) == {item.pk: "class:functional"}


def test_it_counts_as_settled_where_progress_is_told() -> None:
    project = make_project()
    ann = make_member(project)
    assisted(project, ann)
    at = progress(project)
    assert (at["ground_truths"], at["assisted"], at["human_decisions"]) == (1, 1, 1)
    assert settled_count(project) == 1
    [card] = [each for each in project_cards(project.created_by) if each.project.pk == project.pk]
    assert card.settled == 1


def test_exports_say_its_origin() -> None:
    project = make_project()
    assisted(project, make_member(project))
    [truth] = provenance.page(provenance.GROUND_TRUTHS, project, after=0, limit=9)
    assert (truth["origin"], truth["in_force"], len(truth["annotations"])) == ("assisted", True, 1)
    [given] = provenance.page(provenance.ANNOTATIONS, project, after=0, limit=9)
    assert given["ground_truth_origin"] == "assisted"


@pytest.mark.parametrize("figure", ["labelers", "band", "worker", "day"])
def test_pairs_that_the_first_answer_brought_about_say_nothing_of_agreement(figure: str) -> None:
    """Offered to one person first, a photo gets a second answer where the first was not what the machine says."""
    project = make_project()
    ann, bob = make_member(project), make_member(project)
    usual, other, once = make_items(project, 3)
    for item, choices in ((usual, ("functional",) * 2), (other, ("defective",) * 2)):
        for person, choice in zip((ann, bob), choices, strict=True):
            answer(project, item, person, choice)
    answer(project, once, ann, "functional", context={"wanted": 1})
    answer(project, once, bob, "defective")
    counted = {
        "labelers": lambda: agreement(project)["n_items"],
        "band": lambda: sum(each.photos for each in alpha_by_band(project).values()),
        "worker": lambda: krippendorff(answers_frame(project))[1],
        "day": lambda: sum(each.compared for each in history(project).buckets),
    }
    assert counted[figure]() == 2
