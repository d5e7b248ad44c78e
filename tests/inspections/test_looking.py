"""Verdicts follow from what is known: appended where something changed, and by nobody's silence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.catalog.events import guideline_changed
from labeling.catalog.models import ClassDefinition, Guideline
from labeling.frontier import services as frontier
from labeling.frontier.cohort import RestOfRegion
from labeling.frontier.events import decided, taken_back
from labeling.inspections import looking
from labeling.inspections.evidence import Reader
from labeling.inspections.models import Inspection, InspectionPhoto, Protocol, Verdict
from labeling.inspections.process.figures import figures
from labeling.inspections.process.listing import page
from labeling.inspections.process.wanted import Wanted
from labeling.inspections.services import archive_protocol, overrule, restore_protocol, try_rules
from labeling.inspections.wanting import KIND, request_looking, want_look, want_look_at_photos
from labeling.jobs.models import Job, JobState
from labeling.learning.models import Score
from labeling.queue.events import ranking_swapped
from labeling.queue.places import IS_WAITED_FOR
from labeling.refusals import Refused
from labeling.truth import events
from labeling.truth.models import Dispute, GroundTruth
from tests.factories import make_items, make_project
from tests.frontier import promised
from tests.inspections.made import RULES, Washes, when, work


def outcomes(inspection: Inspection) -> list[str]:
    return list(
        Verdict.objects.filter(inspection=inspection).order_by("number").values_list("outcome", flat=True)
    )


def last(inspection: Inspection) -> Verdict:
    verdict = Inspection.objects.get(pk=inspection.pk).verdict
    assert verdict is not None
    return verdict


@pytest.fixture
def certified(washes: Washes) -> dict[str, Any]:
    return promised.under(washes.pool, "alone", precision=0.98)


# -- what is known ------------------------------------------------------------------------------------------------


def test_a_check_is_known_by_whoever_settled_it_last(washes: Washes, certified: dict[str, Any]) -> None:
    inspection = washes.inspect()
    item = washes.items(inspection, "front")["wash"]

    def seen() -> tuple[str | None, str, str]:
        known = Reader().read([inspection.pk])[inspection.pk].by_part["front", "wash"]
        return known.answer, known.by, known.why

    assert seen() == (None, "", "open")
    decision = promised.decides(washes.pool, certified["functional"], item)
    assert seen() == ("functional", "machine", "")
    dispute = Dispute.objects.create(project=washes.wash, item=item, round=1, cause="requested")
    assert seen() == (None, "", "dispute"), "somebody doubts what the machine decided"
    for fields, expected in (
        ({"origin": "imported", "draw": "sweep"}, ("defective", "imported", "")),
        ({"draw": "sweep"}, ("defective", "sweep", "")),
        ({"origin": "gold", "draw": "gold"}, ("defective", "reviewer", "")),
        ({"origin": "agreement"}, ("defective", "people", "")),
        ({"kind": "hold", "label_class": None}, (None, "", "hold")),
        ({"kind": "unusable", "label_class": None}, (None, "", "unusable")),
    ):
        washes.say(item, "defective", tell=False, **fields)
        assert seen() == expected, f"settled, it is no matter of the dispute {dispute.pk} any more"
    washes.say(item, "defective", tell=False, kind="withdrawn", label_class=None)
    assert seen() == (None, "", "dispute")
    frontier.overrule(decision=decision, by=washes.admin, reason="A reflection")
    other = washes.items(inspection, "rear")["wash"]
    promised.decides(washes.pool, certified["functional"], other)
    frontier.suspend(certificate=certified["functional"], by=washes.admin, note="In doubt")
    assert Reader().read([inspection.pk])[inspection.pk].by_part["rear", "wash"].why == "open"


def test_many_inspections_are_read_in_as_many_queries_as_one(washes: Washes) -> None:
    few, many = [washes.inspect().pk], [washes.inspect().pk for _ in range(4)]

    def queries(ids: list[int]) -> int:
        with CaptureQueriesContext(connection) as caught:
            looking.look(ids)
        return len(caught)

    assert queries(few) == queries(many)


# -- verdicts ------------------------------------------------------------------------------------------------------


def test_what_is_unknown_holds_and_each_change_is_followed_by_a_verdict(
    washes: Washes, certified: dict[str, Any]
) -> None:
    inspection, another = washes.inspect(), washes.inspect(shots=("front",))
    work()
    held = last(inspection)
    assert held.outcome == "held" and held.told["missing"] == []
    assert {tuple(each) for each in held.told["unknown"]} == {
        (shot, project, "open") for shot in ("front", "rear") for project in ("wash", "damage")
    }
    washes.say(washes.items(inspection, "front")["damage"], "none")
    work()
    assert outcomes(inspection) == ["held"], "it is held all the same"
    (row,) = (each for each in page(washes.protocol, Wanted()).rows if each.inspection == inspection)
    waits = dict(row.waits_for)[washes.damage.name]
    assert "Front" not in waits, "as it is today"
    assert "Rear" in waits
    held_for = {each[:2]: each[2:] for each in figures(washes.protocol, 7).held_for}
    assert held_for["front", "wash"] == ("open", 2)
    assert held_for["front", "damage"] == ("open", 1), "the other one alone still waits for it"
    washes.say(washes.items(inspection, "rear")["damage"], "none")
    promised.decides(washes.pool, certified["functional"], washes.items(inspection, "front")["wash"])
    want_look([inspection.pk])
    work()
    passed = last(inspection)
    assert (passed.outcome, passed.bound, passed.told["rule"]) == ("passed", pytest.approx(0.98), 1)
    assert {(part["shot"], part["project"], part["by"]) for part in passed.told["parts"]} == {
        ("front", "wash", "machine"), ("front", "damage", "people"), ("rear", "damage", "people")
    }  # fmt: skip
    frontier.suspend(certificate=certified["functional"], by=washes.admin, note="In doubt")
    work()
    assert outcomes(inspection) == ["held", "passed", "held"], "the machine's word stands no more"
    washes.say(washes.items(inspection, "rear")["damage"], "dent")
    work()
    assert outcomes(inspection)[-1] == "failed" and last(inspection).bound is None
    want_look([inspection.pk])
    work()
    assert outcomes(inspection) == ["held", "passed", "held", "failed"], "nothing changed"

    washes.say(washes.items(another, "front")["damage"], "none")
    washes.say(washes.items(another, "front")["wash"], "functional")
    work()
    assert outcomes(another) == ["held"] and last(another).told["missing"] == ["rear"]
    rear = washes.photograph(another, "rear")
    washes.say(rear["damage"], "none")
    work()
    assert outcomes(another) == ["held", "passed"]


def test_it_is_held_until_the_photographer_is_done_and_as_it_was_when_a_photo_was_erased(
    washes: Washes,
) -> None:
    inspection = washes.inspect(submitted=False)
    washes.say_all(inspection, "functional", "none")
    work()
    assert outcomes(inspection) == ["held"] and last(inspection).told["submitted"] is False
    Inspection.objects.filter(pk=inspection.pk).update(submitted_at=inspection.happened_at)
    want_look([inspection.pk])
    work()
    assert outcomes(inspection) == ["held", "passed"]
    InspectionPhoto.objects.filter(inspection=inspection).update(image=None)
    want_look([inspection.pk])
    work()
    assert outcomes(inspection) == ["held", "passed"]


def test_a_required_shot_whose_photo_was_erased_has_none(washes: Washes) -> None:
    inspection = washes.inspect()
    washes.say_all(inspection, "functional", "none")
    InspectionPhoto.objects.filter(inspection=inspection, shot__key="rear").update(image=None)
    work()
    assert outcomes(inspection) == ["held"] and last(inspection).told["missing"] == ["rear"]


def test_rules_mean_what_their_classes_count_as_today(washes: Washes) -> None:
    inspection = washes.inspect()
    washes.say_all(inspection, "defective", "none")
    work()
    assert outcomes(inspection) == ["failed"]
    guideline = Guideline.objects.create(
        project=washes.wash, number=2, note="All of it is foam", created_by=washes.admin
    )
    old = {
        each.label_class.key: each for each in ClassDefinition.objects.filter(guideline__project=washes.wash)
    }
    for key, into in (("functional", "defective"), ("defective", None)):
        ClassDefinition.objects.create(
            guideline=guideline,
            label_class=old[key].label_class,
            name=key,
            position=old[key].position,
            state="merged" if into else "active",
            merged_into=old[into].label_class if into else None,
        )
    guideline_changed.send(sender=Guideline, project=washes.wash, guideline=guideline, by=washes.admin)
    work()
    assert outcomes(inspection) == ["failed", "passed"], "the rule's class was merged into the answer's"


def test_one_inspection_that_cannot_be_judged_stops_no_other(washes: Washes) -> None:
    bad, good = washes.inspect(), washes.inspect()
    judge = looking.Judge.judge

    def fails(self: Any, inspection: Inspection, *args: Any) -> Any:
        if inspection.pk == bad.pk:
            raise ValueError("made for the test")
        return judge(self, inspection, *args)

    with patch.object(looking.Judge, "judge", fails):
        request_looking()
        (job,) = work()
    assert outcomes(good) == ["held"] and not outcomes(bad)
    assert job.state == JobState.FAILED and f"number {bad.pk}" in job.error
    assert (
        Inspection.objects.get(pk=bad.pk).look_wanted_at
        and not Inspection.objects.get(pk=good.pk).look_wanted_at
    )
    request_looking()
    work()
    assert outcomes(bad) == ["held"]


# -- who hears what ------------------------------------------------------------------------------------------------


def test_each_change_of_a_photo_is_heard_and_many_changes_are_one_job(washes: Washes) -> None:
    inspection = washes.inspect()
    item = washes.items(inspection, "front")["wash"]
    for signal in (events.settled, events.imported, events.disputed, decided, taken_back, events.reopened):
        Inspection.objects.filter(pk=inspection.pk).update(look_wanted_at=None)
        told = {"rounds": {item.pk: 1}} if signal is events.reopened else {"item_ids": [item.pk]}
        signal.send(sender=GroundTruth, project=washes.wash, **told)
        assert Inspection.objects.get(pk=inspection.pk).look_wanted_at
    assert Job.objects.filter(kind=KIND, state=JobState.QUEUED).count() == 1


def test_what_waits_for_people_may_be_decided_by_the_machine_which_is_heard(
    washes: Washes, certified: dict[str, Any]
) -> None:
    inspection = washes.inspect()
    sure = next(each for each in washes.pool.items if washes.pool.margin[each.pk] > 0.8)
    InspectionPhoto.objects.filter(inspection=inspection, shot__key="front").update(image=sure.image)
    work()
    assert sure.pk in _waited_for(washes)
    with patch.object(RestOfRegion, "holds", lambda _rest, _certificate: True):
        told = frontier.decide(project=washes.wash, item_ids=[sure.pk])
    assert told["decided"] == 1, "though people are asked for it first"
    assert Inspection.objects.get(pk=inspection.pk).look_wanted_at


def test_where_no_protocol_asks_an_answer_costs_one_look(washes: Washes) -> None:
    project = make_project()
    items = [item.pk for item in make_items(project, 3)]
    with CaptureQueriesContext(connection) as caught:
        assert want_look_at_photos(items) == 0
    assert len([each for each in caught if "SAVEPOINT" not in each["sql"]]) == 1
    assert not Job.objects.filter(kind=KIND).exists()


# -- overruling ----------------------------------------------------------------------------------------------------


def test_what_a_person_says_stands_until_something_changes_that_they_saw(washes: Washes) -> None:
    inspection = washes.inspect()
    front, rear = washes.items(inspection, "front"), washes.items(inspection, "rear")
    washes.say(front["damage"], "none")
    work()
    with pytest.raises(Refused, match="Say why"):
        overrule(inspection=inspection, by=washes.admin, outcome="passed", reason=" ")
    with pytest.raises(Refused, match="already"):
        overrule(inspection=inspection, by=washes.admin, outcome="held", reason="Wait")
    with pytest.raises(Refused, match="One of"):
        overrule(inspection=inspection, by=washes.admin, outcome="lost", reason="Wait")
    overrule(inspection=inspection, by=washes.admin, outcome="passed", reason="I saw the foam")
    assert last(inspection).reason == "I saw the foam" and _waited_for(washes) == []

    washes.say(rear["damage"], "dent")
    work()
    assert outcomes(inspection) == ["held", "passed"], "nobody had asserted that it has no dent"
    washes.say(front["damage"], "dent")
    work()
    assert outcomes(inspection) == ["held", "passed", "failed"], "what the person saw is not so any more"

    overrule(inspection=inspection, by=washes.admin, outcome="passed", reason="Those are reflections")
    washes.photograph(inspection, "rear")
    want_look([inspection.pk])
    work()
    assert outcomes(inspection)[3:] == ["passed", "failed"], "another photo"

    overrule(inspection=inspection, by=washes.admin, outcome="held", reason="Ask the site")
    assert figures(washes.protocol, 7).held_for == [("", "", "overruled", 1)]


# -- the queue -----------------------------------------------------------------------------------------------------


def _waited_for(washes: Washes) -> list[int]:
    """Photos that wash asks first because something waits, in the order in which they come."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT e.item_id FROM queue_entry e JOIN queue_ranking r ON r.id = e.ranking_id
            WHERE r.project_id = %s AND {IS_WAITED_FOR} ORDER BY e.band, e.position""",
            [washes.wash.pk],
        )
        return [row[0] for row in cursor.fetchall()]


def test_people_are_asked_first_for_what_the_oldest_inspection_waits_for(washes: Washes) -> None:
    newer = washes.inspect()
    older = washes.inspect(happened_at=newer.happened_at - timedelta(hours=3))
    for each in (newer, older):
        washes.say(washes.items(each, "front")["wash"], "defective")
    work()
    open_ = [washes.items(each, "rear")["wash"].pk for each in (older, newer)]
    assert _waited_for(washes) == open_, "what is known is not asked"
    damage = washes.items(older, "front")["damage"]
    washes.say(damage, "dent")
    work()
    assert outcomes(older)[-1] == "failed" and _waited_for(washes) == open_[1:], (
        "it waits for nothing any more"
    )


def test_of_a_photo_that_two_inspections_wait_for_people_are_asked_until_neither_does(washes: Washes) -> None:
    first, before = washes.inspect(), washes.protocol
    washes.protocol = Protocol.objects.create(
        slug="car-wash-2", name="Car wash 2", asset_kind="car", created_by=washes.admin
    )
    washes.publish(RULES, "failed")
    second = washes.inspect(shots=(), asset=first.asset)
    for photo in InspectionPhoto.objects.filter(inspection=first).select_related("shot"):
        shot = second.version.shots.get(key=photo.shot.key)
        InspectionPhoto.objects.create(
            inspection=second, shot=shot, number=1, image=photo.image, sha256=photo.sha256
        )
    want_look([second.pk])
    work()
    waited_for = _waited_for(washes)
    assert len(waited_for) == 2 and outcomes(second)[-1] == "held"
    archive_protocol(protocol=before, by=washes.admin)
    work()
    assert _waited_for(washes) == waited_for
    archive_protocol(protocol=washes.protocol, by=washes.admin)
    work()
    assert _waited_for(washes) == []


def test_nobody_waits_for_what_an_archived_protocol_holds_until_it_is_brought_back(washes: Washes) -> None:
    inspection = washes.inspect()
    work()
    asked = _waited_for(washes)
    assert len(asked) == 2
    archive_protocol(protocol=washes.protocol, by=washes.admin)
    work()
    assert _waited_for(washes) == []
    washes.say(washes.items(inspection, "rear")["damage"], "dent")
    work()
    assert outcomes(inspection) == ["held", "failed"], "what is answered is judged"
    other = washes.inspect()
    work()
    assert _waited_for(washes) == []
    restore_protocol(protocol=washes.protocol, by=washes.admin)
    work()
    assert set(_waited_for(washes)) == {washes.items(other, key)["wash"].pk for key in ("front", "rear")}


def test_where_the_machine_decides_it_is_asked_before_people_are(
    washes: Washes, certified: dict[str, Any]
) -> None:
    inspection = washes.inspect()
    items = [washes.items(inspection, key)["wash"] for key in ("front", "rear")]
    Score.objects.filter(item=items[0]).delete()
    work()
    assert _waited_for(washes) == [items[1].pk], "the first has no score yet"
    Score.objects.create(
        model_version=washes.pool.model,
        item=items[0],
        predicted=washes.pool.classes["functional"],
        confidence=0.1,
        probabilities=[0.55, 0.45],
    )
    ranking_swapped.send(sender=Score, project=washes.wash)
    work()
    assert set(_waited_for(washes)) == {each.pk for each in items}


# -- trial ---------------------------------------------------------------------------------------------------------


def test_rules_are_tried_on_past_inspections_and_nothing_is_written(washes: Washes) -> None:
    clean, dented, open_ = washes.inspect(), washes.inspect(), washes.inspect()
    washes.say_all(clean, "functional", "none")
    washes.say_all(dented, "functional", "dent")
    work()
    overrule(inspection=dented, by=washes.admin, outcome="passed", reason="An old one")
    before = Verdict.objects.count()
    trial = try_rules(protocol=washes.protocol, rules=RULES[1:], otherwise="held")
    assert (trial.tried, trial.changed, trial.overruled) == (3, 1, 1)
    assert trial.counts == {("passed", "passed"): 1, ("failed", "passed"): 1, ("held", "held"): 1}
    (change,) = trial.changes
    assert (change.inspection, change.before, change.after) == (dented, "failed", "passed")
    assert try_rules(protocol=washes.protocol, rules=RULES, otherwise="failed", most=2).tried == 2
    assert Verdict.objects.count() == before and outcomes(open_) == ["held"]
    with pytest.raises(Refused) as refused:
        try_rules(
            protocol=washes.protocol,
            rules=[{"outcome": "passed", "when": [when("wash", "any", "wax")]}],
            otherwise="held",
        )
    assert list(refused.value.fields) == ["rules.0.when.0.is"]
    with pytest.raises(Refused, match="Nothing passes"):
        try_rules(protocol=washes.protocol, rules=RULES, otherwise="passed")
