"""The frontier's page in four parts: each has an address, shows its own and reads no more, and forms come back to theirs."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.catalog.models import Role
from labeling.frontier.decisions import listed as listing
from labeling.frontier.decisions import selectors as told
from labeling.frontier.models import AutomaticDecision, CertificateEnd
from labeling.frontier.services import decide, in_force, overrule, suspend
from tests.factories import make_member
from tests.frontier.proving import KEYS, Pool, certified_pool, make_pool

pytestmark = pytest.mark.django_db

#: What stands on one part and on no other.
ON = {
    "": "Certificates per predicted class",
    "/bands": "Bands and gates",
    "/decisions": "Automatic decisions",
    "/policy": "Planned random labels",
}
#: Queries of the page when all four parts were one, in the same pool.
OF_THE_WHOLE = 78


def deciding_pool() -> Pool:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=0.05)
    decide(project=pool.project)
    return pool


def client_of(pool: Pool, role: Role | None = None) -> Client:
    client = Client()
    client.force_login(make_member(pool.project, role) if role else pool.admin)
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(answer.content.decode().split())


def test_each_part_shows_its_own_and_reads_less_than_the_whole_did() -> None:
    pool = deciding_pool()
    client = client_of(pool)
    for part in ON:
        address = f"/p/cells/frontier{part}"
        client.get(address)
        with CaptureQueriesContext(connection) as read:
            page = text_of(client, address)
        assert len(read) < OF_THE_WHOLE, (part, len(read))
        for other, of_other in ON.items():
            assert (of_other in page) is (other == part), (part, of_other)
        assert "of the pool is certified" in page, "the sentence stands above each part"
        assert "frontier-card" in page
        tabs = re.search(
            r'<nav class="tabs frontier-parts" id="part" aria-label="Parts of the frontier">(.*?)</nav>', page
        )
        assert tabs is not None
        current = re.findall(r'<a href="([^"]+)" aria-current="page"', tabs[1])
        assert current == [f"{address}#part"]
        assert re.findall(r'href="([^"]+)"', tabs[1]) == [f"/p/cells/frontier{each}#part" for each in ON]


def test_what_changes_by_itself_holds_no_form_in_which_somebody_may_be_typing() -> None:
    pool = deciding_pool()
    client = client_of(pool)
    for part, words in ON.items():
        fragment = text_of(client, f"/p/cells/frontier{part}?fragment=state")
        assert "<html" not in fragment and "of the pool is certified" in fragment
        assert (words in fragment) is (part != "/policy")
        assert "Reason to open it now" not in fragment


def test_a_form_comes_back_to_the_part_that_it_was_on() -> None:
    pool = deciding_pool()
    client = client_of(pool)
    proof = in_force(pool.project)[0]
    decision = AutomaticDecision.objects.told().first()
    assert decision is not None
    policy = {
        "mode": "off",
        "promise": "alone",
        "precision": "90",
        "floor": "80",
        "delta": "5",
        "audit_share": "5",
        "planned_labels": "180",
        "reason": "A pause",
    }
    for name, args, form, part in (
        ("frontier-certify", [], {}, ""),
        ("frontier-open-band", [], {"reason": "Clear"}, "/bands"),
        ("frontier-reopen-band", [], {"band": "0", "reason": "Again"}, "/bands"),
        ("frontier-overrule", [decision.pk], {"reason": "A crack"}, "/decisions"),
        ("frontier-draw", [], {"count": "3"}, ""),
        ("frontier-suspend", [proof.pk], {"note": "A new camera"}, ""),
        ("frontier-policy", [], policy, "/policy"),
    ):
        answer = client.post(reverse(name, args=["cells", *args]), form)
        assert answer.status_code == 302, (name, answer.content.decode())
        assert answer.headers["Location"] == f"/p/cells/frontier{part}", name
    wrong = client.post(reverse("frontier-policy", args=["cells"]), policy | {"precision": "9"})
    page = wrong.content.decode()
    assert wrong.status_code == 422 and "From 50 to 99.9\u00a0%." in page
    assert re.search(r'href="/p/cells/frontier/policy#part"\s+aria-current="page"', page)


def test_the_activities_lead_to_the_part_that_they_are_of() -> None:
    page = text_of(client_of(deciding_pool()), "/p/cells/")
    for part in ("", "/decisions", "/policy"):
        assert f'href="/p/cells/frontier{part}"' in page


def test_who_reads_sees_the_policy_in_force_and_no_form() -> None:
    pool = deciding_pool()
    page = text_of(client_of(pool, Role.REVIEWER), "/p/cells/frontier/policy")
    assert "An admin of the project sets the policy." in page
    assert "The three promises a project can make" in page
    assert 'method="post" action="/p/cells/frontier' not in page


def shown(client: Client, query: str = "") -> list[int]:
    page = client.get(f"/p/cells/frontier/decisions{query}").content.decode()
    return [int(each) for each in re.findall(r"/frontier/decisions/(\d+)\"", page)]


def test_decisions_are_told_apart_by_what_became_of_them() -> None:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=1.0)
    pool.new_photos(4)
    decide(project=pool.project)
    client = client_of(pool)
    audited = list(AutomaticDecision.objects.filter(audit=True, label_class__key="functional")[:2])
    pool.settle(audited[0].item, "functional")
    pool.settle(audited[1].item, "defective")
    assert shown(client, "?outcome=right") == [audited[0].pk]
    assert shown(client, "?outcome=wrong") == [audited[1].pk]
    assert shown(client, "?outcome=stands") == [], "people are asked about all others, blind"


def test_decisions_that_stand_are_overruled_and_withdrawn() -> None:
    pool = deciding_pool()
    client = client_of(pool)
    alone = list(AutomaticDecision.objects.filter(audit=False).order_by("-pk"))
    of_each = {key: [each for each in alone if each.label_class.key == key] for key in KEYS}
    assert shown(client, "?outcome=stands")[:5] == [each.pk for each in alone[:5]]
    assert shown(client, "?class=defective")[:5] == [each.pk for each in of_each["defective"][:5]]

    taken_back = of_each["functional"][0]
    overrule(decision=taken_back, by=pool.admin, reason="A crack")
    assert shown(client, "?outcome=overruled") == [taken_back.pk]
    assert shown(client, "?outcome=overruled&class=defective") == []
    assert "No decision that can be shown is of this kind" in text_of(
        client, "/p/cells/frontier/decisions?outcome=overruled&class=defective"
    )

    suspend(certificate=taken_back.certificate, by=pool.admin, note="A new camera")
    assert CertificateEnd.objects.filter(kind="suspended").exists()
    assert shown(client, "?outcome=withdrawn") == [], "people are asked about them, blind"
    doubted = of_each["functional"][1]
    pool.settle(doubted.item, "functional")
    assert shown(client, "?outcome=withdrawn") == [doubted.pk]
    page = text_of(client, f"/p/cells/frontier/decisions/{doubted.pk}")
    assert "withdrawn" in page


def test_a_merged_class_is_the_class_that_it_counts_as() -> None:
    pool = certified_pool(slug="cells")
    pool.policy(mode="on", audit_share=1.0)
    pool.new_photos(4)
    decide(project=pool.project)
    audited = AutomaticDecision.objects.filter(audit=True, label_class__key="functional")[0]
    pool.settle(audited.item, "defective")
    client = client_of(pool)
    assert shown(client, "?outcome=wrong") == [audited.pk]
    with patch.object(
        told, "class_resolution", lambda _project: {each.pk: 1 for each in pool.classes.values()}
    ):
        assert (shown(client, "?outcome=wrong"), shown(client, "?outcome=right")) == ([], [audited.pk])


def test_older_decisions_are_a_page_away_and_none_is_left_out() -> None:
    pool = deciding_pool()
    client = client_of(pool)
    everything = list(AutomaticDecision.objects.told().order_by("-pk").values_list("pk", flat=True))
    with patch.object(listing, "A_PAGE", 20):
        found: list[int] = []
        query: str | None = ""
        while query is not None:
            page = client.get(f"/p/cells/frontier/decisions{query}").content.decode()
            found += [int(each) for each in re.findall(r"/frontier/decisions/(\d+)\"", page)]
            older = re.search(r'rel="next" href="(\?[^"]+)"', page)
            assert ("Newest" in page) is bool(query)
            assert (f"{query.removeprefix('?')}&amp;fragment=state" in page) or not query
            query = older[1].replace("&amp;", "&") if older else None
    assert found == everything and len(everything) > 20


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("class=wombat", "This project has no such class."),
        ("outcome=wombat", "One of: stands"),
        ("before=wombat", "Begin at the newest."),
    ],
)
def test_what_is_no_filter_is_refused_with_a_sentence(query: str, said: str) -> None:
    pool = make_pool(20, slug="cells")
    answer = client_of(pool).get(f"/p/cells/frontier/decisions?{query}")
    assert answer.status_code == 422 and said in answer.content.decode()
