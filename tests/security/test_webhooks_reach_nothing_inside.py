"""No address of a webhook or a call back leads inside: kinds of addresses × plain, redirected, and rebound; 0 reached.

The table of addresses and the net in which each is "reached" are those of ``test_public_addresses``, whose code sends.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labeling.notify.calling_back import Wish
from labeling.notify.channels import call_back, webhook
from labeling.notify.models import Endpoint, Event
from labeling.notify.secrets import encrypted, new_secret
from labeling.notify.services import call_back_on_photo
from tests.factories import make_items, make_project
from tests.security.test_public_addresses import NOT_PUBLIC, PUBLIC, Net, Site, net, site  # noqa: F401

WAYS = ["plain", "among public ones", "as a number", "redirected", "rebound", "rebound after a redirect"]


@pytest.fixture(autouse=True)
def _posts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "do_POST", Site.do_GET, raising=False)


def by_webhook(url: str) -> tuple[int | None, str]:
    endpoint = Endpoint(url=url, secret=encrypted(new_secret()))
    answer = webhook.prepare(endpoint, Event(uuid=endpoint.pk), {"type": "endpoint.test"})()
    return answer.status, answer.error


def by_call_back(url: str) -> tuple[int | None, str]:
    """As it is stored: what was asked for may have been another address, of a name that led elsewhere then."""
    project = make_project()
    sha256 = make_items(project, 1)[0].image.sha256
    wish = Wish("https://hooks.example/")
    opened = call_back_on_photo(
        wish=wish, by=project.created_by, project=project, sha256=sha256, strict=False
    )
    call = opened.call_back
    call.url, call.event = url, Event.objects.create(kind="call_back.undecided", subject="call", alone=True)
    call.save()
    answer = call_back.prepare(call.endpoint, call.event, {"type": "call_back.undecided", "data": {}})()
    return answer.status, answer.error


@pytest.mark.django_db
@pytest.mark.parametrize("send", [by_webhook, by_call_back])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_nothing_inside_is_reached(
    net: Net,  # noqa: F811
    address: str,
    way: str,
    send: Callable[[str], tuple[int | None, str]],
) -> None:
    net.names = {"hooks.example": [[PUBLIC]], "inside.example": [[address]]}
    url = "http://inside.example/hook"
    match way:
        case "among public ones":
            net.names["inside.example"] = [[PUBLIC, address]]
        case "as a number":
            url = f"http://[{address.replace('%', '%25')}]/" if ":" in address else f"http://{address}/"
        case "redirected":
            url = "http://hooks.example/to?http://inside.example/hook"
        case "rebound":
            net.names["inside.example"] = [[PUBLIC], [address]]
        case "rebound after a redirect":
            url, net.names["inside.example"] = "http://inside.example/to?/hook", [[PUBLIC], [address]]
    status, error = send(url)
    assert set(net.reached) <= {PUBLIC}, "nothing but what is public"
    if way in {"redirected", "rebound after a redirect"}:
        assert (status, net.reached) == (302, [PUBLIC]), "told as an answer, and not followed"
    elif way == "rebound":
        assert (status, net.asked) == (200, ["inside.example"]), "resolved once, and connected to that"
    else:
        assert status is None and net.reached == []
        assert error.startswith("not_public") or "%" in url  # of a link: no address to every resolver
