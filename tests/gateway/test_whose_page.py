"""A page writes for the person whom it was made for, or not at all: every route, by header and by form."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.people.whose_page import FIELD, HEADER
from labeling.queue.models import Slot
from labeling.truth.models import Annotation
from tests.gateway.addresses import address_of
from tests.gateway.conftest import World
from tests.gateway.test_who_may_use_each_route import MAY, ROLES, _allowed, _is_page

#: Whoever sits at the computer may end the session that is open on it.
ANYBODYS = {"logout", "account_logout", "api-capture-photos", "api-capture-submit"}
WRITES = [
    (name, method)
    for name, methods in MAY.items()
    for method in methods
    if method != "GET" and name not in ANYBODYS
]


def _send(client: Client, method: str, address: str, **more: Any) -> Any:
    api = address.startswith("/api/")
    body = {"data": {}, "content_type": "application/json"} if api else {"data": more.pop("form", {})}
    return getattr(client, method.lower())(address, **body, **more)


def _role_for(needed: str) -> str:
    return next(role for role in reversed(ROLES) if _allowed(role, needed))


def test_no_route_writes_for_another_person(world: World) -> None:
    before = (Annotation.objects.count(), Slot.objects.count())
    clients = {role: world.client(role) for role in ROLES}
    wrong = []
    for name, method in WRITES:
        role = _role_for(MAY[name][method])
        client, address = clients[role], address_of(world, name)
        by_form = {} if address.startswith("/api/") else {"form": {FIELD: str(world.outsider.pk)}}
        answers = [
            _send(client, method, address, headers={HEADER: str(world.outsider.pk)}),
            _send(client, method, address, headers={HEADER: ""}),  # made for nobody
            _send(client, method, address, headers={"Origin": "http://testserver"}, **by_form),
        ]
        statuses = [each.status_code for each in answers]
        told = answers[0].content.decode()
        says = str(world.person(role)) in told and ("another_person" in told or not name.startswith("api-"))
        # What a browser sends without saying for whom is refused, too.
        if statuses != [409, 409, 409 if by_form else 401] or not says:
            wrong.append((name, method, statuses, told[:200]))
    assert wrong == []
    assert (Annotation.objects.count(), Slot.objects.count()) == before


def test_whoever_sits_at_the_computer_may_end_the_session_that_is_open_on_it(world: World) -> None:
    client = world.client("labeler")
    assert client.post(reverse("logout"), headers={HEADER: "0"}).status_code == 302
    assert "_auth_user_id" not in client.session


def test_the_person_themself_a_stranger_and_a_program_are_not_asked(world: World) -> None:
    own = {HEADER: str(world.labeler.pk), "Origin": "http://testserver"}
    assert _send(world.client("labeler"), "POST", world.api("/claims"), headers=own).status_code == 200
    assert (
        _send(world.client("labeler"), "POST", world.api("/claims")).status_code == 200
    )  # a script's session
    stranger = Client().post(reverse("login"), {"username": "lina", "password": "lina", FIELD: ""})
    assert stranger.status_code == 302
    token = Client().post(
        "/api/v1/login", {"username": "lina", "password": "lina"}, content_type="application/json"
    ).json()["token"]  # fmt: skip
    program = world.client("reviewer")  # with somebody's cookie, and another page's mark
    headers = {"Authorization": f"Token {token}", HEADER: "0", "Origin": "https://elsewhere.example"}
    assert _send(program, "POST", world.api("/claims"), headers=headers).status_code == 200


def test_what_a_page_fetches_is_not_another_persons(world: World) -> None:
    client, address = world.client("admin"), f"/p/{world.project.slug}/frontier"
    other = {HEADER: str(world.labeler.pk), "HX-Request": "true"}
    refused = client.get(address, headers=other)
    assert (refused.status_code, refused["HX-Retarget"]) == (409, "#messages")
    assert client.get(address, headers={HEADER: str(world.admin.pk)}).status_code == 200
    assert client.get(address).status_code == 200  # a person who goes there


def test_every_form_says_for_whom_it_was_made(world: World) -> None:
    seen, wrong = 0, []
    for name in (name for name, methods in MAY.items() if _is_page(name) and "GET" in methods):
        role = _role_for(MAY[name]["GET"])
        person: Any = world.person(role)
        answer = world.client(role).get(address_of(world, name))
        if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
            continue
        page = answer.content.decode()
        forms = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)
        mark = f'name="{FIELD}" value="{person.pk}"'
        seen += len(forms)
        wrong += [(name, form) for form in forms if mark not in form]
        if "<body" in page and f'data-person="{person.pk}"' not in page:
            wrong.append((name, "body"))
    assert wrong == []
    assert seen > 50


@pytest.mark.django_db
def test_the_page_to_sign_in_was_made_for_nobody() -> None:
    page = Client().get(reverse("login")).content.decode()
    assert f'name="{FIELD}" value=""' in page
    assert 'data-person=""' in page
