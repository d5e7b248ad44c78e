"""From a message in Slack to a ruling: the picture, the button, who one is here, and the message that says it is done."""

from __future__ import annotations

import html
import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from labeling.notify.delivering import deliver
from labeling.notify.services import make_endpoint
from labeling.truth.models import Ruling
from labeling.truth.services import Answer
from tests.browser import axe
from tests.browser.reviewing import answered
from tests.factories import make_member, make_project
from tests.notify.slack_here import SECRET, TOKEN, Said, Slack, _Api, pressed, signed, slack_here
from tests.stack import Stack


class _Channel(_Api):
    """The channel as a page, whose buttons Slack signs and sends to ``hilltop``."""

    hilltop = ""

    def do_GET(self) -> None:
        said = [self._block(block) for each in self.slack.messages().values() for block in each["blocks"]]
        said += [
            f"<p role=status>{_linked(each['text'])}</p>" for each in self.slack.said("chat.postEphemeral")
        ]
        self._page(200, {}, f"<!doctype html><title>#quality</title><h1>#quality</h1>{''.join(said)}")

    def do_POST(self) -> None:
        if self.path != "/press":
            return super().do_POST()
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        body, told = pressed(json.loads(form["action"][0])), len(self.slack.said("chat.postEphemeral"))
        headers = signed(body) | {"Content-Type": "application/x-www-form-urlencoded"}
        urllib.request.urlopen(urllib.request.Request(f"{self.hilltop}/slack/actions", body, headers)).close()
        self.slack.wait("chat.postEphemeral", told + 1)
        return self._page(303, {"Location": "/"}, "")

    def _block(self, block: Said) -> str:
        if block["type"] == "image":
            return f'<img src="{html.escape(block["image_url"])}" alt="{html.escape(block["alt_text"])}">'
        if block["type"] == "actions":
            return "".join(
                f'<form method=post action=/press><button name=action value="{html.escape(json.dumps(each))}">'
                f"{html.escape(each['text']['text'])}</button></form>"
                for each in ({**each, "block_id": block["block_id"]} for each in block["elements"])
            )
        return f"<p>{html.escape(json.dumps(block.get('text') or block['elements']))}</p>"

    def _page(self, status: int, headers: dict[str, str], text: str) -> None:
        body = text.encode()
        self.send_response(status)
        told = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
        for name, value in (told | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _linked(text: str) -> str:
    return re.sub(r"(https?://\S+)", r'<a href="\1" target=_blank>\1</a>', html.escape(text))


@pytest.fixture
def slack(settings: Settings, transactional_db: None) -> Iterator[Slack]:
    with slack_here(_Channel) as here:
        for name, value in here.settings.items():
            setattr(settings, name, value)
        yield here


@pytest.fixture
def hilltop(slack: Slack) -> Iterator[Stack]:
    """Which speaks with that Slack."""
    stack = Stack(
        HILLTOP_SLACK_TOKEN=TOKEN,
        HILLTOP_SLACK_SIGNING_SECRET=SECRET,
        HILLTOP_SLACK_API=f"{slack.url}/api/",
        HILLTOP_FETCH_NETWORKS="127.0.0.0/8",
    )
    _Channel.hilltop = stack.url
    stack.ensure_web()
    yield stack
    stack.stop()


@pytest.fixture
def channel(chromium: Browser, hilltop: Stack) -> Iterator[Page]:
    context = chromium.new_context(base_url=hilltop.url)
    yield context.new_page()
    context.close()


def test_a_reviewer_rules_from_a_message_in_slack(slack: Slack, hilltop: Stack, channel: Page) -> None:
    project = make_project()
    reviewer = make_member(project, "reviewer", "mina")
    by: dict[str, Any] = {"project": project, "by": project.created_by, "site": hilltop.url}
    make_endpoint(name="", url="#quality", events=["dispute.opened"], **by)
    answered(project, (Answer("class", class_key="functional"), Answer("class", class_key="defective")))
    deliver(linger_s=0)

    channel.goto(slack.url)
    picture = channel.get_by_role("img", name="Photo")
    expect(picture).to_have_js_property("complete", True)
    expect(picture).to_have_js_property("naturalWidth", 320)
    channel.get_by_role("button", name="Defective").click()
    expect(channel.get_by_role("status")).to_contain_text("does not know yet who you are")
    assert not Ruling.objects.exists()

    with channel.expect_popup() as opened:
        channel.get_by_role("status").get_by_role("link").click()
    page = opened.value
    page.get_by_label("Username").fill("mina")
    page.get_by_label("Password").fill("mina")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Link a Slack account")).to_be_visible()
    assert axe.faults(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="This is me: link it").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    expect(page.get_by_role("region", name="Slack")).to_contain_text("@anna")
    assert axe.faults(page) == []

    channel.get_by_role("button", name="Defective").click()
    expect(channel.get_by_role("status").last).to_contain_text("Ruled as mina: Defective")
    ruling = Ruling.objects.get()
    assert (ruling.reviewer, ruling.outcome) == (reviewer, "class")
    slack.wait("chat.update", 1)
    channel.reload()
    expect(channel.get_by_text("the dispute is ruled on")).to_be_visible()
    expect(channel.get_by_role("button")).to_have_count(0)
    assert slack.strangers == 0
