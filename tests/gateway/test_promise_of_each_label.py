"""Each label says which promise it stands under, and whoever wants strict ones only gets no other."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from labeling.catalog.models import Item
from labeling.frontier.models import AutomaticDecision, CertificateEnd
from labeling.truth.models import GroundTruth
from tests.frontier.promised import certificate, decides, inside, look, one_answer_settles, under
from tests.frontier.proving import Pool, make_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool() -> Pool:
    return make_pool(60, slug="cells")


def client_of(pool: Pool) -> Client:
    client = Client()
    client.force_login(pool.admin)
    return client


def exported(pool: Pool, name: str, query: str = "") -> list[dict[str, Any]]:
    response = client_of(pool).get(f"/api/v1/projects/cells/export/{name}{query}")
    assert response.status_code == 200
    data = b"".join(response).decode("utf-8-sig")  # type: ignore[arg-type]
    if name.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(data)))
    return [json.loads(line) for line in data.splitlines()]


def decide(pool: Pool, item: Item, **more: str) -> dict[str, Any]:
    answer = client_of(pool).post(
        "/api/v1/projects/cells/decide",
        {"sha256": item.image.sha256} | more,
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(
    ("promise", "of_answer", "of_machine"),
    [("assisted", "assisted", "machine"), ("delivered", "delivered", "delivered")],
)
def test_exports_say_which_promise_each_label_stands_under(
    pool: Pool, promise: str, of_answer: str, of_machine: str
) -> None:
    proof = under(pool, promise)["functional"]
    ring, sure = inside(pool, 0.2, 0.6), inside(pool, 0.6, 1.0)
    one_answer_settles(pool, proof, ring[0])
    strict = pool.settle(ring[1])
    decision = decides(pool, proof, sure[0])
    truths = {row["origin"]: row for row in exported(pool, "ground-truths.jsonl")}
    assert (truths["assisted"]["promise"], truths["assisted"]["stated"]) == (of_answer, 0.95)
    assert (truths["agreement"]["promise"], truths["agreement"]["stated"]) == ("strict", None)
    (said,) = exported(pool, "decisions.jsonl")
    assert (said["promise"], said["stated"]) == (of_machine, 0.95)
    assert said["stated_precision"] == (0.9 if promise == "delivered" else 0.95), (
        "the floor is of the machine"
    )
    answers = {row["sha256"]: row for row in exported(pool, "annotations.jsonl")}
    assert answers[ring[0].image.sha256]["ground_truth_promise"] == of_answer
    assert [row["id"] for row in exported(pool, "ground-truths.jsonl", "?promise=strict")] == [strict.pk]
    assert exported(pool, "annotations.csv", "?promise=strict") == []
    assert exported(pool, "decisions.csv", "?promise=strict") == []
    assert [int(row["id"]) for row in exported(pool, "decisions.csv", f"?promise={of_machine}")] == [
        decision.pk
    ]


def test_the_machine_alone_promises_what_it_decides(pool: Pool) -> None:
    proof = certificate(pool, look(pool, "alone", precision=0.98), assisted=None)
    decides(pool, proof, inside(pool, 0.6, 1.0)[0])
    (said,) = exported(pool, "decisions.csv")
    assert (said["promise"], said["stated"], said["stated_precision"]) == ("machine", "0.98", "0.98")


def test_what_does_not_stand_and_what_is_not_blind_stands_under_no_promise(pool: Pool) -> None:
    proof = under(pool, "assisted")["functional"]
    ring, sure = inside(pool, 0.2, 0.6), inside(pool, 0.6, 1.0)
    truth = one_answer_settles(pool, proof, ring[0])
    decides(pool, proof, sure[0])
    swept = GroundTruth.objects.create(
        project=pool.project,
        item=ring[1],
        kind="class",
        label_class=proof.label_class,
        origin="agreement",
        draw="sweep",
        guideline=proof.guideline,
    )
    CertificateEnd.objects.create(certificate=proof, kind="suspended", reason="admin", note="a test")
    gone = GroundTruth.objects.create(
        project=pool.project,
        item=ring[0],
        kind="withdrawn",
        origin="withdrawal",
        guideline=proof.guideline,
        supersedes=truth,
    )
    by_id = {row["id"]: row for row in exported(pool, "ground-truths.jsonl")}
    assert (by_id[gone.pk]["promise"], by_id[gone.pk]["stated"]) == ("", None)
    assert (by_id[swept.pk]["promise"], by_id[swept.pk]["stated"]) == ("", None)
    assert truth is not None
    before = by_id[truth.pk]
    assert (before["promise"], before["in_force"]) == ("assisted", False), "as it stood"
    (said,) = exported(pool, "decisions.jsonl")
    assert (said["promise"], said["stated"], said["standing"]) == ("", None, False)
    assert decide(pool, ring[1])["by"] == "people"
    assert decide(pool, ring[1], promise="strict")["reason"] == "not_strict", "who saw a grid was not blind"


def test_a_promise_that_nothing_can_stand_under_is_refused(pool: Pool) -> None:
    client = client_of(pool)
    for address in ("export/ground-truths.csv", "export/decisions.jsonl", "ground-truths"):
        refused = client.get(f"/api/v1/projects/cells/{address}?promise=certain")
        assert refused.status_code == 422
        assert set(refused.json()["error"]["fields"]) == {"promise"}
        assert client.get(f"/api/v1/projects/cells/{address}?promise=strict").status_code == 200


def test_a_page_of_the_api_says_what_the_export_says(pool: Pool) -> None:
    proof = under(pool, "assisted")["functional"]
    ring = inside(pool, 0.2, 0.6)
    one_answer_settles(pool, proof, ring[0])
    pool.settle(ring[1])
    client = client_of(pool)
    rows = client.get("/api/v1/projects/cells/ground-truths").json()["results"]
    assert [(row["promise"], row["stated"]) for row in rows] == [("assisted", 0.95), ("strict", None)]
    strict = client.get("/api/v1/projects/cells/ground-truths?promise=strict&current=true").json()["results"]
    assert [row["id"] for row in strict] == [rows[1]["id"]]
    answers = client.get("/api/v1/projects/cells/annotations").json()["results"]
    assert [row["ground_truth_promise"] for row in answers] == ["assisted"]


def test_a_caller_hears_which_promise_the_answer_stands_under(pool: Pool) -> None:
    proof = under(pool, "delivered")["functional"]
    ring, sure = inside(pool, 0.2, 0.6), inside(pool, 0.6, 1.0)
    one_answer_settles(pool, proof, ring[0])
    decides(pool, proof, sure[0])
    strict = pool.settle(ring[1])
    assert strict.origin == "agreement"
    told = {
        "machine": decide(pool, sure[0]),
        "answer": decide(pool, ring[0]),
        "strict": decide(pool, ring[1]),
    }
    assert {name: (t["by"], t["promise"], t["stated"]) for name, t in told.items()} == {
        "machine": ("machine", "delivered", 0.95),
        "answer": ("people", "delivered", 0.95),
        "strict": ("people", "strict", None),
    }
    decision = told["machine"]["decision"]
    assert (decision["promise"], decision["stated"], decision["precision"]) == ("delivered", 0.95, 0.9)
    listed = client_of(pool).get("/api/v1/projects/cells/decisions").json()["results"]
    assert [(row["promise"], row["stated"]) for row in listed] == [("delivered", 0.95)]


def test_a_caller_who_asks_for_a_strict_label_gets_no_other(pool: Pool) -> None:
    proof = under(pool, "assisted")["functional"]
    ring, sure = inside(pool, 0.2, 0.6), inside(pool, 0.6, 1.0)
    one_answer_settles(pool, proof, ring[0])
    one_answer_settles(pool, proof, ring[1], audit=True)
    decides(pool, proof, sure[0])
    decides(pool, proof, sure[1], audit=True)
    pool.settle(ring[2])
    before = AutomaticDecision.objects.count()
    told = {
        name: decide(pool, item, promise="strict")
        for name, item in {
            "settled": ring[2],
            "by one answer": ring[0],
            "its second person is asked": ring[1],
            "by the machine": sure[0],
            "audited": sure[1],
            "open": sure[2],
        }.items()
    }
    assert {name: (t["by"], t["class"], t["reason"], t["promise"]) for name, t in told.items()} == {
        "settled": ("people", "functional", "class", "strict"),
        "by one answer": ("queue", "", "not_strict", ""),
        "its second person is asked": ("queue", "", "with_people", ""),
        "by the machine": ("queue", "", "not_strict", ""),
        "audited": ("queue", "", "with_people", ""),
        "open": ("queue", "", "with_people", ""),
    }
    assert all(t["decision"] is None for t in told.values())
    assert AutomaticDecision.objects.count() == before, "nothing is decided for who wants a strict label"


def test_no_other_promise_can_be_asked_for_and_one_photo_is_still_needed(pool: Pool) -> None:
    client = client_of(pool)
    address = "/api/v1/projects/cells/decide"
    sha256 = pool.items[0].image.sha256
    for body in ({"sha256": sha256, "promise": "machine"}, {"promise": "strict"}):
        refused = client.post(address, body, content_type="application/json")
        assert refused.status_code == 422, body
