"""A button rules for whom Slack signs, linked by themselves, as far as they may here; all else is said to them alone."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from labeling.catalog.models import Membership, Project
from labeling.notify.models import Endpoint
from labeling.notify.services import make_endpoint
from labeling.notify.slack import linking
from labeling.people.models import AccountEvent, SlackAccount, User
from labeling.people.slack import link
from labeling.refusals import Refused
from labeling.truth.models import Dispute, Ruling
from tests.factories import make_member, make_project
from tests.notify.slack_here import TEAM, Slack, button, pressed, signed, slack_here
from tests.notify.test_slack import disputed, run

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def slack(settings: Settings) -> Iterator[Slack]:
    with slack_here() as here:
        for name, value in here.settings.items():
            setattr(settings, name, value)
        yield here


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def reviewer(project: Project) -> User:
    return make_member(project, "reviewer")


@pytest.fixture
def action(slack: Slack, project: Project) -> dict[str, Any]:
    """The button *Defective* of a dispute's message."""
    make_endpoint(
        project=project,
        by=project.created_by,
        name="",
        url="#q",
        events=["dispute.opened"],
        site="https://label.example",
    )
    disputed(project)
    run()
    [message] = slack.messages().values()
    return button(message, "Defective")


def send(body: bytes, **headers: str) -> HttpResponse:
    """As Slack does: without a cookie or a form's token."""
    sender = Client(enforce_csrf_checks=True)
    answer = sender.post(reverse("slack-actions"), body, content_type=FORM, headers=headers or signed(body))
    for each in threading.enumerate():
        if each.name == "slack":
            each.join()
    return answer  # type: ignore[return-value]


def said(slack: Slack) -> str:
    """The last thing that was said to who pressed, and to nobody else."""
    last = slack.said("chat.postEphemeral")[-1]
    assert last["user"] == "U0ANNA"
    return str(last["text"])


def test_only_what_slack_signed_a_moment_ago_is_heard(
    slack: Slack, action: dict[str, Any], reviewer: User
) -> None:
    link(person=reviewer, team=TEAM, member="U0ANNA", name="anna")
    body, now = pressed(action), time.time()
    fine = signed(body)
    forged: list[dict[str, str]] = [
        {"X-Slack-Request-Timestamp": fine["X-Slack-Request-Timestamp"]},
        {"X-Slack-Signature": fine["X-Slack-Signature"]},
        signed(body, secret="another"),
        signed(body + b"x"),
        signed(body, at=now - 301),
        signed(body, at=now + 3600),
        {**fine, "X-Slack-Request-Timestamp": str(int(now) - 1)},
        {**fine, "X-Slack-Request-Timestamp": "now"},
        {**fine, "X-Slack-Request-Timestamp": "9" * 40},
        {**fine, "X-Slack-Signature": "v0=é".encode().decode("latin-1")},
    ]
    assert [send(body, **headers).status_code for headers in forged] == [401] * len(forged)
    assert not Ruling.objects.exists() and not slack.said("chat.postEphemeral")
    assert send(body).status_code == 200
    ruling = Ruling.objects.get()
    assert (ruling.reviewer, ruling.label_class.key) == (reviewer, "defective")  # type: ignore[union-attr]
    assert "Ruled as" in said(slack) and slack.said("chat.update"), (
        "the message changes before any worker looks"
    )
    assert send(body, **fine).status_code == 200, "what is sent once more rules nothing twice"
    assert "already" in said(slack) or "just ruled" in said(slack)
    assert Ruling.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"payload=",
        b"payload=[]",
        b"payload=%7B%7D",
        b"payload=" + b"[" * 20_000,
        b"payload=%7B%22type%22%3A%22block_actions%22%7D",
        b"payload=%ff",
        pressed({"block_id": "0" * 36, "value": "hold"}),
        pressed({"block_id": str(uuid4()), "value": "hold"}, member="<@x>"),
    ],
)
def test_what_is_no_press_is_refused_and_breaks_nothing(slack: Slack, body: bytes) -> None:
    assert send(body).status_code == 400


def test_other_forms_and_too_much_are_refused(slack: Slack, settings: Settings) -> None:
    big = b"payload=" + b"x" * 100_001
    assert send(big).status_code == 413
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        assert Client().post(reverse("slack-actions"), b"x", content_type=kind).status_code == 415
    other = pressed({"action_id": "open", "block_id": "x", "url": "https://label.example"})
    assert send(other).status_code == 200, "links are told of, too"
    settings.SLACK_SIGNING_SECRET = ""
    assert send(pressed({})).status_code == 404


def test_who_is_not_linked_confirms_it_once_while_signed_in(
    slack: Slack, action: dict[str, Any], reviewer: User, client: Client
) -> None:
    send(pressed(action))
    [address] = re.findall(r"https://\S+", said(slack))
    path = urlsplit(address).path
    assert client.get(path).status_code == 302, "who is not signed in signs in first"
    client.force_login(reviewer)
    page = client.get(path).content.decode()
    assert "@anna" in page and "U0ANNA" in page and TEAM in page and not SlackAccount.objects.exists()
    assert client.get(f"{path}x").status_code == 404
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linking, "LASTS_S", -1)
        assert client.post(path).status_code == 404, "ten minutes"
    assert client.post(path).status_code == 302
    assert client.post(path).status_code == 404, "once"
    assert SlackAccount.objects.get().person == reviewer

    send(pressed(action))
    assert Ruling.objects.get().reviewer == reviewer
    shown = client.get(reverse("account")).content.decode()
    assert "@anna" in shown
    client.post(reverse("slack-unlink"))
    assert not SlackAccount.objects.exists()
    kinds = list(AccountEvent.objects.filter(person=reviewer).order_by("pk").values_list("kind", flat=True))
    assert kinds[-2:] == ["slack_linked", "slack_unlinked"]


def test_a_slack_account_acts_as_one_person_and_ends_as_tokens_do(
    slack: Slack, reviewer: User, client: Client
) -> None:
    link(person=reviewer, team=TEAM, member="U0ANNA", name="anna")
    link(person=reviewer, team=TEAM, member="U0ANNA", name="anna")
    other = make_member(make_project())
    with pytest.raises(Refused, match="another account"):
        link(person=other, team=TEAM, member="U0ANNA", name="anna")
    link(person=reviewer, team=TEAM, member="U0BERT", name="bert")
    assert SlackAccount.objects.get().member == "U0BERT"
    reviewer.set_password("another")
    reviewer.save()
    assert not SlackAccount.objects.exists()


def _no_reviewer(project: Project, person: User) -> None:
    Membership.objects.filter(project=project, user=person).update(role="labeler")


def _stranger(project: Project, person: User) -> None:
    Membership.objects.filter(project=project, user=person).delete()


def _switched_off(_project: Project, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def _answered(project: Project, person: User) -> None:
    annotation = Dispute.objects.get().item.annotations.first()
    assert annotation is not None
    SlackAccount.objects.update(person=annotation.labeler)
    Membership.objects.filter(project=project, user=annotation.labeler).update(role="reviewer")


def _removed(_project: Project, _person: User) -> None:
    Endpoint.objects.update(removed_at="2026-01-01T00:00Z")


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (_no_reviewer, "does not allow this"),
        (_stranger, "not a member"),
        (_switched_off, "not a member"),
        (_answered, "You answered this photo yourself"),
        (_removed, "Nothing was done"),
    ],
)
def test_who_may_not_rule_there_is_told_so_and_rules_nothing(
    slack: Slack,
    project: Project,
    action: dict[str, Any],
    reviewer: User,
    happens: Callable[[Project, User], None],
    why: str,
) -> None:
    link(person=reviewer, team=TEAM, member="U0ANNA", name="anna")
    happens(project, reviewer)
    assert send(pressed(action)).status_code == 200
    assert why in said(slack) and not Ruling.objects.exists()


@pytest.mark.parametrize("value", ["class:none", "class:../x", "send_back", "delete", ""])
def test_what_no_button_asks_for_is_refused(
    slack: Slack, action: dict[str, Any], reviewer: User, value: str
) -> None:
    link(person=reviewer, team=TEAM, member="U0ANNA", name="anna")
    assert send(pressed({**action, "value": value})).status_code == 200
    assert said(slack) and not Ruling.objects.exists()


def test_nobody_presses_without_end(
    slack: Slack, action: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeling.notify.slack.ruling.MOST_A_MINUTE", 1)
    send(pressed(action))
    send(pressed(action))
    assert "Wait a minute" in said(slack)
