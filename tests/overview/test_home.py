"""The home page across projects: what needs the person, what decides by itself, and what is red."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.html import Element, parse_html
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.catalog.models import Membership, Project
from labeling.frontier.certificates import suspend
from labeling.frontier.models import AuditWatch, CertificateEnd
from labeling.jobs.models import Job, JobState
from labeling.monitors.models import AlertAcknowledgement, MonitorAlert, MonitorReading
from labeling.people.models import User
from labeling.queue.services import claim, skip
from labeling.truth.models import Dispute, Pause
from tests.factories import make_member, make_project, make_user
from tests.frontier.promised import decides, inside, under
from tests.frontier.proving import Pool, make_pool
from tests.gateway.conftest import answer
from tests.overview.test_one_figure_one_value import elements, text

pytestmark = pytest.mark.django_db


@dataclass
class Home:
    """As it is read: the sentence, and (text, where its button leads) of each line, by section."""

    says: str = ""
    lines: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    cards: list[str] = field(default_factory=list)
    html: str = ""


def read(user: User) -> Home:
    client = Client()
    client.force_login(user)
    home = Home(html=client.get("/").content.decode())
    for each in elements(parse_html(home.html)):
        named = dict(each.attributes)
        if named.get("class") == "says":
            home.says = text(each)
        if each.name == "section":
            title, *_rest = [text(part) for part in elements(each) if part.name == "h2"]
            home.lines[title] = [line(part) for part in elements(each) if part.name == "li"]
        if "home-card" in str(named.get("class", "")).split():
            home.cards.append(text(each))
    return home


def line(item: Element) -> tuple[str, str]:
    said = [text(part) for part in elements(item) if "grow" in str(dict(part.attributes).get("class", ""))]
    to = [str(dict(part.attributes)["href"]) for part in elements(item) if part.name == "a"]
    return said[0], to[0] if to else ""


def alert(project: Project) -> MonitorAlert:
    reading = MonitorReading.objects.create(
        project=project, monitor="speed", state="alert", value=3, threshold=2, evidence="made up"
    )
    return MonitorAlert.objects.create(project=project, monitor="speed", reading=reading)


def test_without_a_project_it_says_how_one_comes_to_one() -> None:
    for person, told in (
        (make_user(is_superuser=True), "Ask your first question"),
        (make_user(), "You are not in a project yet"),
    ):
        home = read(person)
        assert (home.says, home.lines, home.cards) == ("", {}, [])
        assert told in home.html


def test_a_quiet_project_needs_nobody() -> None:
    project = make_project()
    home = read(project.created_by)
    assert home.says == "Nothing needs you now."
    assert home.lines == {}
    assert len(home.cards) == 1
    assert read(make_member(project)).says == "Nothing needs you now."


def test_a_labeler_is_told_where_photos_wait_and_nothing_of_the_machine() -> None:
    pool = make_pool(40)
    person = pool.labelers[0]
    Membership.objects.create(project=make_project(), user=person, role="labeler")
    home = read(person)
    assert home.says == "1 thing needs you."
    label = reverse("label", args=[pool.project.slug])
    assert home.lines == {"What needs you": [(f"Photos wait for your answers {pool.project.name}", label)]}
    assert "machine" not in home.html
    Pause.objects.create(project=pool.project, labeler=person, correct=1, asked=20, bar=0.8)
    ((said, _to),) = read(person).lines["What needs you"]
    assert said.startswith("Labeling is paused for you")


def test_photos_wait_exactly_as_long_as_the_queue_lends_some() -> None:
    """Those that were answered or skipped by oneself do not wait, and those that the machine decided neither."""
    pool = make_pool(4)
    person = pool.labelers[0]
    assert read(person).says == "1 thing needs you."
    for _photo in range(4):
        (slot,) = claim(project=pool.project, labeler=person, count=1)
        skip(project=pool.project, labeler=person, lease=slot.pk)
    assert claim(project=pool.project, labeler=person, count=1) == []
    assert read(person).says == "Nothing needs you now."
    assert read(pool.labelers[1]).says == "1 thing needs you."


def test_a_reviewer_is_told_of_what_they_may_rule_on() -> None:
    pool = make_pool(40)
    reviewer = make_member(pool.project, "reviewer")
    for item in pool.items[:3]:
        Dispute.objects.create(project=pool.project, item=item, round=1, cause="disagreement")
    review = reverse("review", args=[pool.project.slug])
    name = pool.project.name
    assert (f"3 disputes wait for your ruling {name}", review) in read(reviewer).lines["What needs you"]
    assert read(reviewer).says == "2 things need you; the machine decides 0 of 40 photos."
    (slot,) = claim(project=pool.project, labeler=reviewer, count=1)

    answer(pool.project, reviewer, slot.pk, "functional")
    Dispute.objects.get_or_create(
        project=pool.project, item=slot.item, round=1, defaults={"cause": "disagreement"}
    )
    others = Dispute.objects.exclude(item=slot.item).count()
    assert (f"{others} disputes wait for your ruling {name}", review) in read(reviewer).lines[
        "What needs you"
    ]
    Project.objects.filter(pk=pool.project.pk).update(reviewer_may_rule_own=True)
    both = Dispute.objects.count()
    assert (f"{both} disputes wait for your ruling {name}", review) in read(reviewer).lines["What needs you"]


def broken(pool: Pool) -> None:
    """Suspended, fallen, an alert, a failed job, and a paused labeler."""
    proofs = under(pool, "alone")
    for item in inside(pool, 0.6, 1.0)[:4]:
        decides(pool, proofs["defective"], item)
    suspend(certificate=proofs["functional"], by=pool.admin, note="The lamp was changed")
    CertificateEnd.objects.create(certificate=proofs["defective"], kind="void", reason="sample")
    alert(pool.project)
    Job.objects.of_project(pool.project.pk).delete()
    Job.objects.create(kind="train", project_id=pool.project.pk, state=JobState.FAILED, error="No room")
    Pause.objects.create(project=pool.project, labeler=pool.labelers[0], correct=1, asked=20, bar=0.8)


def test_what_is_red_is_told_by_role_and_leads_on_who_may() -> None:
    pool = make_pool(40)
    broken(pool)
    name, slug = pool.project.name, pool.project.slug
    frontier, monitors = reverse("frontier", args=[slug]), reverse("monitors", args=[slug])
    red = [
        (f"1 certificate is suspended {name}", frontier),
        (f"1 certificate fell {name}", frontier),
        (f"1 alert is not acknowledged {name}", monitors),
    ]
    admin = read(pool.admin)
    assert admin.lines["Problems"] == [*red, (f"A job failed {name}", reverse("jobs", args=[slug]))]
    assert admin.lines["What needs you"] == [
        (f"1 labeler is paused {name}", reverse("labelers", args=[slug]))
    ]
    assert admin.says == "1 thing needs you; 4 problems are open; the machine decides 4 of 40 photos."
    reviewer = read(make_member(pool.project, "reviewer"))
    assert reviewer.lines["Problems"] == red
    assert reviewer.says == "1 thing needs you; 3 problems are open; the machine decides 4 of 40 photos."
    viewer = read(make_member(pool.project, "viewer"))
    assert viewer.lines == {"Problems": [(said, "") for said, _to in red]}
    assert viewer.says == "Nothing needs you now; 3 problems are open; the machine decides 4 of 40 photos."
    labeler = read(pool.labelers[1])
    assert list(labeler.lines) == ["What needs you"] and "problem" not in labeler.says


def test_what_was_seen_to_is_not_red_any_more() -> None:
    pool = make_pool(40)
    broken(pool)
    AlertAcknowledgement.objects.create(alert=MonitorAlert.objects.get(), by=pool.admin, note="A new lamp")
    Job.objects.create(kind="train", project_id=pool.project.pk, state=JobState.SUCCEEDED)
    Pause.objects.update(lifted_at=Pause.objects.get().created_at)
    pool.train([])  # another champion: what was doubted of the one before is past
    home = read(pool.admin)
    assert [said for said, _to in home.lines["Problems"]] == [f"1 certificate fell {pool.project.name}"]
    assert "What needs you" not in home.lines
    assert home.says.startswith("1 problem is open; the machine decides ")


def test_each_project_says_what_decides_by_itself() -> None:
    pool = make_pool(40)
    (card,) = read(pool.admin).cards
    assert "The machine decides 0 of 40 photos." in card
    proof = under(pool, "alone")["functional"]
    for item in inside(pool, 0.6, 1.0)[:4]:
        decides(pool, proof, item)
    told: dict[str, Any] = {
        "project": pool.project,
        "model_version": pool.model,
        "guideline": proof.guideline,
    }
    AuditWatch.objects.create(**told, label_class=proof.label_class, precision=0.95, n=38, errors=1)
    said = (
        "The machine decides 4 of 40 photos; on random checks of its decisions it was right on 97 % (38 photos; "
        "at least 95 % is proven)"
    )
    (card,) = read(pool.admin).cards
    assert f"{said}." in card
    client = Client()
    client.force_login(pool.admin)
    page = client.get(reverse("project", args=[pool.project.slug])).content.decode()
    assert said in page.replace("\u00a0", " ")


@pytest.mark.parametrize("role", ["admin", "reviewer", "labeler", "viewer"])
def test_five_projects_take_as_many_queries_as_one(role: str) -> None:
    person = make_user()
    taken = []
    for projects in (1, 5):
        while Project.objects.count() < projects:
            pool = Pool(12)
            broken(pool)
            Dispute.objects.create(project=pool.project, item=pool.items[0], round=1, cause="disagreement")
            Membership.objects.create(project=pool.project, user=person, role=role)
        client = Client()
        client.force_login(person)
        client.get("/")
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/").content.decode()
        assert len(re.findall(r'class="card home-card"', page)) == projects
        taken.append(len(queries))
    assert taken[0] == taken[1] <= 30
