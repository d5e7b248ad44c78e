"""Mail: one digest for all that came, in plain text and HTML, then a rest; ended by its reader, of one kind or of all."""

from __future__ import annotations

import re
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from config.translations import compile_translations
from labeling.catalog.models import Project
from labeling.notify.channels.digest import LINES
from labeling.notify.channels.mail import REST
from labeling.notify.delivering import deliver
from labeling.notify.models import Attempt, Delivery, Endpoint, OffReason
from labeling.notify.services import make_endpoint, send_test, switch_on
from labeling.people.models import User
from labeling.refusals import Refused
from tests.factories import make_items, make_project
from tests.notify.test_delivering import DECIDED, REOPENED, pass_time, settle, states

pytestmark = pytest.mark.django_db
SITE = "https://label.example"


@pytest.fixture
def project(settings: Settings) -> Project:
    settings.MAIL_IS_SET_UP = True
    return make_project()


def mailed(
    project: Project, *events: str, url: str = "quality@a.example", by: User | None = None
) -> Endpoint:
    made, secret = make_endpoint(
        project=project, by=by or project.created_by, name="", url=url, events=events, site=SITE
    )
    assert secret == "" == made.secret
    return made


def run() -> int:
    return deliver(linger_s=0)


def html(letter: Any) -> str:
    [(text, kind)] = letter.alternatives
    assert kind == "text/html"
    return str(text)


def test_many_events_are_one_mail_with_counts_and_what_comes_meanwhile_is_the_next(project: Project) -> None:
    endpoint = mailed(project, DECIDED, REOPENED)
    items = make_items(project, LINES + 3)
    settle(project, items)
    settle(project, items[:1])
    assert run() == 1
    [letter] = mail.outbox
    assert letter.to == ["quality@a.example"] and f"{LINES + 4} events" in letter.subject
    for text in (letter.body, html(letter)):
        assert f"A photo is decided ({LINES + 3})" in text and "A photo is open again (1)" in text
        assert len(re.findall(r"photo/\d+", text)) == LINES + 1 and "and 3 more" in text
        assert f"{SITE}/p/{project.slug}/" in text and letter.extra_headers["List-Unsubscribe"][1:-1] in text
    assert states(endpoint) == ["delivered"] * (LINES + 4)
    assert set(Attempt.objects.values_list("status", flat=True)) == {250}

    for item in items[1:3]:
        settle(project, [item])
        assert run() == 0, "it rests"
    endpoint.refresh_from_db()
    assert timezone.now() < endpoint.not_before <= timezone.now() + REST
    pass_time(seconds=REST.total_seconds())
    assert run() == 1
    assert (
        "A photo is open again (2)" in mail.outbox[1].body and "A photo is decided" not in mail.outbox[1].body
    )


class Refuses(EmailBackend):
    why: Exception = SMTPRecipientsRefused({"quality@a.example": (550, b"no such mailbox")})

    def send_messages(self, messages: Any) -> int:
        raise self.why


def test_what_the_mail_server_refuses_is_tried_again_with_what_came_and_no_sooner(
    project: Project, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Refuses"
    endpoint = mailed(project, DECIDED)
    first, second, third = make_items(project, 3)
    settle(project, [first])
    assert run() == 1
    settle(project, [second])
    assert run() == 0, "what is new waits for the pause of what failed"
    pass_time(seconds=10)
    monkeypatch.setattr(Refuses, "why", SMTPServerDisconnected("gone"))
    assert run() == 1
    said = list(Attempt.objects.order_by("pk").values_list("status", "answer", "error"))
    assert said == [(550, "no such mailbox", ""), (None, "", "gone"), (None, "", "gone")]
    monkeypatch.setattr(Refuses, "why", UnicodeError("no such name"))
    for _time in range(20):
        pass_time(hours=20)
        run()
    endpoint.refresh_from_db()
    assert endpoint.off_reason == OffReason.FAILING and set(states(endpoint)) == {"waiting"}

    settings.EMAIL_BACKEND = takes
    switch_on(endpoint=endpoint, by=project.created_by)
    settle(project, [third])
    mail.outbox.clear()
    assert run() == 1
    assert "A photo is decided (3)" in mail.outbox[0].body and set(states(endpoint)) == {"delivered"}


def test_a_mail_program_ends_all_by_one_click_and_a_reader_each_kind(
    project: Project, client: Client
) -> None:
    endpoint = mailed(project, DECIDED, REOPENED)
    send_test(endpoint=endpoint)
    run()
    headers = mail.outbox[0].extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = headers["List-Unsubscribe"].removeprefix(f"<{SITE}").removesuffix(">")
    strict = Client(enforce_csrf_checks=True)  # as the program of mail: no cookie, no form
    page = strict.get(address).content.decode()
    endpoint.refresh_from_db()
    assert "A photo is decided" in page and endpoint.is_on, "looking ends nothing"

    settle(project, make_items(project, 1))
    client.force_login(
        project.created_by
    )  # a reader may have an account, whose forms say for whom they were made
    made_for = re.search(r'name="made_for" value="(\d+)"', client.get(address).content.decode())
    assert made_for is not None
    form = {"kind": DECIDED, "made_for": made_for[1]}
    said = client.post(address, form, headers={"origin": "http://testserver"})
    assert said.status_code == 200 and "A photo is decided" not in said.content.decode()
    endpoint.refresh_from_db()
    assert endpoint.events == [REOPENED] and endpoint.is_on
    assert not Delivery.objects.filter(event__kind=DECIDED).exists(), "what waited of it is not sent either"
    assert strict.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    endpoint.refresh_from_db()
    assert endpoint.off_reason == OffReason.LEFT
    strict.post(address)
    assert [
        each.data["kinds"] for each in project.activities.filter(kind="endpoint_left").order_by("pk")
    ] == [
        [DECIDED],
        [REOPENED],
    ]
    assert (
        "Whoever reads the mails of" in client.get(reverse("project", args=[project.slug])).content.decode()
    )
    for wrong in (address[:-1], f"{address}x", reverse("unsubscribe", args=["none"])):
        assert strict.post(wrong).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "mailto:",
        "a@b.example,c@d.example",
        "a@b.example?bcc=c@d.example",
        "a@b.example\nBcc: c@d.example",
        "a@b",
    ],
)
def test_what_is_no_one_address_of_mail_is_said(project: Project, url: str) -> None:
    with pytest.raises(Refused) as refused:
        mailed(project, DECIDED, url=url)
    assert set(refused.value.fields) == {"url"} and not Endpoint.objects.exists()


def test_the_page_makes_mail_in_the_language_of_who_asked_and_only_where_mail_is_set_up(
    project: Project, client: Client, settings: Settings
) -> None:
    compile_translations()
    client.force_login(project.created_by)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    address, asked = (
        reverse("webhooks", args=[project.slug]),
        {"url": "quality@a.example", "events": [DECIDED]},
    )
    settings.MAIL_IS_SET_UP = False
    assert client.post(address, asked).context["form"].errors["url"]
    settings.MAIL_IS_SET_UP = True
    assert client.post(address, asked).status_code == 201
    endpoint = Endpoint.objects.get()
    assert (endpoint.url, endpoint.kind, endpoint.name) == ("mailto:quality@a.example", "mail", "a.example")
    assert (endpoint.site, endpoint.language) == ("http://testserver", "ko")
    one = reverse("webhook", args=[project.slug, endpoint.pk])
    assert 'value="secret"' not in client.get(one).content.decode()
    kept = client.post(one, {**asked, "action": "save", "url": "https://a.example/hook"})
    assert kept.status_code == 422 and kept.context["form"].errors["url"]
    renewed = client.post(reverse("api-endpoint-secret", args=[endpoint.pk]))
    assert (renewed.status_code, renewed.json()["error"]["code"]) == (409, "no_secret")
    settle(project, make_items(project, 1))
    run()
    assert "결정" in mail.outbox[0].subject and '<html lang="ko">' in html(mail.outbox[0])
