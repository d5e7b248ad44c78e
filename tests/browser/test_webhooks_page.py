"""An admin has a program told of events, tries it, and reads what it answered."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from labeling.notify.delivering import deliver
from labeling.notify.models import Endpoint
from tests.browser import axe
from tests.factories import make_project
from tests.notify.conftest import Receiver, receiver  # noqa: F401 - a fixture

PageFor = Callable[..., Page]


def test_a_webhook_is_made_tried_and_read(
    transactional_db: None,
    page_for: PageFor,
    receiver: Receiver,  # noqa: F811
) -> None:
    project = make_project()
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/webhooks")
    expect(page.get_by_text("Nobody is told yet.")).to_be_visible()
    page.get_by_label("Address").fill(receiver.url + "/")
    page.get_by_role("button", name="Have it told").click()
    expect(page.get_by_text("Choose at least one kind of event.")).to_be_visible()
    expect(page.get_by_label("Address")).to_have_value(receiver.url + "/")
    page.get_by_label("A photo is decided").check()
    page.get_by_role("button", name="Have it told").click()
    receiver.secrets["/"] = page.get_by_role("textbox", name="Secret").input_value()
    assert axe.faults(page) == []
    receiver.answers = lambda _path, _body: 503
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("row", name="A test")).to_contain_text("Waits")
    deliver(linger_s=0)
    page.goto(f"/p/{project.slug}/webhooks/{Endpoint.objects.get().pk}")
    expect(page.get_by_role("row", name="A test")).to_contain_text("503")
    expect(page.get_by_text("First failure")).to_be_visible()
    receiver.answers = lambda _path, _body: 204
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("The event is sent again, under the same id.")).to_be_visible()
    deliver(linger_s=0)
    page.reload()
    expect(page.get_by_role("row", name="A test")).to_contain_text("Delivered")
    assert (len(receiver.got), receiver.forged) == (2, 0)
    assert axe.faults(page) == []
