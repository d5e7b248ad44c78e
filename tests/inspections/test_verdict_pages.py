"""What people are shown of verdicts, and how they overrule one and change the rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.services import amend_guideline
from labeling.inspections.models import Inspection
from labeling.learning.models import Score
from labeling.people.models import User
from tests.factories import join, make_user
from tests.frontier import promised
from tests.inspections.made import RULES, Washes, when, work


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _member(washes: Washes, role: str) -> User:
    user = make_user()
    for project in (washes.wash, washes.damage):
        join(project, user, role=role)
    return user


def _page(washes: Washes, inspection: Inspection) -> str:
    return reverse("inspection", args=[washes.protocol.slug, inspection.pk])


@pytest.fixture
def passed(washes: Washes) -> Inspection:
    """Passed on the machine's word, of whose photos none was drawn for people."""
    return _decided(washes)


@pytest.fixture
def blind(washes: Washes) -> Inspection:
    """The same, but the rear was drawn for people, who are asked about it."""
    return _decided(washes, audited=("rear",))


def _decided(washes: Washes, *, audited: tuple[str, ...] = ()) -> Inspection:
    certified = promised.under(washes.pool, "alone", precision=0.98)
    inspection = washes.inspect()
    for key in ("front", "rear"):
        items = washes.items(inspection, key)
        promised.decides(washes.pool, certified["functional"], items["wash"], audit=key in audited)
        washes.say(items["damage"], "none")
    work()
    return inspection


def test_the_evidence_says_who_decided_what_and_how_sure_the_whole_is(
    washes: Washes, passed: Inspection
) -> None:
    reviewer = _member(washes, "reviewer")
    page = _client(reviewer).get(_page(washes, passed)).content.decode()
    assert "Certified" in page and "when any shot is Functional in" in page
    assert "2 answers were decided with the machine, each proven right in at least 98\u00a0%" in page
    assert "So all 2 together are right in at least 96\u00a0%" in page
    assert (
        page.count("the machine, right in at least 98\u00a0%") == 2
        and page.count("people, by the project") == 2
    )
    assert page.count(">decides<") == 4 and "≥ 96" in page
    decision = washes.items(passed, "front")["wash"].automatic_decisions.get()
    assert reverse("frontier-decision", args=["wash", decision.pk]) in page
    assert _client(_member(washes, "viewer")).get(_page(washes, passed)).status_code == 200
    assert _client(_member(washes, "labeler")).get(_page(washes, passed)).status_code == 403
    assert _client(make_user()).get(_page(washes, passed)).status_code == 404
    assert _client(reviewer).get(reverse("inspection", args=["another", passed.pk])).status_code == 404


def test_why_a_verdict_follows_is_told_once_all_that_it_rests_on_is(
    washes: Washes, blind: Inspection
) -> None:
    client = _client(_member(washes, "reviewer"))
    address = reverse("api-verdicts", args=[blind.pk])
    page = client.get(_page(washes, blind)).content.decode()
    assert "Certified" in page and page.count("Why is not told yet") == 2, (
        "above, and in the list of verdicts"
    )
    assert page.count("the machine, right in at least 98\u00a0%") == 1 and "nothing is told" in page
    for tells in ("when any shot", ">decides<", "96\u00a0%", "How sure it is"):
        assert tells not in page, tells
    audited = washes.items(blind, "rear")["wash"]
    decision = audited.automatic_decisions.get()
    assert reverse("frontier-decision", args=["wash", decision.pk]) not in page
    (told,) = client.get(address).json()["results"]
    assert (told["outcome"], told["rule"], told["bound"], told["parts"]) == ("passed", None, None, [])
    assert len(told["says"]) == 1 and "Why is not told yet" in told["says"][0]
    one = client.get(reverse("api-inspection", args=[blind.pk])).json()
    (row,) = client.get(reverse("api-inspections", args=["car-wash"])).json()["results"]
    assert (one["verdict"]["bound"], row["verdict"]["bound"]) == (None, None)

    washes.say(audited, "functional")
    page = client.get(_page(washes, blind)).content.decode()
    assert "when any shot is Functional in" in page and ">decides<" in page and "≥ 96" in page
    (told,) = client.get(address).json()["results"]
    assert (told["rule"], told["bound"], len(told["parts"])) == (1, pytest.approx(0.96), 4)
    (row,) = client.get(reverse("api-inspections", args=["car-wash"])).json()["results"]
    assert row["verdict"]["bound"] == pytest.approx(0.96)


def test_a_held_inspection_says_why_the_machine_leaves_it_to_people(washes: Washes) -> None:
    reviewer = _client(_member(washes, "reviewer"))
    inspection = washes.inspect()
    work()

    def left() -> str:
        page = " ".join(reviewer.get(_page(washes, inspection)).content.decode().split())
        return page.partition('id="undecided-title"')[2].partition("</section>")[0]

    assert left() == "", "it is switched off"
    promised.wishes(washes.pool, "alone", mode="on")
    assert (
        f"{washes.wash.name} (Front, Rear): the machine may decide nothing here, as nothing is certified"
        in left()
    )
    assert washes.damage.name not in left(), "there it is switched off"
    promised.under(washes.pool, "alone")
    assert "Which of these is not told" in left() and "(Front, Rear)" in left(), (
        "what it makes of them would tell"
    )
    item = washes.items(inspection, "rear")["wash"]
    Score.objects.filter(item=item).delete()
    assert (
        "(Rear): the machine has not looked at it yet" in left()
        and "(Front): the machine may not decide it" in left()
    )


def test_a_held_inspection_names_the_photos_that_nobody_took(washes: Washes) -> None:
    washes.publish([{"outcome": "passed", "when": [when("wash", "every", "functional")]}], optional=("rear",))
    inspection = washes.inspect(shots=("front",))
    work()
    shown = _client(washes.admin).get(_page(washes, inspection)).content.decode()
    assert "It waits for 1 answer: wash (Front)." in shown.replace(washes.wash.name, "wash")
    assert "A photo would be needed: Rear." in shown


def test_a_verdict_is_overruled_on_its_page(washes: Washes, passed: Inspection) -> None:
    client = _client(_member(washes, "reviewer"))
    overrule = reverse("inspection-overrule", args=[washes.protocol.slug, passed.pk])
    for sent, said in (
        ({"outcome": "failed"}, "Say why"),
        ({"outcome": "passed", "reason": "It is"}, "already"),
    ):
        answer = client.post(overrule, sent)
        assert answer.status_code in {409, 422} and said in answer.content.decode()
    assert client.post(overrule, {"outcome": "failed", "reason": "Only water & <soap>"}).status_code == 302
    page = client.get(_page(washes, passed)).content.decode()
    assert "Only water &amp; &lt;soap&gt;" in page and "it would be: <bdi>Certified</bdi>" in page
    assert page.index("Refused") < page.index("Certified")
    viewer = _client(_member(washes, "viewer"))
    assert viewer.post(overrule, {"outcome": "held", "reason": "No"}).status_code == 403
    assert 'name="reason"' not in viewer.get(_page(washes, passed)).content.decode()


def _rows(*rows: dict[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {"rows": len(rows) + 1, "otherwise": "held"}
    for n, row in enumerate(rows):
        sent |= {f"{name}-{n}": value for name, value in row.items()}
    return sent


def test_rules_are_changed_as_a_table_tried_and_published(washes: Washes, passed: Inspection) -> None:
    client = _client(washes.admin)
    page = client.get(reverse("protocol-rules", args=["car-wash"])).content.decode()
    assert "Refused, when any shot is Dent in" in page and 'value="wash:functional" selected' in page
    change = reverse("protocol-rules-change", args=["car-wash"])
    both = _rows(
        {"rule": 1, "outcome": "passed", "of": "every", "is": ["wash:functional"]},
        {
            "rule": 1,
            "outcome": "passed",
            "of": "every",
            "not": "not",
            "shots": ["front"],
            "is": ["damage:dent"],
        },
        {"rule": 2, "outcome": "failed", "of": "any", "is": ["wash:defective"]},
    )
    answer = client.post(change, both)
    tried = answer.content.decode()
    assert answer.status_code == 200 and "0 of 1 inspections would have another verdict" in tried
    assert "each shot is Functional in" in tried and "Front is not Dent in" in tried
    assert washes.protocol.current.number == 1, "nothing is published yet"
    raw = answer.context["tried"]
    assert client.post(change, {"tried": raw, "otherwise": "held"}).status_code == 422, "without a note"
    published = client.post(change, {"tried": raw, "otherwise": "held", "note": "Both sides"})
    assert published.status_code == 302
    version = washes.protocol.current
    assert (version.number, version.note, version.otherwise) == (2, "Both sides", "held")
    assert version.rules[0]["when"][1] == when("damage", "every", "dent", shots=["front"], **{"not": True})


def test_a_class_that_was_merged_stays_in_the_rules_table_until_somebody_chooses_another(
    washes: Washes, passed: Inspection
) -> None:
    amend_guideline(
        project=washes.damage, by=washes.admin, note="One", merge={"dent": "none"}, add=[{"name": "Dirt"}]
    )
    client = _client(washes.admin)
    page = client.get(reverse("protocol-rules", args=["car-wash"])).content.decode()
    assert 'value="damage:dent" selected' in page and "(asked no more)" in page
    as_shown = _rows({"rule": 1, "outcome": "failed", "of": "any", "is": ["damage:dent"]})
    refused = client.post(reverse("protocol-rules-change", args=["car-wash"]), as_shown)
    assert refused.status_code == 422 and "has no class dent" in refused.content.decode()


def test_what_is_wrong_with_rules_stands_beside_their_row(washes: Washes) -> None:
    client = _client(washes.admin)
    change = reverse("protocol-rules-change", args=["car-wash"])
    two_outcomes = _rows(
        {"rule": 1, "outcome": "passed", "is": ["wash:functional"]},
        {"rule": 1, "outcome": "failed", "is": ["damage:dent"]},
    )
    wrong = (
        (_rows({"rule": 1, "is": ["wash:functional", "damage:dent"]}), "Choose answers of one project"),
        (_rows({"rule": 1, "is": ["wash:wax"]}), "has no class wax"),
        (_rows({"rule": 1, "shots": ["roof"], "is": ["wash:functional"]}), "is not asked of: roof"),
        (two_outcomes, "One rule has one outcome"),
        (_rows() | {"otherwise": "passed"}, "Nothing passes"),
        ({"tried": "[" * 5000, "note": "Deep", "otherwise": "held"}, "Send a list of rules"),
        ({"tried": json.dumps([{"outcome": "passed", "when": 7}]), "note": "", "otherwise": "held"}, "Say when"),
        ({"rows": "many", "otherwise": "held"}, ""),
    )  # fmt: skip
    for sent, said in wrong:
        answer = client.post(change, sent)
        assert answer.status_code == (422 if said else 200) and said in answer.content.decode(), sent
    assert washes.protocol.current.number == 1
    assert _client(_member(washes, "reviewer")).post(change, {}).status_code == 403
    assert (
        "Change the rules"
        not in _client(_member(washes, "viewer"))
        .get(reverse("protocol-rules", args=["car-wash"]))
        .content.decode()
    )


def test_of_an_overruled_verdict_each_answer_is_told_by_itself(washes: Washes, blind: Inspection) -> None:
    client = _client(_member(washes, "reviewer"))
    sent = {"outcome": "held", "reason": "Look again"}
    address = reverse("api-verdicts", args=[blind.pk])
    made = client.post(address, sent, content_type="application/json").json()
    by_part = {(part["shot"], part["project"]): part for part in made["parts"]}
    assert (by_part["front", "wash"]["answer"], by_part["front", "wash"]["by"]) == ("functional", "machine")
    audited = by_part["rear", "wash"]
    assert (audited["told"], audited["answer"], audited["by"], audited["decision"]) == (
        False,
        None,
        None,
        None,
    )


def test_the_api_tells_verdicts_overrules_and_tries(washes: Washes, passed: Inspection) -> None:
    client = _client(_member(washes, "reviewer"))
    address = reverse("api-verdicts", args=[passed.pk])
    (told,) = client.get(address).json()["results"]
    assert (told["outcome"], told["name"], told["bound"], told["overruled_by"]) == (
        "passed", "Certified", pytest.approx(0.96), None
    )  # fmt: skip
    by_part = {(part["shot"], part["project"]): part for part in told["parts"]}
    assert (by_part["front", "wash"]["answer"], by_part["front", "wash"]["by"]) == ("functional", "machine")
    assert told["rule"] == 1 and len(told["says"]) == 4
    sent = {"outcome": "held", "reason": "Look again"}
    made = client.post(address, sent, content_type="application/json")
    assert made.status_code == 201 and made.json()["reason"] == "Look again"
    again = client.post(address, sent, content_type="application/json")
    assert again.status_code == 409 and again.json()["error"]["code"] == "same_verdict"
    trial = reverse("api-protocol-trial", args=["car-wash"])
    admin = _client(washes.admin)
    proposed = {"rules": RULES[:1], "otherwise": "failed"}
    answer = admin.post(trial, proposed, content_type="application/json").json()
    assert (answer["tried"], answer["changed"], answer["overruled"]) == (1, 1, 1)
    assert answer["changes"] == [
        {"id": passed.pk, "external_id": passed.external_id, "before": "passed", "after": "failed"}
    ]
    refused = admin.post(trial, proposed | {"rules": {"all": "pass"}}, content_type="application/json")
    assert refused.status_code == 422 and list(refused.json()["error"]["fields"]) == ["rules"]
