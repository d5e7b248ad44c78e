"""The machine decides what lies inside the frontier; people get the rest, a random share blind, and the last word."""

from __future__ import annotations

import json

import pytest
from django.db.models import Count
from django.test import Client
from django.utils import timezone

from labeling.catalog.models import Activity, Item
from labeling.catalog.services import amend_guideline
from labeling.frontier.changing_policy import set_policy
from labeling.frontier.compute.certifying import look
from labeling.frontier.models import AuditWatch, AutomaticDecision, Certificate
from labeling.frontier.policy import policy_of
from labeling.frontier.selectors import decided_alone
from labeling.frontier.services import decide, decide_one, in_force, overrule, suspend
from labeling.jobs.models import Job
from labeling.queue import priority
from labeling.queue.events import ranking_swapped
from labeling.queue.models import Entry, Ranking, Sweep, SweepPhoto
from labeling.queue.selectors import progress
from labeling.queue.services import claim, release
from labeling.refusals import Refused
from labeling.truth.models import Draw, GroundTruth
from tests.factories import make_member
from tests.frontier.proving import Pool, certified_pool, make_pool
from tests.kept import made_once

pytestmark = pytest.mark.django_db


@made_once
def switched_on(*, audit_share: float = 0.0) -> Pool:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=audit_share)
    pool.work()
    return pool


def decided(pool: Pool) -> set[int]:
    standing = AutomaticDecision.objects.standing().filter(project=pool.project)
    return set(standing.values_list("item_id", flat=True))


def test_nothing_is_decided_while_the_project_has_not_switched_it_on() -> None:
    pool = certified_pool()
    assert decide(project=pool.project) == {"decided": 0, "audited": 0}


def test_switching_on_wants_a_reason() -> None:
    pool = make_pool(20)
    with pytest.raises(Refused, match="Say why"):
        set_policy(project=pool.project, by=pool.admin, mode="on")


def test_exactly_the_open_photos_inside_the_frontier_are_decided() -> None:
    pool = switched_on()
    thresholds = {each.label_class.key: each.threshold for each in in_force(pool.project)}
    settled = set(GroundTruth.objects.filter(project=pool.project).values_list("item_id", flat=True))
    inside = {
        item.pk
        for item in pool.items
        if pool.margin[item.pk] >= thresholds[pool.predicted[item.pk]] and item.pk not in settled
    }
    assert inside
    assert decided(pool) == inside
    for decision in AutomaticDecision.objects.select_related("certificate", "label_class"):
        assert decision.label_class.key == pool.predicted[decision.item_id]
        assert decision.certificate.label_class_id == decision.label_class_id
        assert decision.model_version == pool.model


def test_decided_photos_are_not_offered_and_all_others_are() -> None:
    pool = switched_on()
    settled = set(GroundTruth.objects.filter(project=pool.project).values_list("item_id", flat=True))
    offered = pool.offered() - settled
    assert offered
    assert not offered & decided(pool)


def test_after_a_new_order_decided_photos_are_still_not_offered() -> None:
    pool = switched_on()
    pool.project.rankings.get(current=True).entries.update(band=0)  # as a new ranking would
    ranking_swapped.send(sender=Ranking, project=pool.project)
    assert not pool.offered() & decided(pool)


def test_the_random_audit_still_draws_decided_photos() -> None:
    pool = switched_on()
    pool.project.audit_rate = 1.0
    pool.project.save()
    drawn = set()
    for _ in range(40):
        slots = claim(project=pool.project, labeler=make_member(pool.project), count=1)
        drawn |= {slot.item_id for slot in slots if slot.draw == Draw.AUDIT}
    assert drawn & decided(pool)


def test_a_drawn_photo_that_was_given_back_comes_again() -> None:
    pool = switched_on()
    pool.project.audit_rate = 1.0
    pool.project.save()
    person = make_member(pool.project)
    slot = None
    while slot is None or slot.item_id not in decided(pool):
        if slot is not None:
            person = make_member(pool.project)
        (slot,) = claim(project=pool.project, labeler=person, count=1)
    release(project=pool.project, labeler=person, lease=slot.pk)
    pool.policy(audit_share=0.01)
    pool.work()
    pool.project.audit_rate = 0.0
    pool.project.save()
    assert slot.item_id in pool.offered()


def test_a_new_photo_inside_is_decided_at_once_and_one_outside_goes_to_people_with_the_reason() -> None:
    pool = switched_on()
    (sure,) = pool.new_photos(1, margin=0.99)
    (unsure,) = pool.new_photos(1, margin=0.01)
    found = decide_one(project=pool.project, item_id=sure.pk)
    assert (found.by, found.label_class) == ("machine", "functional")
    assert decide_one(project=pool.project, item_id=unsure.pk).reason == "outside"
    assert decide_one(project=pool.project, item_id=sure.pk).decision == found.decision
    pool.settle(sure, "defective")
    assert decide_one(project=pool.project, item_id=sure.pk).by == "people"


def test_in_shadow_photos_stay_in_the_queue() -> None:
    pool = certified_pool()
    before = pool.waiting()
    pool.policy(mode="shadow")
    pool.work()
    would = AutomaticDecision.objects.filter(project=pool.project, mode="shadow")
    assert would.exists()
    assert not AutomaticDecision.objects.standing().exists()
    assert pool.waiting() == before
    assert set(would.values_list("item_id", flat=True)) <= pool.offered()


def test_a_share_of_decisions_is_drawn_by_lot_for_people_and_looks_like_any_other() -> None:
    pool = switched_on(audit_share=0.3)
    audited = AutomaticDecision.objects.filter(project=pool.project, audit=True)
    assert 0 < audited.count() < AutomaticDecision.objects.count()
    ids = set(audited.values_list("item_id", flat=True))
    slots = claim(project=pool.project, labeler=pool.labelers[0], count=1)
    assert slots[0].item_id in ids  # asked soon
    assert slots[0].draw == Draw.RANK
    assert ids <= pool.offered() | {slots[0].item_id}


def test_deciding_again_decides_nothing_twice() -> None:
    pool = switched_on()
    assert decide(project=pool.project) == {"decided": 0, "audited": 0}
    twice = AutomaticDecision.objects.values("item").annotate(n=Count("id")).filter(n__gt=1)
    assert not twice.exists()


def test_photos_that_people_have_begun_are_left_to_them() -> None:
    pool = certified_pool()
    begun = {slot.item_id for slot in claim(project=pool.project, labeler=pool.labelers[0], count=8)}
    pool.policy(mode="on", audit_share=0.0)
    pool.work()
    assert not begun & decided(pool)


def test_an_overruled_photo_goes_to_people_and_is_never_decided_again() -> None:
    pool = switched_on()
    decision = AutomaticDecision.objects.standing().filter(project=pool.project)[0]
    overrule(decision=decision, by=pool.admin, reason="A crack", class_key="defective")
    assert decision.item_id not in decided(pool)
    decide(project=pool.project)
    assert decision.item_id not in decided(pool)
    assert not GroundTruth.objects.filter(item=decision.item).exists()
    assert decide_one(project=pool.project, item_id=decision.item_id).reason == "overruled"
    assert decision.item_id in pool.offered()
    with pytest.raises(Refused):
        overrule(decision=decision, by=pool.admin, reason="Again")


def test_a_corrupted_stream_suspends_the_certificate_and_people_get_the_photos_back() -> None:
    pool = switched_on(audit_share=0.0)
    pool.policy(audit_share=1.0)
    stream = pool.new_photos(15)
    decide(project=pool.project)
    pool.policy(audit_share=0.0)
    unaudited = pool.new_photos(10)
    decide(project=pool.project)
    before = decided(pool)
    assert {item.pk for item in [*stream, *unaudited]} <= before
    for item in stream:
        pool.settle(item, "defective")
        pool.work()
        if not any(each.label_class.key == "functional" for each in in_force(pool.project)):
            break
    watch = AuditWatch.objects.get(label_class__key="functional")
    assert watch.errors == watch.n < len(stream)  # it did not take all of them
    certificate = Certificate.objects.get(label_class__key="functional")
    end = certificate.ends.get(kind="suspended")
    assert (end.reason, end.figures["errors"]) == ("audit", watch.errors)
    assert Activity.objects.filter(project=pool.project, kind="certificate_suspended").count() == 1
    assert Job.objects.of_project(pool.project.pk).filter(kind="rank", state="queued").exists()
    after = decided(pool)
    assert after and not {item.pk for item in [*stream, *unaudited]} & after
    assert {item.pk for item in unaudited} <= pool.offered()
    # The class is not certified again on the same version, and the other class goes on.
    for item in pool.draw(20):
        if not GroundTruth.objects.filter(item=item).exists():
            pool.settle(item)
    pool.work()
    assert [each.label_class.key for each in in_force(pool.project)] == ["defective"]


def test_right_audits_never_suspend() -> None:
    pool = switched_on(audit_share=1.0)
    for decision in AutomaticDecision.objects.filter(project=pool.project).order_by("id")[:60]:
        pool.settle(decision.item)
    pool.work()
    assert {watch.errors for watch in AuditWatch.objects.all()} == {0}
    assert len(in_force(pool.project)) == 2


def test_an_admin_can_suspend_with_a_reason_that_is_kept() -> None:
    pool = switched_on()
    certificate = in_force(pool.project)[0]
    with pytest.raises(Refused):
        suspend(certificate=certificate, by=pool.admin, note=" ")
    assert suspend(certificate=certificate, by=pool.admin, note="New camera") > 0
    with pytest.raises(Refused) as second:
        suspend(certificate=certificate, by=pool.admin, note="And it is dirty")
    assert (second.value.code, second.value.status) == ("suspended", 409)
    with pytest.raises(Refused, match="301 characters"):
        suspend(certificate=certificate, by=pool.admin, note="x" * 301)
    assert certificate.ends.get().note == "New camera"
    assert certificate.label_class_id not in {each.label_class_id for each in in_force(pool.project)}


def test_a_change_of_policy_keeps_the_one_before() -> None:
    pool = make_pool(20)
    pool.policy(precision=0.95)
    pool.policy(mode="shadow")
    rows = list(pool.project.frontier_policies.order_by("id").values_list("precision", "mode"))
    assert rows == [(0.95, "off"), (0.95, "shadow")]
    with pytest.raises(Refused):
        pool.policy(precision=1.5)
    assert policy_of(pool.project).precision == 0.95


def test_decided_photos_wait_for_nobody_and_count_as_decided_without_a_human_decision() -> None:
    pool = switched_on()
    settled = GroundTruth.objects.filter(project=pool.project).count()
    waiting = sum(row["waiting"] for row in progress(pool.project)["ladders"])
    assert decided_alone(pool.project) == len(decided(pool)) > 0
    assert waiting == len(pool.items) - len(decided(pool)) - settled


def test_the_export_keeps_automatic_decisions_apart_from_ground_truths() -> None:
    pool = switched_on()
    client = Client()
    client.force_login(pool.admin)
    address = f"/api/v1/projects/{pool.project.slug}/export"
    said = b"".join(client.get(f"{address}/decisions.jsonl").streaming_content).decode().splitlines()
    assert {json.loads(line)["standing"] for line in said} == {True}
    assert len(said) == len(decided(pool))
    truths = b"".join(client.get(f"{address}/ground-truths.jsonl").streaming_content).decode().splitlines()
    assert not {json.loads(line)["sha256"] for line in said} & {json.loads(line)["sha256"] for line in truths}


def test_the_api_decides_lists_and_overrules() -> None:
    pool = switched_on()
    client = Client()
    client.force_login(pool.admin)
    api = f"/api/v1/projects/{pool.project.slug}"
    (sure,) = pool.new_photos(1)
    given = {"sha256": sure.image.sha256}
    told = client.post(f"{api}/decide", given, content_type="application/json").json()
    assert (told["by"], told["class"], told["decision"]["state"]) == ("machine", "functional", "standing")
    number = told["decision"]["id"]
    wrong = {"reason": "A crack", "class": "defective"}
    after = client.post(f"{api}/decisions/{number}/overrule", wrong, content_type="application/json").json()
    assert (after["state"], after["overruled_because"]) == ("overruled", "A crack")
    told = client.post(f"{api}/decide", given, content_type="application/json").json()
    assert (told["by"], told["reason"]) == ("queue", "overruled")
    page = client.get(f"{api}/decisions", {"limit": 3}).json()
    assert len(page["results"]) == 3 and page["next"]


def test_an_audited_photo_that_a_sweep_had_shown_is_no_witness() -> None:
    pool = switched_on(audit_share=0.3)
    audited = list(AutomaticDecision.objects.filter(project=pool.project, audit=True).order_by("id"))
    shown = audited[0]
    sweep = Sweep.objects.create(
        project=pool.project,
        labeler=pool.labelers[0],
        label_class=shown.label_class,
        model_version=pool.model,
        band=0,
    )
    SweepPhoto.objects.create(
        sweep=sweep, place=0, item=shown.item, labeler=pool.labelers[0], shown_at=timezone.now()
    )
    for decision in audited:
        pool.settle(decision.item)
    pool.work()
    assert sum(watch.n for watch in AuditWatch.objects.filter(project=pool.project)) == len(audited) - 1


def test_a_photo_that_a_sweep_set_apart_is_never_decided_by_the_machine() -> None:
    pool = switched_on()
    (marked,) = pool.new_photos(1, margin=0.99)
    labeler = pool.labelers[0]
    sweep = Sweep.objects.create(
        project=pool.project,
        labeler=labeler,
        label_class=pool.classes["functional"],
        model_version=pool.model,
        band=0,
    )
    SweepPhoto.objects.create(
        sweep=sweep, item=marked, place=0, labeler=labeler, apart=True, shown_at=timezone.now()
    )
    assert decide_one(project=pool.project, item_id=marked.pk).by == "queue"


def test_a_photo_that_people_are_to_be_asked_first_is_left_to_them() -> None:
    pool = switched_on()
    (wanted,) = pool.new_photos(1, margin=0.99)
    priority.ask_first(project=pool.project, item_ids=[wanted.pk])
    assert decide(project=pool.project)["decided"] == 0


def test_a_look_that_was_overtaken_by_a_stricter_wish_certifies_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = make_pool()
    pool.policy(precision=0.8, planned_labels=160)
    pool.settle_all((item, None) for item in pool.draw(200))

    def looked(*args: object) -> object:
        found = look(*args)  # type: ignore[arg-type]
        if policy_of(pool.project).precision < 0.999:
            pool.policy(precision=0.999, mode="on")
        return found

    monkeypatch.setattr("labeling.frontier.compute.certifying.look", looked)
    pool.work()
    assert in_force(pool.project) == []
    assert decided(pool) == set()


def test_a_machine_that_decides_is_audited() -> None:
    pool = certified_pool()
    with pytest.raises(Refused) as refusal:
        set_policy(project=pool.project, by=pool.admin, mode="on", audit_share=0.0, reason="Trust it")
    assert (refusal.value.status, set(refusal.value.fields)) == (422, {"audit_share"})
    set_policy(project=pool.project, by=pool.admin, mode="on", reason="Trust it")
    with pytest.raises(Refused):
        set_policy(project=pool.project, by=pool.admin, audit_share=0.001)


def test_what_people_settle_under_another_guideline_says_nothing_of_the_certificate() -> None:
    pool = switched_on(audit_share=1.0)
    amend_guideline(
        project=pool.project, by=pool.admin, note="Stricter", criteria={"functional": "No crack at all."}
    )
    for decision in AutomaticDecision.objects.filter(label_class__key="functional").order_by("id"):
        pool.settle(decision.item, "defective")
    pool.work()
    watch = AuditWatch.objects.get(label_class__key="functional")
    assert (watch.n, watch.errors, watch.waiting) == (0, 0, 0)
    assert watch.state["n"] > 0  # they count as right
    assert not Certificate.objects.filter(ends__kind="suspended").exists()


def test_what_people_settle_under_another_wording_is_held_against_the_certificate() -> None:
    pool = switched_on(audit_share=1.0)
    amend_guideline(
        project=pool.project,
        by=pool.admin,
        note="Shorter",
        criteria={"functional": "No crack."},
        wording_only=True,
    )
    for decision in AutomaticDecision.objects.filter(label_class__key="functional").order_by("id"):
        pool.settle(decision.item, "defective")
    pool.work()
    watch = AuditWatch.objects.get(label_class__key="functional")
    assert watch.guideline.number == 1
    assert watch.n == watch.errors > 0
    assert Certificate.objects.filter(label_class__key="functional", ends__kind="suspended").exists()


def test_decisions_are_told_when_nobody_is_asked_about_their_photos() -> None:
    pool = switched_on()
    pool.policy(audit_share=1.0)
    (audited,) = pool.new_photos(1)
    decide(project=pool.project)
    asked = AutomaticDecision.objects.get(item=audited)
    reviewer = make_member(pool.project, "reviewer")
    client = Client()
    client.force_login(reviewer)
    api = f"/api/v1/projects/{pool.project.slug}/decisions"
    page = f"/p/{pool.project.slug}/frontier"
    drawn = AutomaticDecision.objects.exclude(item=audited).first()
    assert drawn is not None
    Item.objects.filter(pk=drawn.item_id).update(audit_drawn_at=timezone.now())

    def listed() -> set[int]:
        found: set[int] = set()
        url: str | None = f"{api}?limit=200"
        while url:
            told = client.get(url).json()
            found |= {each["id"] for each in told["results"]}
            url = told["next"]
        return found

    everything = set(AutomaticDecision.objects.values_list("pk", flat=True))
    assert listed() == everything - {asked.pk, drawn.pk}
    for path in ("explanation", "heat.png"):
        assert client.get(f"{api}/{asked.pk}/{path}").json()["error"]["code"] == "asked_blind"
    assert client.get(f"{page}/decisions/{asked.pk}").status_code == 409
    listed_on_the_page = client.get(f"{page}/decisions").content.decode()
    assert "/frontier/decisions/" in listed_on_the_page
    assert f"/decisions/{asked.pk}" not in listed_on_the_page
    pool.settle(audited)
    assert listed() == everything - {drawn.pk}
    assert client.get(f"{page}/decisions/{asked.pk}").status_code == 200


def test_a_drawn_photo_of_an_inner_band_does_not_wait_for_its_band() -> None:
    pool = make_pool(60, bands=3)
    (drawn,) = pool.draw(1)
    Entry.objects.filter(item=drawn).update(band=2, position=50)
    priority.ask_drawn_first(project=pool.project)
    (slot,) = claim(project=pool.project, labeler=pool.labelers[0], count=1)
    assert slot.item_id == drawn.pk
