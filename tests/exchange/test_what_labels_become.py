"""What an imported label is, is chosen; the same file again changes nothing; an import is resumed, and undone as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.catalog.models import IntakeBatch, Item, Project
from labeling.exchange.imports import applying, photos_of
from labeling.exchange.imports.forgetting import forget_imported
from labeling.exchange.imports.services import (
    apply_import,
    change_import,
    check_import,
    take_photos_in,
    undo_import,
)
from labeling.exchange.imports.states import states
from labeling.exchange.models import Import, ImportRow, ImportState, Use
from labeling.jobs.models import Job
from labeling.jobs.progress import Progress
from labeling.learning.training_set import training_set
from labeling.people.models import User
from labeling.people.selectors import everybody
from labeling.queue.models import Entry
from labeling.queue.services import claim
from labeling.refusals import Refused
from labeling.store.folders import STAGING
from labeling.truth.models import Annotation, Dispute, Gold, GroundTruth, Hint, Origin
from labeling.truth.selectors import dispute_detail
from tests.exchange.bringing import apply, bring, map_classes, outcomes, run, send, table, truths, unlabeled
from tests.exchange.conftest import settle
from tests.exchange.files_from_elsewhere import zipped
from tests.factories import make_member, photo_bytes
from tests.queue.conftest import answer_with

pytestmark = pytest.mark.django_db


def item(project: Project, name: str) -> Item:
    return Item.objects.get(project=project, name=name)


def undone(of: Import) -> Import:
    job = run(undo_import(of=of, by=of.created_by))
    assert job.state == "succeeded", job.error or job.trace
    of.refresh_from_db()
    return of


def everything(project: Project) -> dict[str, Any]:
    """All that an import could write, but for its own rows."""
    tables = (Annotation, GroundTruth, Gold, Hint, Dispute)
    return {each.__name__: list(each.objects.filter(project=project).order_by("pk").values()) for each in tables} | {
        "people": User.objects.count(),
        "entries": list(Entry.objects.filter(item__project=project).order_by("item").values("item", "taken", "free")),
    }  # fmt: skip


FILE = table(
    [("side.png", "functional", "anna"), ("a b.png", "defective", "anna"), ("back.PNG", "functional", "anna")]
)


def test_an_answer_counts_as_one_of_those_that_a_photo_gets_and_is_not_blind() -> None:
    project, _photos = unlabeled()
    bring(project, "cvat.csv", FILE, use=Use.ANSWER)
    assert truths(project) == {}
    given = Annotation.objects.filter(project=project)
    assert {str(each.labeler) for each in given} == {"anna (cvat)"}
    assert not Annotation.objects.blind().filter(project=project).exists()
    assert not any(
        person.is_active or person.has_usable_password() for person in {each.labeler for each in given}
    )
    assert not everybody("anna")  # no account that anybody could switch on
    # One more answer is wanted of these, and it settles them.
    labeler = make_member(project)
    for slot in claim(project=project, labeler=labeler, count=6):
        answer_with(project, slot, "functional")
    assert truths(project) == {
        "side.png": ("functional", Origin.AGREEMENT),
        "back.PNG": ("functional", Origin.AGREEMENT),
    }
    assert [each.item.name for each in Dispute.objects.open().filter(project=project)] == ["a b.png"]
    assert {each.draw for each in GroundTruth.objects.filter(project=project)} == {"sweep"}


def test_each_annotator_is_one_and_a_third_answer_is_not_wanted() -> None:
    project, _photos = unlabeled()
    rows = [("side.png", "functional", who) for who in ("anna", "bob", "carl")] + [
        ("a b.png", "functional", "anna")
    ]
    of = bring(project, "labels.csv", table([*rows, ("a b.png", "defective", "bob")]), use=Use.ANSWER)
    assert outcomes(of) == [("done", ""), ("done", ""), ("refused", "settled"), ("done", ""), ("done", "")]
    assert truths(project) == {"side.png": ("functional", Origin.AGREEMENT)}
    assert Dispute.objects.open().get(project=project).item == item(project, "a b.png")
    assert Counter(str(each.labeler) for each in Annotation.objects.filter(project=project)) == {
        "anna (labels)": 2, "bob (labels)": 2,
    }  # fmt: skip


def test_what_trains_settles_at_once_and_judges_nothing() -> None:
    project, _photos = unlabeled()
    bring(project, "labels.csv", FILE, use=Use.TRAIN)
    assert set(truths(project).values()) == {("functional", Origin.IMPORTED), ("defective", Origin.IMPORTED)}
    examples = training_set(project).examples
    assert (len(examples), any(each.strict or each.audit for each in examples)) == (3, False)
    assert not Entry.objects.filter(item__name="side.png", item__project=project).exists()


def test_gold_is_gold_and_what_others_began_or_settled_is_left_to_them() -> None:
    project, _photos = unlabeled()
    (slot,) = claim(project=project, labeler=make_member(project))
    answer_with(project, slot)
    settle(
        project, Item.objects.filter(project=project).exclude(pk=slot.item_id).order_by("pk")[0], "defective"
    )
    rows = [(each.name, "functional", "") for each in Item.objects.filter(project=project).order_by("pk")]
    of = bring(project, "labels.csv", table(rows), use=Use.GOLD)
    found = dict(zip([row[0] for row in rows], outcomes(of), strict=True))
    assert found[slot.item.name] == ("refused", "begun")
    assert Counter(found.values()) == {("done", ""): 4, ("refused", "begun"): 1, ("refused", "settled"): 1}
    assert Gold.objects.filter(project=project).count() == 4
    assert [each.strict for each in training_set(project).examples] == [True]


def test_a_hint_is_read_by_reviewers_and_the_ruling_beside_it_is_told() -> None:
    project, _photos = unlabeled()
    of = bring(project, "old model.csv", FILE, use=Use.HINT)
    assert truths(project) == {} and not Annotation.objects.filter(project=project).exists()
    first, second = make_member(project), make_member(project)
    photo = item(project, "side.png")
    for person, said in ((first, "functional"), (second, "defective")):
        slots = claim(project=project, labeler=person, count=6)
        answer_with(project, next(slot for slot in slots if slot.item_id == photo.pk), said)
    dispute = Dispute.objects.open().get(project=project)
    assert dispute_detail(dispute).hints == [("anna (old model)", "Functional")]
    undone(of)
    assert dispute_detail(dispute).hints == []


@pytest.mark.parametrize("use", Use.values)
def test_the_same_again_changes_nothing_and_a_taken_back_import_can_come_in_again(use: str) -> None:
    project, _photos = unlabeled()
    first = bring(project, "labels.csv", FILE, use=use)
    assert set(outcomes(first)) == {("done", "")}
    before = everything(project)
    again = bring(project, "labels.csv", FILE, use=use)
    assert set(outcomes(again)) == {("same", "")}
    assert everything(project) == before
    entries = [(each["item"], each["taken"]) for each in before["entries"]]
    undone(first)
    assert set(outcomes(first)) == {("undone", "")}
    # Everything is appended: what was written is still there, and stands no more.
    assert len(everything(project)["Annotation"]) == len(before["Annotation"])
    assert not Annotation.objects.standing().filter(project=project).exists()
    if use in (Use.ANSWER, Use.TRAIN):
        assert truths(project) == {}
        waiting = (
            Entry.objects.filter(item__project=project).order_by("item").values_list("item", "taken", "free")
        )
        assert list(waiting) == [
            (each.pk, 0, 2) for each in Item.objects.filter(project=project).order_by("pk")
        ]
    run(check_import(of=first, by=first.created_by))
    apply(first)
    assert set(outcomes(first)) == {("done", "")}
    if use == Use.ANSWER:
        found = Entry.objects.filter(item__project=project).order_by("item").values_list("item", "taken")
        assert list(found) == entries


def test_a_bad_row_is_named_and_the_others_go_in_as_the_dry_run_said() -> None:
    project, _photos = unlabeled()
    settle(project, item(project, "roof.png"), "defective")
    rows = [
        ("side.png", "functional", ""),
        ("gone.png", "functional", ""),
        ("a b.png", "purple", ""),
        ("", "functional", ""),
        ("back.PNG", "", ""),
        ("roof.png", "functional", ""),
        ("앞면 1.png", '["functional", "defective"]', ""),
        ("back.PNG", "bad photo", ""),
    ]
    of, _job = send(project, "labels.csv", table(rows) + b"too,many,cells,here\n", use=Use.TRAIN)
    of = map_classes(of, **{"bad photo": "unusable"})
    wanted = [
        ("ready", ""), ("refused", "no_photo"), ("refused", "unmapped"), ("refused", "no_photo_named"),
        ("refused", "no_label"), ("refused", "settled"), ("refused", "several_classes"), ("ready", ""),
        ("refused", "bad_row"),
    ]  # fmt: skip
    assert outcomes(of) == wanted
    assert truths(project) == {"roof.png": ("defective", Origin.AGREEMENT)}  # nothing came in yet
    apply(of)
    assert outcomes(of) == [("done" if outcome == "ready" else outcome, reason) for outcome, reason in wanted]
    assert truths(project)["back.PNG"] == ("unusable", Origin.IMPORTED)
    assert of.counts == {"done": 2, "refused": 7}


def drawn(project: Project, each: Item) -> None:
    Item.objects.filter(pk=each.pk).update(audit_drawn_at="2026-11-30T00:00:00Z")


def lent(project: Project, each: Item) -> None:
    Entry.objects.filter(ranking__project=project, item=each).update(free=0, taken=2)


def settled(project: Project, each: Item) -> None:
    settle(project, each, "defective")


def hinted(project: Project, each: Item) -> None:
    Hint.objects.create(project=project, item=each, kind="hold", said_by="anna (labels)")


@pytest.mark.parametrize(
    ("use", "happens", "reason"),
    [
        (Use.ANSWER, lent, "not_asked"),
        (Use.TRAIN, settled, "not_written"),
        (Use.GOLD, drawn, "drawn"),
        (Use.HINT, hinted, "not_written"),
    ],
)
def test_what_comes_between_the_look_and_the_deed_stops_no_other_row_of_the_page(
    monkeypatch: pytest.MonkeyPatch, use: str, happens: Callable[[Project, Item], None], reason: str
) -> None:
    project, _photos = unlabeled()
    of, _job = send(project, "labels.csv", FILE, use=use)
    seen = states(project, list(Item.objects.filter(project=project).values_list("pk", flat=True)))
    happens(project, item(project, "a b.png"))
    monkeypatch.setattr(applying, "states", lambda *_of: seen)
    apply(of)
    assert outcomes(of) == [("done", ""), ("refused", reason), ("done", "")]
    assert all(made is not None for made in of.rows.filter(outcome="done").values_list("made", flat=True))


@pytest.mark.parametrize("use", Use.values)
def test_what_an_import_asks_of_the_database_grows_with_its_pages_and_not_with_its_rows(use: str) -> None:
    asked, asked_back = [], []
    for count in (2, 6):
        project, photos = unlabeled()
        agreed, *others = list(photos)[:count]
        # Of those that two answered, one is settled and the others go to review.
        rows = [(agreed, "functional", "anna"), (agreed, "functional", "bob")]
        rows += [(name, "functional", "anna") for name in others]
        if use in (Use.ANSWER, Use.HINT):
            rows += [(name, "defective", "bob") for name in others]
        with CaptureQueriesContext(connection) as queries:
            of = bring(project, "labels.csv", table(rows), use=use)
        assert of.counts.get("done") == (len(rows) if use in (Use.ANSWER, Use.HINT) else count)
        asked.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            undone(of)
        assert of.counts.get("undone") == (len(rows) if use in (Use.ANSWER, Use.HINT) else count)
        assert truths(project) == {} or use == Use.GOLD
        assert not Dispute.objects.open().filter(project=project).exists()
        asked_back.append(len(queries))
    assert asked[0] == asked[1] and asked_back[0] == asked_back[1]


def test_annotators_who_differ_settle_nothing_by_themselves() -> None:
    project, _photos = unlabeled()
    rows = [
        ("side.png", "functional", "anna"),
        ("side.png", "defective", "bob"),
        ("a b.png", "functional", "anna"),
    ]
    of, _job = send(project, "labels.csv", table([*rows, ("a b.png", "functional", "bob")]), use=Use.TRAIN)
    assert outcomes(of) == [("refused", "annotators_differ")] * 2 + [("ready", ""), ("same", "")]


def test_a_photo_that_was_drawn_at_random_is_left_to_people() -> None:
    project, _photos = unlabeled()
    Item.objects.filter(project=project, name="side.png").update(audit_drawn_at="2026-11-30T00:00:00Z")
    for use in (Use.ANSWER, Use.TRAIN, Use.GOLD):
        of = bring(project, "labels.csv", table([("side.png", "functional", "")]), use=use)
        assert outcomes(of) == [("refused", "drawn")]
    assert truths(project) == {}


def test_what_was_interrupted_goes_on_and_what_came_in_can_be_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project, _photos = unlabeled()
    of, _job = send(project, "labels.csv", FILE, use=Use.ANSWER)
    monkeypatch.setattr(photos_of, "PAGE", 1)
    write, written = applying.write, []

    def killed(rows: list[ImportRow]) -> None:
        written.append(rows)
        if len(written) == 2:
            raise KeyboardInterrupt  # the worker is killed in mid-transaction
        write(rows)

    monkeypatch.setattr(applying, "write", killed)
    job = apply_import(of=of, by=of.created_by)
    with pytest.raises(KeyboardInterrupt):
        run(job)
    monkeypatch.setattr(applying, "write", write)
    assert Counter(outcomes(of)) == {("done", ""): 1, ("ready", ""): 2}
    with pytest.raises(Refused):  # as long as its job may be taken up again
        undo_import(of=of, by=of.created_by)
    assert run(job).state == "succeeded"
    assert set(outcomes(of)) == {("done", "")}
    assert Annotation.objects.filter(project=project).count() == 3


def test_who_stops_it_may_take_back_what_came_in(monkeypatch: pytest.MonkeyPatch) -> None:
    project, _photos = unlabeled()
    of, _job = send(project, "labels.csv", FILE, use=Use.TRAIN)
    monkeypatch.setattr(photos_of, "PAGE", 1)
    job = apply_import(of=of, by=of.created_by)

    def stop(self: Progress, *_args: Any) -> None:
        Job.objects.filter(pk=self.job.pk).update(cancel_requested_at="2026-11-30T00:00:00Z")
        self.check()

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "report", stop)
        assert run(job).state == "cancelled"
    of.refresh_from_db()
    assert (of.state, of.counts) == (ImportState.APPLYING, {"done": 1, "ready": 2})
    undone(of)
    assert (of.state, of.counts, truths(project)) == (ImportState.UNDONE, {"undone": 1, "ready": 2}, {})


def test_what_others_have_built_on_stays() -> None:
    project, _photos = unlabeled()
    of = bring(project, "labels.csv", FILE, use=Use.TRAIN)
    truth = GroundTruth.objects.get(item=item(project, "side.png"))
    settle(project, truth.item, "defective", supersedes=truth, origin=Origin.RULING)
    undone(of)
    assert outcomes(of) == [("kept", ""), ("undone", ""), ("undone", "")]
    assert truths(project) == {"side.png": ("defective", Origin.RULING)}


def test_an_answer_that_settled_a_photo_takes_that_back_with_it() -> None:
    project, _photos = unlabeled()
    of = bring(project, "labels.csv", FILE, use=Use.ANSWER)
    for slot in claim(project=project, labeler=make_member(project), count=6):
        answer_with(project, slot, "functional")
    assert len(truths(project)) == 2
    undone(of)
    assert truths(project) == {} and not Dispute.objects.open().filter(project=project).exists()
    assert set(Entry.objects.filter(item__project=project).values_list("taken", "free")) == {(1, 1)}


def test_photos_come_along_in_the_archive() -> None:
    project, photos = unlabeled()
    new = photo_bytes(100)
    data = zipped({"good/new.png": new, "good/old.png": photos["side.png"]})
    of, _job = send(project, "march.zip", data, use=Use.TRAIN)
    of = map_classes(of, good="functional")
    assert (outcomes(of), of.found["photos"]) == ([("refused", "no_photo"), ("ready", "")], 2)
    batch = take_photos_in(of=of, by=of.created_by)
    run(Job.objects.get(args__batch=str(batch.pk)))
    assert IntakeBatch.objects.get().files.filter(outcome="added").count() == 1
    run(check_import(of=of, by=of.created_by))
    apply(of)
    # The old photo keeps the name that it came in with.
    assert truths(project) == {
        "good/new.png": ("functional", Origin.IMPORTED), "side.png": ("functional", Origin.IMPORTED),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"classes": {"functional": "purple"}}, "classes"),
        ({"classes": {"unheard of": "functional"}}, "classes"),
        ({"columns": {"label": "unheard of"}}, "columns"),
        ({"use": "truth"}, "use"),
        ({"source": " "}, "source"),
        ({"format": "voc"}, "format"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(asked: dict[str, Any], field: str) -> None:
    project, _photos = unlabeled()
    of, _job = send(project, "labels.csv", FILE)
    with pytest.raises(Refused) as refusal:
        change_import(of=of, by=of.created_by, **asked)
    assert field in refusal.value.fields and refusal.value.status == 422


def test_a_class_is_known_by_its_name_in_any_letters_and_by_a_close_spelling() -> None:
    project, _photos = unlabeled()
    of, _job = send(
        project, "labels.csv", table([("side.png", "FUNCTIONAL ", ""), ("a b.png", "Functonal", "")])
    )
    assert of.classes == {"FUNCTIONAL": "functional", "Functonal": "functional"}


def test_of_an_erased_photo_nothing_stays_in_an_import() -> None:
    project, photos = unlabeled()
    of, _job = send(project, "march.zip", zipped({"functional/side.png": photos["side.png"]}), use=Use.TRAIN)
    row = of.rows.get()
    assert (STAGING.root / str(of.pk)).exists()
    forget_imported(project=project, items=[row.item_id or 0], hashes=[row.sha256], names=[])
    row.refresh_from_db()
    assert (row.photo, row.sha256, row.place) == ("", "", "")
    assert not (STAGING.root / str(of.pk)).exists()
