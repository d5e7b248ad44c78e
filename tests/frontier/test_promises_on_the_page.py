"""The frontier's page and API say what is promised, who settles what, and what is missing until the look."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from labeling.frontier.drawing import draw_for_band
from labeling.frontier.models import AuditWatch, CertificateEnd
from labeling.frontier.services import decide_one, suspend
from labeling.frontier.status import frontier_status
from labeling.refusals import Refused
from tests.factories import make_member
from tests.frontier.answering import hand, say
from tests.frontier.promised import (
    NEVER,
    certificate,
    decides,
    inside,
    look,
    one_answer_settles,
    under,
    wishes,
)
from tests.frontier.proving import Pool, make_pool
from tests.frontier.test_second_reader import assisted_pool, ring_photos

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool() -> Pool:
    return make_pool(100, slug="cells")


def page(pool: Pool, role: str = "reviewer", part: str = "", **headers: str) -> str:
    client = Client()
    client.force_login(pool.admin if role == "admin" else make_member(pool.project, role))
    text = client.get(f"/p/cells/frontier{part}", headers=headers).content.decode()
    return " ".join(text.split())


def api(pool: Pool) -> dict[str, Any]:
    client = Client()
    client.force_login(pool.admin)
    answer = client.get("/api/v1/projects/cells/frontier")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def test_a_second_reader_is_told_in_plain_words(pool: Pool) -> None:
    under(pool, "assisted")
    now = frontier_status(pool.project)
    assert now.says == (
        "The machine may decide 40\u00a0% of the pool alone, right at least 95\u00a0% of the time; of another "
        "40\u00a0% one answer that "
        "agrees settles a photo, right at least 95\u00a0% of the time by themselves."
    )
    assert now.classes[0].says == (
        "The machine may decide the surest 40\u00a0% of them alone; of the next 40\u00a0% one answer that "
        "agrees settles a photo. "
        "Either part is right at least 95\u00a0% of the time by itself."
    )
    assert [(each["state"], each["at"], each["width"]) for each in now.classes[0].ladder] == [
        ("certified", 0, 400),
        ("ring", 400, 400),
        ("strict", 800, 200),
    ]
    text = page(pool)
    assert "Certificate: 4 wrong of 230 random labels of the region" in text
    assert "2 wrong of 140 random labels whose first blind answer agreed (stated: 95 %)" in text
    assert "40 % by one answer, margin .20 and more" in text
    assert "Not promised: anything of single photos" in text


def test_a_delivered_set_is_told_in_plain_words(pool: Pool) -> None:
    proof = under(pool, "delivered")["functional"]
    now = frontier_status(pool.project)
    assert now.says == (
        "Of all labels that leave here at least 95\u00a0% are right; of what the machine decides, at least "
        "90\u00a0%. It may decide "
        "40\u00a0% of the pool alone; of another 40\u00a0% one answer that agrees settles a photo."
    )
    assert now.classes[0].says == (
        "The machine may decide the surest 40\u00a0% of them alone; of the next 40\u00a0% one answer that "
        "agrees settles a photo."
    ), "no part is promised anything by itself"
    shared = {"project": pool.project, "model_version": pool.model, "guideline": proof.guideline, "n": 60}
    AuditWatch.objects.create(**shared, label_class=None, part="machine", precision=0.9, errors=3, high=0.99)
    AuditWatch.objects.create(
        **shared, label_class=None, part="together", precision=0.93, errors=4, waiting=2, high=0.98
    )
    text = page(pool)
    assert "of all labels together at least 95 % are right. Of what the machine decides 4 of 230" in text
    assert "(floor: 90 %)" in text
    assert "Audit of the machine's decisions of all classes: 3 wrong of 60" in text
    assert "Audit of all classes and both parts together: 4 wrong of 60" in text and "2 more wait" in text
    assert "Labels that one answer settles have no bound of their own" in text


def test_each_class_shows_the_audit_of_each_of_its_parts(pool: Pool) -> None:
    proof = under(pool, "assisted")["functional"]
    shared = {
        "project": pool.project,
        "model_version": pool.model,
        "guideline": proof.guideline,
        "label_class": proof.label_class,
        "precision": 0.95,
    }
    AuditWatch.objects.create(**shared, part="assisted", n=20, errors=1)
    AuditWatch.objects.create(**shared, part="machine", n=31, errors=2)
    assert [each.part for each in frontier_status(pool.project).classes[0].watches] == ["machine", "assisted"]
    text = page(pool)
    assert "Audit of its decisions: 2 wrong of 31" in text
    assert "Audit of what one answer settled: 1 wrong of 20" in text


def test_a_ring_without_a_machines_part_and_a_part_without_a_ring(pool: Pool) -> None:
    wishes(pool, "assisted")
    run = look(pool, "assisted", used=800)
    certificate(pool, run, "functional", threshold=NEVER)
    now = frontier_status(pool.project)
    assert now.says == (
        "The machine may decide nothing alone; of 40\u00a0% of the pool one answer that agrees settles a "
        "photo, right at least "
        "95\u00a0% of the time."
    )
    assert "decides none of them alone; of the surest 80\u00a0%" in now.classes[0].says
    assert [each["state"] for each in now.classes[0].ladder] == ["ring", "strict"]
    text = page(pool)
    assert "none of its photos alone" in text
    assert "Certificate of one answer that agrees, and of nothing that the machine decides alone" in text
    certificate(pool, run, "defective", assisted=None)
    now = frontier_status(pool.project)
    assert "no single answer settles a photo" in now.classes[1].says
    assert [each["state"] for each in now.classes[1].ladder] == ["certified", "strict"]


@pytest.mark.parametrize(
    ("promise", "missing"),
    [
        ("assisted", "The look is due when 212 more random labels of “Functional” are settled."),
        ("delivered", "The look is due when 212 more random labels of the pool are settled."),
    ],
)
def test_what_is_missing_until_the_look_is_said(pool: Pool, promise: str, missing: str) -> None:
    wishes(pool, promise)
    look(pool, promise, lacks=212, used=40)
    now = frontier_status(pool.project)
    assert now.says == f"40 random labels prove no precision of 95\u00a0% yet. {missing}"
    assert now.classes[0].says == missing
    assert now.to_draw == (212 if promise == "delivered" else 424), "a class is half of the pool"
    assert missing in page(pool)
    told = api(pool)
    assert [each["lacks"] for each in told["classes"]] == [212, 212]
    assert told["plan"] == {
        "promise": promise,
        "precision": 0.95,
        "floor": 0.9 if promise == "delivered" else None,
        "delta": 0.04,
    }
    with pytest.raises(Refused) as refused:
        draw_for_band(project=pool.project, by=pool.admin, class_key="functional")
    assert (refused.value.code, refused.value.status) == ("whole_pool", 409)
    assert "Request these labels" not in page(pool, "admin")


def test_a_look_that_was_taken_and_proved_nothing_says_so(pool: Pool) -> None:
    wishes(pool, "assisted")
    look(pool, "assisted", lacks=0, used=800)
    now = frontier_status(pool.project)
    assert now.says == "800 random labels prove no precision of 95\u00a0% yet."
    assert now.classes[0].says.startswith(
        "The planned labels are settled, and prove no precision of 95\u00a0%."
    )
    assert now.to_draw == 0


def test_a_look_under_another_promise_says_nothing_of_this_one(pool: Pool) -> None:
    wishes(pool, "assisted")
    look(pool, "assisted", lacks=30, used=8)
    wishes(pool, "delivered")
    now = frontier_status(pool.project)
    assert now.look is None and now.classes[0].says == "Not looked at yet."


def test_labels_of_each_kind_are_counted_apart(pool: Pool) -> None:
    proof = under(pool, "assisted")["functional"]
    ring, sure = inside(pool, 0.2, 0.6), inside(pool, 0.6, 1.0)
    assert "none waits for a second person" in page(pool, part="/decisions")
    for item in sure[:3]:
        decides(pool, proof, item)
    for item in ring[:4]:
        one_answer_settles(pool, proof, item)
    for item in ring[4:6]:
        one_answer_settles(pool, proof, item, audit=True)
    pool.settle(ring[4])
    told = api(pool)
    assert (told["decided"], told["assisted"], told["second_person"]) == (3, 4, 1)
    assert (told["coverage"], told["assisted_coverage"]) == (0.4, 0.4)
    assert "1 more had such an answer, and waits for a second person" in page(pool, part="/decisions")


def test_the_machine_alone_is_told_as_before_and_shows_no_ring(pool: Pool) -> None:
    pool.policy(precision=0.95)
    text = page(pool)
    assert "Settled by one answer" not in text + page(pool, part="/decisions")
    assert "Promised: of what the machine decides at least 95 % is right." in text
    assert "swatch ring" not in text
    told = api(pool)
    assert (told["assisted"], told["second_person"], told["assisted_coverage"], told["plan"]) == (
        0,
        0,
        0,
        None,
    )


def test_why_a_second_reader_was_suspended_is_said(pool: Pool) -> None:
    proof = under(pool, "assisted")["functional"]
    CertificateEnd.objects.create(
        certificate=proof,
        kind="suspended",
        reason="audit",
        figures={"errors": 5, "audited": 20, "part": "assisted"},
    )
    now = frontier_status(pool.project)
    said = "5 of 20 audited labels that one answer settled were wrong"
    assert said in now.classes[0].says
    assert [each["state"] for each in now.classes[0].ladder] == ["suspended", "suspended", "strict"]
    assert page(pool).count(said) >= 2, "in the state, and among those that ended"


def test_the_policy_names_the_three_promises_and_the_comparison(pool: Pool) -> None:
    text = page(pool, "admin", "/policy")
    for words in (
        "What is promised",
        "one blind answer that says what the machine says settles a photo",
        "All labels together are right as often as is promised",
        "What one answer a photo would be worth without any machine",
    ):
        assert words in text
    korean = page(pool, "admin", "/policy", **{"accept-language": "ko"})
    assert "무엇을 보장하는가" in korean or "보장" in korean


def test_what_the_services_certify_and_settle_is_told_and_withdrawn_labels_are_counted() -> None:
    pool = assisted_pool()
    now = frontier_status(pool.project)
    assert now.state == "certified" and "one answer that agrees settles a photo" in now.says
    parts = now.classes[0].parts
    assert parts is not None and parts.alone > 0 and parts.ring > 0
    assert now.assisted_coverage == pytest.approx(
        sum(each.parts.ring for each in now.classes if each.parts) / parts.pool
    )
    photo = ring_photos(pool)[0]
    say(pool, hand(pool, photo, pool.labelers[0]), "functional")
    assert frontier_status(pool.project).assisted == 1
    told = decide_one(project=pool.project, item_id=photo.pk)
    assert (told.by, told.promise, told.stated) == ("people", "assisted", 0.8)
    assert decide_one(project=pool.project, item_id=photo.pk, strict=True).reason == "not_strict"
    certified = pool.project.activities.filter(kind="certified")
    assert {each.data["promise"] for each in certified} == {"assisted"}
    suspend(certificate=now.classes[0].certificate, by=pool.admin, note="A new camera")  # type: ignore[arg-type]
    assert pool.project.activities.get(kind="certificate_suspended").data["withdrawn"] == 1
    after = frontier_status(pool.project)
    assert (after.assisted, after.second_person) == (0, 1)
    assert decide_one(project=pool.project, item_id=photo.pk, strict=True).reason == "with_people"
