"""A webhook's address never leads inside: kinds of addresses × plain, redirected, and rebound; 0 reached.

The table of addresses and the net in which each is "reached" are those of ``test_public_addresses``, whose code sends.
"""

from __future__ import annotations

import pytest

from labeling.notify.channels.webhook import prepare
from labeling.notify.models import Endpoint, Event
from labeling.notify.secrets import encrypted, new_secret
from tests.security.test_public_addresses import NOT_PUBLIC, PUBLIC, Net, Site, net, site  # noqa: F401

WAYS = ["plain", "among public ones", "as a number", "redirected", "rebound", "rebound after a redirect"]


@pytest.fixture(autouse=True)
def _posts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "do_POST", Site.do_GET, raising=False)


def send(url: str) -> tuple[int | None, str]:
    endpoint = Endpoint(url=url, secret=encrypted(new_secret()))
    answer = prepare(endpoint, Event(uuid=endpoint.pk), {"type": "endpoint.test"})()
    return answer.status, answer.error


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_nothing_inside_is_reached(net: Net, address: str, way: str) -> None:  # noqa: F811
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
