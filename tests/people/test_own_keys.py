"""Own keys of the labeling screen: kept on the account, refused where one would mean two things."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from labeling.people.keys import USUAL, choose_keys, keys_of, pressed_for
from labeling.people.models import User
from tests.factories import join, make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    return make_user("lina")


@pytest.fixture
def client(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_keys_are_kept_and_what_differs_is_told_to_the_screen(client: Client, person: User) -> None:
    project = make_project()
    join(project, person)
    assert client.post("/me/keys", USUAL | {"hold": "J", "skip": "h"}).status_code == 302
    person.refresh_from_db()
    assert person.own_keys == {"hold": "j", "skip": "h"}

    html = client.get(f"/p/{project.slug}/label").content.decode()
    found = re.search(r'<script id="hilltop-settings"[^>]*>(.*?)</script>', html, re.S)
    assert found
    assert json.loads(found[1])["keys"] == {"j": "h", "h": "s", "s": ""}
    assert 'data-why="hold" aria-keyshortcuts="J"' in html

    client.post("/me/keys", {"reset": "1"})
    person.refresh_from_db()
    assert person.own_keys == {} and pressed_for(keys_of(person)) == {}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"hold": "s"}, "S would mean “Hold”, “Skip”. Give each a key of its own."),
        ({"answer2": "1"}, "1 would mean “Answer 1”, “Answer 2”. Give each a key of its own."),
        ({"hold": ""}, "“Hold” has no key. Press one for it."),
        ({"hold": "c"}, "“c” always does the same here. Choose another key for “Hold”."),
        ({"hold": "ㅎ"}, "“ㅎ” cannot be used. Choose a letter, a digit or one of these signs"),
        ({"hold": "jk"}, "“jk” cannot be used."),
        ({"hold": "\x00"}, "cannot be used."),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_a_sentence_and_nothing_is_kept(
    client: Client, person: User, asked: dict[str, str], said: str
) -> None:
    choose_keys(user=person, keys={"skip": "k"})
    response = client.post("/me/keys", USUAL | asked)
    assert response.status_code == 422
    assert said in response.content.decode()
    person.refresh_from_db()
    assert person.own_keys == {"skip": "k"}


def test_own_keys_give_way_where_they_would_begin_the_code_of_a_class(person: User) -> None:
    choose_keys(user=person, keys={"hold": "s", "skip": "h", "closer": ","})
    assert keys_of(person, codes=True) == keys_of(person)
    choose_keys(user=person, keys={"hold": "k", "skip": "h"})
    assert keys_of(person)["hold"] == "k"
    assert keys_of(person, codes=True) == USUAL


def test_the_way_back_leads_nowhere_else(client: Client) -> None:
    assert 'href="/p/cells/label"' in client.get("/me/keys?next=/p/cells/label").content.decode()
    assert 'href="https://evil' not in client.get("/me/keys?next=https://evil.example/").content.decode()
