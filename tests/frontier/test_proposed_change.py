"""A reviewer's change of meaning under a certificate: proposed, seen by admins, agreed to or declined with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.catalog.models import Activity, Guideline, GuidelineProposal, ProposalAnswer, Role
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import agree_to_proposal, amend_guideline, decline_proposal, propose_guideline
from labeling.frontier.services import in_force
from labeling.overview.diary import diary
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import Dispute
from labeling.truth.settling import raise_dispute
from tests.factories import make_member, make_project
from tests.frontier.proving import Pool, certified_pool
from tests.frontier.test_another_wording import page

pytestmark = pytest.mark.django_db

TEXT = "Any crack of a centimetre."


def propose(pool: Pool, by: User, **changes: Any) -> GuidelineProposal:
    changes = changes or {"criteria": {"defective": TEXT}}
    return propose_guideline(project=pool.project, by=by, note="Short cracks do no harm", **changes)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def the_reviewer(pool: Pool) -> User:
    return make_member(pool.project, Role.REVIEWER)


def test_from_the_desk_a_reviewer_proposes_what_an_admin_must_agree_to_and_nothing_changes_yet() -> None:
    pool = certified_pool()
    reviewer = the_reviewer(pool)
    raise_dispute(pool.project, pool.items[0].pk, 1, "disagreement")
    dispute = Dispute.objects.open().get(project=pool.project)
    desk = page(pool, reviewer, "review")
    assert 'value="proposed"' in desk and "an admin must agree" in desk.lower()
    sent = client_of(reviewer).post(
        reverse("review-amend", args=[pool.project.slug, dispute.pk]),
        {
            "base": 1,
            "note": "Short cracks do no harm",
            "criteria-defective": TEXT,
            "exemplar_for": "",
            "meaning": "proposed",
        },
        follow=True,
    )
    assert "The admins are asked." in sent.content.decode()
    proposal = GuidelineProposal.objects.get(project=pool.project)
    assert (proposal.by, proposal.base.number, proposal.changes) == (
        reviewer,
        1,
        {"criteria": {"defective": TEXT}},
    )
    assert current_guideline(pool.project).number == 1 and in_force(pool.project)


def test_admins_see_what_waits_for_them_on_home_the_overview_and_the_guideline_with_its_diff() -> None:
    pool = certified_pool()
    reviewer = the_reviewer(pool)
    waits = "1 proposed change of the guideline waits for an admin"
    assert waits not in client_of(pool.admin).get("/").content.decode()
    propose(pool, reviewer)
    home = client_of(pool.admin).get("/").content.decode()
    assert waits in home
    assert waits not in client_of(reviewer).get("/").content.decode()
    assert waits in page(pool, pool.admin, "project")
    text = page(pool, pool.admin, "guideline")
    assert "Short cracks do no harm" in text and "<ins>" in text and "<del" in text
    assert "Agree: the meaning changes (ends 2 certificates" in text
    own = page(pool, reviewer, "guideline")
    assert "waits for an admin" in own and 'value="agree"' not in own
    assert "Proposed changes" not in page(pool, pool.labelers[0], "guideline")
    said = diary(pool.project)[0].text
    assert "proposed a change of the guideline" in said and "Short cracks do no harm" in said


def test_what_an_admin_agrees_to_becomes_the_next_version_and_certificates_fall() -> None:
    pool = certified_pool()
    reviewer = the_reviewer(pool)
    proposal = propose(pool, reviewer)
    client_of(pool.admin).post(
        reverse("proposal-answer", args=[pool.project.slug, proposal.pk]), {"answer": "agree", "base": 1}
    )
    version = current_guideline(pool.project)
    assert (version.number, version.created_by, version.note, version.wording_only) == (
        2,
        pool.admin,
        "Short cracks do no harm",
        False,
    )
    assert version.definitions.get(label_class__key="defective").criteria == TEXT
    assert in_force(pool.project) == []
    assert ProposalAnswer.objects.get(proposal=proposal).guideline == version
    text = page(pool, reviewer, "guideline")
    assert "agreed: it is version 2." in text
    assert "waits for an admin" not in client_of(pool.admin).get("/").content.decode()
    with pytest.raises(Refused, match="answered already"):
        agree_to_proposal(project=pool.project, proposal_id=proposal.pk, by=pool.admin)


def test_what_an_admin_declines_changes_nothing_and_the_reviewer_reads_why() -> None:
    pool = certified_pool()
    reviewer = the_reviewer(pool)
    proposal = propose(pool, reviewer)
    address = reverse("proposal-answer", args=[pool.project.slug, proposal.pk])
    client = client_of(pool.admin)
    assert (
        "Say why not"
        in client.post(address, {"answer": "decline", "note": " "}, follow=True).content.decode()
    )
    assert not ProposalAnswer.objects.exists()
    client.post(address, {"answer": "decline", "note": "Short cracks grow"})
    assert current_guideline(pool.project).number == 1 and in_force(pool.project)
    text = page(pool, reviewer, "guideline")
    assert "declined it:" in text and "Short cracks grow" in text
    assert Activity.objects.filter(project=pool.project, kind="proposal_declined").count() == 1
    with pytest.raises(Refused, match="answered already"):
        decline_proposal(project=pool.project, proposal_id=proposal.pk, by=pool.admin, note="Again")


def test_other_classes_may_be_amended_meanwhile_but_not_those_that_it_changes() -> None:
    pool = certified_pool()
    reviewer = the_reviewer(pool)
    first, second = propose(pool, reviewer), propose(pool, reviewer)
    amended = {"project": pool.project, "by": pool.admin, "note": "Sharper", "wording_only": True}
    amend_guideline(**amended, criteria={"functional": "Nothing broken."})
    with pytest.raises(Refused) as moved:
        agree_to_proposal(project=pool.project, proposal_id=first.pk, by=pool.admin, expected=1)
    assert moved.value.code == "guideline_moved"
    version = agree_to_proposal(project=pool.project, proposal_id=first.pk, by=pool.admin, expected=2)
    assert [each.criteria for each in version.definitions.order_by("label_class__key")] == [
        TEXT,
        "Nothing broken.",
    ]
    with pytest.raises(Refused) as late:
        agree_to_proposal(project=pool.project, proposal_id=second.pk, by=pool.admin, expected=3)
    assert (late.value.code, late.value.status) == ("proposal_outdated", 409)
    text = page(pool, pool.admin, "guideline")
    assert "Amended since this was proposed: Defective." in text and 'value="agree"' not in text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"criteria": {"rusty": "Brown."}}, "unknown_class"),
        ({"exemplars": {"defective": ["0" * 64]}}, "invalid"),
        ({"checklist": {"defective": ["x" * 300]}}, "invalid"),
        ({"criteria": {"defective": "What makes a photo defective."}}, "nothing_changed"),
    ],
)
def test_what_could_be_no_version_cannot_be_proposed(changes: dict[str, Any], code: str) -> None:
    pool = certified_pool()
    with pytest.raises(Refused) as refused:
        propose(pool, pool.admin, **changes)
    assert (refused.value.status, refused.value.code) == (422, code)
    assert not GuidelineProposal.objects.exists()


def test_proposals_and_their_answers_are_appended_and_an_answer_is_one_of_two() -> None:
    pool = certified_pool()
    proposal = propose(pool, the_reviewer(pool))
    answer = {"proposal": proposal, "by": pool.admin}
    for wrong in ({"note": ""}, {"note": "No", "guideline": current_guideline(pool.project)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ProposalAnswer.objects.create(**answer, **wrong)
    ProposalAnswer.objects.create(**answer, note="No")
    for table in (GuidelineProposal, ProposalAnswer):
        with pytest.raises(ProgrammingError), transaction.atomic():
            table.objects.update(note="Changed")
        with pytest.raises(ProgrammingError), transaction.atomic():
            table.objects.all().delete()


def test_the_api_proposes_lists_agrees_and_declines() -> None:
    pool = certified_pool()
    reviewer = the_reviewer(pool)
    root = f"/api/v1/projects/{pool.project.slug}/guideline"

    def post(user: User, path: str, **body: Any) -> Any:
        return client_of(user).post(f"{root}{path}", body, content_type="application/json")

    text = {"defective": TEXT}
    refused = post(reviewer, "s", note="n", criteria=text, wording_only=False)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "admin_must_agree")
    made = [post(reviewer, "/proposals", note="n", criteria=text, expected=1) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    first, second = (each.json() for each in made)
    assert (first["state"], first["base"], first["by"], first["answer"]) == (
        "open",
        1,
        reviewer.username,
        None,
    )
    (change,) = first["changes"]
    assert (change["key"], change["after"]) == ("defective", TEXT)
    assert post(reviewer, f"/proposals/{first['id']}/agree").status_code == 403
    assert post(reviewer, f"/proposals/{first['id']}/decline", note="n").status_code == 403
    assert post(pool.admin, f"/proposals/{first['id']}/decline", note="").status_code == 422
    declined = post(pool.admin, f"/proposals/{first['id']}/decline", note="They grow").json()
    assert (declined["state"], declined["answer"]["note"], declined["answer"]["number"]) == (
        "declined",
        "They grow",
        None,
    )
    assert post(pool.admin, f"/proposals/{first['id']}/agree").json()["error"]["code"] == "answered"
    agreed = post(pool.admin, f"/proposals/{second['id']}/agree", expected=1)
    assert (agreed.status_code, agreed.json()["number"]) == (201, 2)
    assert post(pool.admin, "/proposals/123456/agree").status_code == 404
    listed = client_of(reviewer).get(f"{root}/proposals").json()["results"]
    assert [(each["state"], each["answer"]["by"]) for each in listed] == [
        ("declined", pool.admin.username),
        ("agreed", pool.admin.username),
    ]
    assert listed[1]["answer"]["number"] == 2


def test_another_projects_proposal_is_not_there() -> None:
    pool = certified_pool()
    proposal = propose(pool, the_reviewer(pool))
    other = make_project()
    for act in (
        lambda: agree_to_proposal(project=other, proposal_id=proposal.pk, by=other.created_by),
        lambda: decline_proposal(project=other, proposal_id=proposal.pk, by=other.created_by, note="No"),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.status == 404
    assert Guideline.objects.filter(project=pool.project).count() == 1


def test_a_list_of_proposals_takes_as_many_queries_however_long() -> None:
    pool = certified_pool()
    reviewer = the_reviewer(pool)
    client, counts = client_of(reviewer), []
    for _more in range(2):
        for _each in range(3):
            propose(pool, reviewer)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/api/v1/projects/{pool.project.slug}/guideline/proposals").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]
