"""Counts that the database keeps: right after each kind of change, after a fold, and after a mishap that the night mends."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pgtrigger
import pytest
from django.utils import timezone

from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import amend_guideline
from labeling.database.kept_counts import counts
from labeling.people.models import User
from labeling.truth import tallies
from labeling.truth.alpha import alpha_since
from labeling.truth.models import Annotation, Dispute, GroundTruth, OpenDispute, Retraction, Ruling, Tally
from labeling.truth.selectors import open_disputes
from labeling.truth.services import add_gold, rule
from labeling.truth.tasks import check_counts, fold_counts
from tests.database import without_triggers
from tests.factories import make_items, make_member, make_project
from tests.frontier.living import at

pytestmark = pytest.mark.django_db


def answer(
    project: Project,
    labeler: User,
    item: Item,
    said: str = "functional",
    *,
    at: timedelta = timedelta(),
    **more: object,
) -> Annotation:
    """A row as it is stored; ``said``: a class's key, or hold. ``at``: so long ago."""
    named = project.label_classes.filter(key=said).first()
    made = Annotation(
        project=project,
        item=item,
        labeler=labeler,
        key=uuid4(),
        kind="class" if named else said,
        label_class=named,
        reason="" if named else "between",
        guideline=current_guideline(project),
        **{"draw": "rank", "context": {"band": 0}, "view_ms": 1000} | more,
    )
    made.save()
    if at:
        with without_triggers():
            Annotation.objects.filter(pk=made.pk).update(created_at=timezone.now() - at)
        tallies.mend(project)
    return made


def kept(project: Project, what: str) -> dict[tuple[str, ...], int]:
    return {each.key: each.n for each in counts(project, what)}


def test_two_answers_make_a_unit_and_taking_one_back_unmakes_it() -> None:
    project = make_project()
    (item,) = make_items(project, 1)
    one, two = make_member(project), make_member(project)
    named = str(project.label_classes.get(key="functional").pk)
    answer(project, one, item)
    assert kept(project, "units") == {}
    second = answer(project, two, item)
    assert kept(project, "units") == {("0", named, named): 1}
    Retraction.objects.create(annotation=second, by=two)
    assert kept(project, "units") == {}
    assert kept(project, "answers") == {("stands",): 1, ("undone",): 1}
    assert tallies.mend() == 0


def test_several_answers_to_one_photo_in_one_statement_count_as_if_one_came_after_the_other() -> None:
    project = make_project()
    items = make_items(project, 3)
    people = [make_member(project) for _ in range(3)]
    guideline, named = current_guideline(project), project.label_classes.get(key="functional")
    Annotation.objects.bulk_create(
        Annotation(
            project=project, item=item, labeler=person, key=uuid4(), kind="class", label_class=named,
            guideline=guideline, draw="rank", view_ms=500,
        )
        for item in items
        for person in people
    )  # fmt: skip
    assert kept(project, "units") == {("", str(named.pk), str(named.pk), str(named.pk)): 3}
    assert tallies.mend() == 0


def test_a_dispute_a_ruling_gold_and_a_draw_are_counted() -> None:
    project = make_project()
    items = make_items(project, 3)
    reviewer = make_member(project, "reviewer")
    dispute = Dispute.objects.create(project=project, item=items[0], round=1, cause="hold")
    assert kept(project, "disputes") == {("waiting",): 1}
    rule(project=project, dispute_id=dispute.pk, reviewer=reviewer, outcome="class", class_key="functional")
    assert kept(project, "disputes") == {}
    assert kept(project, "rulings") == {(str(reviewer.pk), "first"): 1}
    add_gold(project=project, item=items[1], class_key="functional", by=reviewer)
    Item.objects.filter(pk=items[2].pk).update(audit_drawn_at=timezone.now())
    assert kept(project, "photos") == {("left",): 2, ("drawn",): 1}
    assert kept(project, "drawn") == {}
    Item.objects.filter(pk=items[0].pk).update(audit_drawn_at=timezone.now())
    Item.objects.filter(pk=items[1].pk).update(audit_drawn_at=timezone.now())
    assert kept(project, "drawn") == {("settled",): 1, ("truths",): 2}, "gold is one of the latter"
    settled = GroundTruth.objects.get(item=items[0])
    GroundTruth.objects.create(
        project=project,
        item=items[0],
        kind="withdrawn",
        origin="withdrawal",
        draw="rank",
        supersedes=settled,
        guideline=settled.guideline,
    )
    assert kept(project, "drawn") == {("truths",): 3}
    assert Counter(each.origin for each in tallies.truths(project)) == {"gold": 1}
    assert kept(project, "settled") == {("came",): 1, ("went",): 1}
    assert tallies.mend() == 0


def test_a_held_dispute_waits_once_its_photo_is_drawn() -> None:
    """Whatever the selectors list is what is counted, at each step; a ruling ends what is held as it does what waits."""
    project = make_project()
    items = make_items(project, 4)
    reviewer = make_member(project, "reviewer")
    Item.objects.filter(pk=items[0].pk).update(audit_drawn_at=timezone.now())
    disputes = [
        Dispute.objects.create(project=project, item=item, round=1, cause="disagreement", held=number != 3)
        for number, item in enumerate(items)
    ]

    def agrees(*, waiting: set[int], held: set[int]) -> None:
        for word, wanted in (("waiting", waiting), ("held", held)):
            listed = open_disputes(project, held=word == "held")
            assert {disputes.index(each) for each in listed} == wanted
            assert kept(project, "disputes").get((word,), 0) == len(wanted)
        assert tallies.mend() == 0

    agrees(waiting={0, 3}, held={1, 2})
    Item.objects.filter(pk__in=[items[1].pk, items[3].pk]).update(audit_drawn_at=timezone.now())
    agrees(waiting={0, 1, 3}, held={2})
    for number in (1, 2):
        rule(
            project=project,
            dispute_id=disputes[number].pk,
            reviewer=reviewer,
            outcome="class",
            class_key="functional",
        )
    agrees(waiting={0, 3}, held=set())
    Item.objects.filter(pk__in=[items[0].pk, items[1].pk]).update(audit_drawn_at=None)
    agrees(waiting={3}, held={0})
    with without_triggers():
        Item.objects.filter(pk=items[0].pk).update(audit_drawn_at=timezone.now())
        ruled = Dispute.objects.open().get(pk=disputes[3].pk)
        Ruling.objects.create(
            dispute=ruled, reviewer=reviewer, outcome="hold", guideline=current_guideline(project)
        )
    assert kept(project, "disputes") == {("waiting",): 1, ("held",): 1}
    assert tallies.mend() > 0
    agrees(waiting={0}, held=set())


def test_the_row_of_an_open_dispute_says_what_was_answered() -> None:
    """Whatever comes, goes, or was missed: it is what the answers say, and the night mends it."""
    project = make_project()
    (item,) = make_items(project, 1)
    people = [make_member(project) for _ in range(4)]
    ids = dict(project.label_classes.values_list("key", "pk"))

    def said(classes: set[str], by: int, *, answers: int, band: int | None) -> None:
        row = OpenDispute.objects.get()
        assert (row.item_id, row.cause) == (item.pk, "disagreement")
        assert (set(row.classes), row.answers, row.band) == ({ids[each] for each in classes}, answers, band)
        assert set(row.answered_by) == {each.pk for each in people[:by]}

    answer(project, people[0], item, draw="gold")
    answer(project, people[1], item, context={"band": 2})
    Dispute.objects.create(project=project, item=item, round=1, cause="disagreement")
    said({"functional"}, 2, answers=1, band=2)
    answer(project, people[2], item, "defective", context={"band": 1})
    said({"functional", "defective"}, 3, answers=2, band=1)
    last = answer(project, people[3], item, "hold", context={})
    said({"functional", "defective"}, 4, answers=3, band=1)
    Retraction.objects.create(annotation=last, by=people[3])
    said({"functional", "defective"}, 3, answers=2, band=1)
    assert tallies.mend() == 0
    OpenDispute.objects.update(classes=[], answers=0, band=None, answered_by=[], cause="")
    assert tallies.mend() > 0
    said({"functional", "defective"}, 3, answers=2, band=1)


def test_photos_that_come_and_go_are_counted() -> None:
    project = make_project()
    items = make_items(project, 5)
    assert tallies.photos(project) == 5
    Item.objects.filter(pk__in=[items[0].pk, items[1].pk]).delete()
    assert tallies.photos(project) == 3


def test_what_came_within_a_quarter_of_an_hour_is_told_apart() -> None:
    """The band opened 20 minutes ago; of two photos, both answered since the quarter began, one was finished before."""
    project = make_project()
    items = make_items(project, 3)
    one, two = make_member(project), make_member(project)
    for item, ago in zip(items, (21, 19, 1), strict=True):
        answer(project, one, item, at=timedelta(minutes=ago, seconds=1))
        answer(project, two, item, "defective" if ago == 19 else "functional", at=timedelta(minutes=ago))
    since = timezone.now() - timedelta(minutes=20)
    assert alpha_since(project, None).photos == 3
    assert alpha_since(project, since).photos == 2
    assert sum(unit.n for unit in tallies.units(project, since=since) if unit.alike) == 1


def test_a_fold_changes_no_count() -> None:
    project = make_project()
    items = make_items(project, 4)
    one, two = make_member(project), make_member(project)
    for item in items:
        answer(project, one, item)
        answer(project, two, item, "hold")
    before = {what: kept(project, what) for what in ("units", "answers", "labelers", "held", "photos")}
    rows = Tally.objects.count()
    fold_counts(0)
    assert {what: kept(project, what) for what in before} == before
    assert Tally.objects.count() < rows and not Tally.objects.filter(folded=False).exists()
    answer(project, make_member(project), items[0])
    fold_counts(0)
    assert tallies.mend() == 0


def test_the_night_puts_right_what_was_written_past_the_triggers(caplog: pytest.LogCaptureFixture) -> None:
    project = make_project()
    (item,) = make_items(project, 1)
    with without_triggers():
        answer(project, make_member(project), item)
    assert kept(project, "answers") == {}
    check_counts(0)
    assert kept(project, "answers") == {("stands",): 1}
    assert "differed from a recount" in caplog.text
    caplog.clear()
    check_counts(0)
    assert not caplog.text


def test_data_mended_by_hand_is_counted_right() -> None:
    project = make_project()
    (item,) = make_items(project, 1)
    answer(project, make_member(project), item)
    with pgtrigger.ignore("truth.Annotation:append_only"):
        Annotation.objects.update(kind="hold", label_class=None, reason="other")
    assert kept(project, "held") == {("0",): 1}


def test_classes_are_kept_as_they_were_named() -> None:
    """So a merge changes no row, and every count follows it when it is read."""
    project = make_project(classes=("functional", "defective", "cracked"))
    items = make_items(project, 2)
    one, two = make_member(project), make_member(project)
    for item in items:
        answer(project, one, item, "defective")
        answer(project, two, item, "cracked")
    assert [unit.alike for unit in tallies.units(project)] == [False]
    before = kept(project, "units")
    amend_guideline(project=project, by=project.created_by, note="One", merge={"cracked": "defective"})
    assert [unit.alike for unit in tallies.units(project)] == [True]
    assert kept(project, "units") == before


def test_a_ruling_takes_the_time_since_the_last_one_whatever_the_order_they_come_in() -> None:
    project, other = make_project(), make_project()
    items, elsewhere = make_items(project, 5), make_items(other, 1)
    one, two = make_member(project, "reviewer"), make_member(project, "reviewer")
    begun = timezone.now()

    def ruling(item: Item, reviewer: User) -> Ruling:
        dispute = Dispute.objects.create(
            project=item.project, item=item, round=1 + item.disputes.count(), cause="hold"
        )
        return Ruling(
            dispute=dispute, reviewer=reviewer, outcome="hold", guideline=current_guideline(item.project)
        )

    def ruled(item: Item, seconds: int) -> None:
        with at(begun + timedelta(seconds=seconds)):
            ruling(item, one).save()

    def paced() -> dict[tuple[str, ...], tuple[int, int]]:
        return {each.key: (each.n, each.amount) for each in counts(project, "rulings")}

    ruled(items[0], 0), ruled(items[1], 200), ruled(elsewhere[0], 190)
    assert paced() == {(str(one.pk), "first"): (2, 0)}
    # It comes late, between two that were too far apart, and makes both it and the next one follow at once.
    ruled(items[2], 50)
    both = [ruling(item, two) for item in items[3:]]
    with at(begun, tick=timedelta(seconds=60)):
        Ruling.objects.bulk_create(both)
    assert paced() == {
        (str(one.pk), "first"): (1, 0),
        (str(one.pk), "on"): (2, 50_000 + 150_000),
        (str(two.pk), "first"): (1, 0),
        (str(two.pk), "on"): (1, 60_000),
    }
    assert tallies.mend() == 0
