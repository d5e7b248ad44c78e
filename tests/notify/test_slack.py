"""Slack: a dispute with its picture and buttons, threads by subject, digests instead of floods; none says an answer."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from labeling.catalog.models import Item, Project
from labeling.frontier.services import in_force, suspend
from labeling.notify.channels.slack.choosing import MOST_ALONE, REST
from labeling.notify.delivering import deliver
from labeling.notify.models import Delivery, Endpoint, OffReason, SlackMessage
from labeling.notify.pictures import LASTS
from labeling.notify.services import make_endpoint, replay, send_test
from labeling.notify.switching import switch_off_by_itself
from labeling.notify.tidying import remove_old
from labeling.notify.weeks import tell_weeks
from labeling.refusals import Refused
from labeling.truth import services as truth
from labeling.truth.models import Dispute, OpenDispute
from tests.browser.reviewing import answered
from tests.catalog.conftest import own_folders  # noqa: F401 - each test has its own store
from tests.factories import make_items, make_member, make_project
from tests.frontier.proving import certified_pool
from tests.frontier.test_picture import Scene
from tests.notify.examples import answer
from tests.notify.slack_here import CHANNEL, Slack, slack_here
from tests.notify.test_delivering import DECIDED, pass_time, settle, states

pytestmark = pytest.mark.django_db
SITE = "https://label.example"
OPENED, RULED = "dispute.opened", "dispute.ruled"
FUNCTIONAL, DEFECTIVE = (truth.Answer("class", class_key=key) for key in ("functional", "defective"))


@pytest.fixture
def slack(settings: Settings) -> Iterator[Slack]:
    with slack_here() as here:
        for name, value in here.settings.items():
            setattr(settings, name, value)
        yield here


@pytest.fixture
def project() -> Project:
    return make_project()


def told(project: Project, *events: str, url: str = "#quality") -> Endpoint:
    made, secret = make_endpoint(
        project=project, by=project.created_by, name="", url=url, events=events, site=SITE
    )
    assert secret == "" == made.secret
    return made


def run() -> int:
    return deliver(run_s=600, linger_s=2)


def disputed(project: Project, n: int = 1) -> list[Item]:
    ann, bob = make_member(project), make_member(project)
    items = make_items(project, n)
    for item in items:
        answer(project, item, ann)
        answer(project, item, bob, "defective")
    return items


def rule(item: Item, key: str = "defective") -> None:
    dispute = Dispute.objects.open().get(item=item)
    reviewer = make_member(item.project, "reviewer")
    truth.rule(project=item.project, dispute_id=dispute.pk, reviewer=reviewer, outcome="class", class_key=key)


def test_a_dispute_comes_with_its_picture_and_buttons_until_it_is_ruled_on_wherever(
    slack: Slack, project: Project, client: Client
) -> None:
    endpoint = told(project, OPENED)
    assert endpoint.events == [OPENED, RULED], "or its buttons would never go"
    [item] = answered(project, (FUNCTIONAL, DEFECTIVE))
    assert run() == 1 and slack.strangers == 0
    [(ts, message)] = slack.messages().items()
    assert message["channel"] == "#quality" and "thread_ts" not in message
    [picture] = [each for each in message["blocks"] if each["type"] == "image"]
    [buttons] = [each for each in message["blocks"] if each["type"] == "actions"]
    asked = [each["value"] for each in buttons["elements"]]
    assert asked == ["class:functional", "class:defective", "hold", "unusable"]
    said = json.dumps([{**each, "elements": []} for each in message["blocks"]])
    for secret in ("functional", "differ", "score", *item.disputes.values_list("cause", flat=True)):
        assert secret not in said, "whoever reads it may yet be asked"

    address = urlsplit(picture["image_url"])
    assert f"{address.scheme}://{address.netloc}" == SITE
    shown = client.get(address.path)
    assert shown["Content-Type"] == "image/jpeg" and "no-store" in shown["Cache-Control"]
    assert Image.open(io.BytesIO(shown.content)).size == (320, 240)
    for wrong in (address.path.replace(".jpg", "x.jpg"), reverse("slack-picture", args=["none"])):
        assert client.get(wrong).status_code == 404
    SlackMessage.objects.update(at=timezone.now() - LASTS)
    assert client.get(address.path).status_code == 404, "it ends"
    SlackMessage.objects.update(at=timezone.now())
    Endpoint.objects.update(removed_at=timezone.now())
    assert client.get(address.path).status_code == 404, "and with its channel"
    Endpoint.with_removed.update(removed_at=None)

    rule(item)
    assert client.get(address.path).status_code == 404, "nobody has to look at it any more"
    assert run() == 1 and set(slack.messages()) == {ts}
    assert {each["type"] for each in slack.messages()[ts]["blocks"]} == {"section"}
    assert "Defective" not in json.dumps(slack.messages()[ts]), "who labels it anew is not told"
    assert set(states(endpoint)) == {"delivered"}

    truth.request_review(project=project, item=item, by=project.created_by)
    run()
    again = slack.said("chat.postMessage")[1]
    assert again["thread_ts"] == ts, "of one photo there is one thread"
    replay(delivery=Delivery.objects.order_by("pk").first())  # type: ignore[arg-type]
    run()
    assert len(slack.messages()) == 2, "what is sent twice stands there once"


def test_a_flood_is_a_digest_and_what_can_be_acted_on_does_not_wait_for_the_next(
    slack: Slack, project: Project
) -> None:
    endpoint = told(project, OPENED, DECIDED)
    disputed(project, MOST_ALONE + 3)
    settle(project, make_items(project, 5))
    assert run() == 1
    [digest] = slack.messages().values()
    text = json.dumps(digest, ensure_ascii=False)
    assert f"{MOST_ALONE + 8} events" in text and f"({MOST_ALONE + 3})" in text and "(5)" in text
    assert "photo/" not in text and "class" not in text, "of single photos nothing is said"
    assert set(states(endpoint)) == {"delivered"}

    settle(project, make_items(project, 1))
    [late] = disputed(project)
    assert run() == 1, "the dispute comes at once, the other waits"
    assert "actions" in {each["type"] for each in slack.said("chat.postMessage")[1]["blocks"]}
    rule(late)
    pass_time(seconds=REST.total_seconds())
    SlackMessage.objects.update(at=timezone.now() - REST - timedelta(seconds=1))
    run()
    assert set(states(endpoint)) == {"delivered"}
    [_first, dispute, follows, last] = slack.said("chat.postMessage")
    assert follows["thread_ts"] == "1.1" and "thread_ts" not in last
    assert slack.said("chat.update")[0]["ts"] == "1.1" and dispute["channel"] == "#quality"


def test_any_number_that_waits_for_the_next_digest_holds_up_nothing(
    slack: Slack, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeling.notify.delivering.TOGETHER", 5)
    endpoint = told(project, OPENED, DECIDED)
    [first, *items] = make_items(project, 9)
    settle(project, [first])
    assert run() == 1, "a digest, and its rest begins"
    settle(project, items)
    assert run() == 0
    disputed(project)
    assert run() == 1
    assert "actions" in {each["type"] for each in slack.said("chat.postMessage")[1]["blocks"]}
    assert run() == 0
    assert states(endpoint).count("waiting") == 8
    assert not SlackMessage.objects.filter(ts="").exists(), "what is not sent is no message"


def test_a_picture_that_slack_cannot_fetch_is_left_out(slack: Slack, project: Project) -> None:
    told(project, OPENED)

    def cannot_fetch(_method: str, said: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]] | None:
        has_picture = "image" in {each["type"] for each in said["blocks"]}
        return (200, {}, {"ok": False, "error": "invalid_blocks"}) if has_picture else None

    slack.answers = cannot_fetch
    disputed(project)
    assert run() == 1
    [message] = slack.messages().values()
    assert "actions" in {each["type"] for each in message["blocks"]}, "it can be ruled on all the same"


def test_a_dispute_that_no_reviewer_is_asked_for_gets_no_buttons_in_its_thread(
    slack: Slack, project: Project
) -> None:
    told(project, OPENED)
    [item] = disputed(project)
    run()
    rule(item)
    again = truth.request_review(project=project, item=item, by=project.created_by)
    OpenDispute.objects.filter(pk=again.pk).update(held=True)
    run()
    assert not any("actions" in str(each["blocks"]) for each in slack.said("chat.postMessage")[1:])


def test_a_suspended_certificate_comes_with_its_cause(slack: Slack) -> None:
    pool = certified_pool()
    told(pool.project, "certificate.suspended")
    suspend(certificate=next(iter(in_force(pool.project))), by=pool.admin, note="Doubt")
    assert run() == 1
    [suspended] = (json.dumps(each, ensure_ascii=False) for each in slack.messages().values())
    assert "An admin suspended it" in suspended and f"{SITE}/p/{pool.project.slug}/frontier" in suspended
    assert "Doubt" not in suspended, "what somebody wrote stays in Hilltop"


def test_a_week_comes_once_with_the_frontier_picture(slack: Slack) -> None:
    project = Scene().project
    Project.objects.filter(pk=project.pk).update(created_at=timezone.now() - timedelta(days=30))
    told(project, "week.over")
    assert (tell_weeks(), tell_weeks()) == (1, 0)
    assert run() == 1
    [week] = (json.dumps(each, ensure_ascii=False) for each in slack.messages().values())
    assert "Nothing was decided in this week." in week and f"{SITE}/p/{project.slug}/week?of=2" in week
    assert re.search("Functional │[▣▤]░··░[▣▤]│ Defective", week) and "░ open · · closed" in week


def test_who_asks_to_wait_is_left_alone_and_what_slack_refuses_is_in_the_log(
    slack: Slack, project: Project
) -> None:
    endpoint = told(project, DECIDED)
    slack.answers = lambda _method, _said: (
        429,
        {"Retry-After": "1800"},
        {"ok": False, "error": "ratelimited"},
    )
    settle(project, make_items(project, 1))
    assert run() == 1
    endpoint.refresh_from_db()
    assert timedelta(minutes=20) < endpoint.not_before - timezone.now() <= timedelta(minutes=30)
    pass_time(hours=2)
    slack.answers = lambda _method, _said: (200, {}, {"ok": False, "error": "channel_not_found"})
    assert run() == 1
    [_first, second] = Delivery.objects.get().log.all()
    assert (second.status, second.error) == (None, "Slack: channel_not_found")
    slack.answers = lambda _method, _said: (302, {"Location": "/elsewhere"}, {})
    pass_time(hours=2)
    assert run() == 1 and Delivery.objects.get().log.last().status == 302, "not followed"  # type: ignore[union-attr]


def test_the_notice_says_what_was_switched_off(
    slack: Slack, project: Project, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    settings.MAIL_IS_SET_UP, project.created_by.email = True, "a@works.example"
    project.created_by.save()
    endpoint = told(project, DECIDED)
    with django_capture_on_commit_callbacks(execute=True):
        switch_off_by_itself(endpoint, OffReason.FAILING)
    assert "“#quality” (Slack)" in mail.outbox[0].body and "webhook “" not in mail.outbox[0].body


def test_a_test_is_told_and_names_of_people_are_no_markup(slack: Slack, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(name="<!channel> & *co*")
    send_test(endpoint=told(project, DECIDED))
    run()
    text = json.dumps(slack.said("chat.postMessage"))
    assert "<!channel>" not in text and "&lt;!channel&gt; &amp; *co*" in text


@pytest.mark.parametrize(
    "url", ["slack:", "slack:quality", "#a b", "slack:https://slack.com", "#", "c0123abcd"]
)
def test_what_is_no_channel_is_said(slack: Slack, project: Project, url: str) -> None:
    with pytest.raises(Refused) as refused:
        told(project, DECIDED, url=url)
    assert set(refused.value.fields) == {"url"}


def test_a_channel_is_made_on_the_page_and_only_where_slack_is_set_up(
    slack: Slack, project: Project, client: Client, settings: Settings
) -> None:
    client.force_login(project.created_by)
    address, asked = reverse("webhooks", args=[project.slug]), {"url": CHANNEL, "events": [DECIDED]}
    settings.SLACK_TOKEN = ""
    assert client.post(address, asked).context["form"].errors["url"]
    settings.SLACK_TOKEN = "xoxb-here"
    assert client.post(address, asked).status_code == 201
    endpoint = Endpoint.objects.get()
    assert (endpoint.url, endpoint.kind, endpoint.name) == (f"slack:{CHANNEL}", "slack", CHANNEL)
    renewed = client.post(reverse("api-endpoint-secret", args=[endpoint.pk]))
    assert (renewed.status_code, renewed.json()["error"]["code"]) == (409, "no_secret")


def test_old_threads_go_with_their_events_but_not_what_still_has_buttons(
    slack: Slack, project: Project, settings: Settings
) -> None:
    told(project, OPENED)
    first, second = disputed(project, 2)
    run()
    rule(first)
    run()
    SlackMessage.objects.update(at=timezone.now() - settings.EVENTS_KEPT - timedelta(days=1))
    remove_old()
    assert SlackMessage.objects.get().subject == f"photo/{second.pk}"


def test_a_week_is_not_told_where_nothing_would_say_that_it_was(
    slack: Slack, project: Project, settings: Settings
) -> None:
    Project.objects.filter(pk=project.pk).update(created_at=timezone.now() - timedelta(days=30))
    told(project, "week.over")
    settings.EVENTS_KEPT = timedelta(0)
    assert tell_weeks() == 0
    settings.EVENTS_KEPT = timedelta(days=8)
    assert tell_weeks() == 1
