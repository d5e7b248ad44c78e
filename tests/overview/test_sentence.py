"""The overview opens with one sentence, which is true in every state of a project."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labeling.catalog.models import Project
from labeling.frontier.certificates import suspend
from labeling.frontier.models import AuditWatch, CertificateEnd
from labeling.people.models import User
from labeling.truth.models import Dispute, Pause
from tests.factories import make_items, make_member, make_project
from tests.frontier.promised import decides, inside, under
from tests.frontier.proving import KEYS, Pool, make_pool

pytestmark = pytest.mark.django_db


def says(project: Project, user: User | None = None, **query: str) -> str:
    """The sentence that the page opens with."""
    client = Client()
    client.force_login(user or project.created_by)
    page = client.get(reverse("project", args=[project.slug]), query).content.decode()
    told = re.findall(r'<p class="says">(.*?)</p>', page, re.S)
    assert len(told) == 1
    return " ".join(told[0].split())


def audited(pool: Pool, right: int, wrong: int) -> None:
    """Random photos that people settled since the champion was made."""
    items = pool.items[: right + wrong]
    for item in items:
        item.audit_drawn_at = timezone.now()
        item.save()
    other = dict(zip(KEYS, reversed(KEYS), strict=True))
    said = [
        (item, other[pool.predicted[item.pk]] if place < wrong else None) for place, item in enumerate(items)
    ]
    pool.settle_all(said)


def test_without_photos() -> None:
    assert says(make_project()) == "There are no photos yet; next: add photos."


def test_without_a_model() -> None:
    project = make_project()
    make_items(project, 3)
    assert says(project) == "The machine decides 0 of 3 photos; there is no model yet; next: add members."
    for _person in range(2):
        make_member(project)
    assert says(project) == "The machine decides 0 of 3 photos; there is no model yet."


def test_with_a_model_that_nobody_has_checked() -> None:
    pool = make_pool(40)
    assert says(pool.project) == (
        "The machine decides 0 of 40 photos; version 1 has not been checked on random photos yet; "
        "next: 40 photos wait for answers."
    )


def test_with_random_checks_it_says_how_often_it_was_right() -> None:
    pool = make_pool(40)
    audited(pool, right=10, wrong=2)
    assert says(pool.project) == (
        "The machine decides 0 of 40 photos; on random checks it was right on 83 % (12 photos); "
        "next: 28 photos wait for answers."
    )
    Dispute.objects.create(project=pool.project, item=pool.items[30], round=1, cause="disagreement")
    assert says(pool.project).endswith("next: 1 dispute waits for a ruling.")
    Pause.objects.create(project=pool.project, labeler=pool.labelers[0], correct=1, asked=20, bar=0.8)
    assert says(pool.project).endswith("next: 1 labeler is paused.")


def test_a_certificate_that_is_not_used_yet_says_so() -> None:
    pool = make_pool(40)
    under(pool, "alone")
    pool.policy(mode="off")
    assert says(pool.project).startswith("The machine decides 0 of 40 photos; version 1 has not been checked")
    assert says(pool.project).endswith("next: let the machine decide what is certified.")


def test_what_the_machine_decides_is_held_against_what_people_said_of_it() -> None:
    pool = make_pool(40)
    proof = under(pool, "alone")["functional"]
    for item in inside(pool, 0.6, 1.0)[:4]:
        decides(pool, proof, item)
    assert says(pool.project).startswith(
        "The machine decides 4 of 40 photos; none of its decisions has been checked by people yet; next: "
    )
    AuditWatch.objects.create(
        project=pool.project,
        model_version=pool.model,
        guideline=proof.guideline,
        label_class=proof.label_class,
        precision=0.95,
        n=38,
        errors=1,
    )
    assert says(pool.project).startswith(
        "The machine decides 4 of 40 photos; on random checks of its decisions it was right on 97 % (38 photos; "
        "at least 95 % is proven); next: "
    )
    # Once the certificate fell, what it allowed still stands, and nothing is proven of it any more.
    CertificateEnd.objects.create(certificate=proof, kind="void", reason="sample")
    assert says(pool.project).startswith(
        "The machine decides 4 of 40 photos; on random checks of its decisions it was right on 97 % (38 photos); next: "
    )


def test_a_suspended_certificate_is_red_and_comes_first() -> None:
    pool = make_pool(40)
    proof = under(pool, "alone")["functional"]
    for item in inside(pool, 0.6, 1.0)[:4]:
        decides(pool, proof, item)
    suspend(certificate=proof, by=pool.admin, note="The lamp was changed.")
    assert says(pool.project) == (
        "The machine decides 0 of 40 photos; version 1 has not been checked on random photos yet; "
        "next: see why a certificate is suspended."
    )
    client = Client()
    client.force_login(pool.admin)
    page = client.get(reverse("project", args=[pool.project.slug])).content.decode()
    assert "The machine decides no more of “Functional”: its certificate is suspended" in page
    assert "The lamp was changed. What it had decided went back to people." in page


def test_a_void_certificate_asks_for_another() -> None:
    pool = make_pool(40)
    for proof in under(pool, "alone").values():
        CertificateEnd.objects.create(certificate=proof, kind="void", reason="guideline")
    assert says(pool.project).endswith("next: certify again.")


def test_a_pool_that_is_decided_is_finished() -> None:
    pool = make_pool(40)
    pool.settle_all([(item, None) for item in pool.items])
    assert says(pool.project) == (
        "All 40 photos are decided, all by people; version 1 has not been checked on random photos yet; "
        "next: train again."
    )


def test_a_labeler_reads_of_their_own_answers_and_a_viewer_the_sentence() -> None:
    pool = make_pool(40)
    audited(pool, right=10, wrong=2)
    assert says(pool.project, pool.labelers[0]) == "You have not answered a photo here yet."
    viewer = make_member(pool.project, "viewer")
    assert says(pool.project, viewer) == says(pool.project) == says(pool.project, viewer, fragment="says")


def test_who_is_needed_stands_by_role_and_leads_on_who_may() -> None:
    pool = make_pool(40)
    Pause.objects.create(project=pool.project, labeler=pool.labelers[0], correct=1, asked=20, bar=0.8)
    Dispute.objects.create(project=pool.project, item=pool.items[30], round=1, cause="disagreement")
    reviewer, viewer = make_member(pool.project, "reviewer"), make_member(pool.project, "viewer")
    read = {}
    for user in (pool.admin, reviewer, viewer):
        client = Client()
        client.force_login(user)
        address = reverse("project", args=[pool.project.slug])
        part = client.get(address, {"fragment": "needs"}).content.decode()
        read[user] = re.findall(r'href="/p/[^/]*/(\w*)"', part)
        for text in (
            "Labelers",
            "40 photos wait",
            "Reviewers",
            "1 dispute waits",
            "Admins",
            "1 labeler is paused",
        ):
            assert text in part
            part = part[part.index(text) :]
    assert read == {pool.admin: ["label", "review", "labelers"], reviewer: ["label", "review"], viewer: []}
