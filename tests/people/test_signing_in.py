"""Signing in: calm about mistakes, patient with nobody who guesses, and back to where one was going."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from labeling.people import throttle
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def sign_in(client: Client, name: str, password: str, **more: str):  # type: ignore[no-untyped-def]
    return client.post(reverse("login"), {"username": name, "password": password, **more})


def test_a_person_goes_on_to_the_page_that_was_asked_for(client: Client) -> None:
    make_user("mina")
    response = sign_in(client, "mina", "mina", next="/p/cells/label")
    assert response.status_code == 302
    assert response["Location"] == "/p/cells/label"


def test_an_address_of_another_site_is_not_followed(client: Client) -> None:
    make_user("mina")
    assert sign_in(client, "mina", "mina", next="https://elsewhere.example/")["Location"] == reverse("home")


def test_a_wrong_name_and_a_wrong_password_get_the_same_words(client: Client) -> None:
    make_user("mina")
    wrong_password = sign_in(client, "mina", "nope")
    wrong_name = sign_in(client, "nobody", "nope")
    assert wrong_password.status_code == wrong_name.status_code == 422
    words = [response.context["form"].non_field_errors() for response in (wrong_password, wrong_name)]
    assert words[0] == words[1]
    assert "do not match" in words[0][0]


def test_after_too_many_wrong_passwords_even_the_right_one_has_to_wait(client: Client) -> None:
    make_user("mina")
    answers = [sign_in(client, "mina", f"guess{n}") for n in range(throttle.TRIES)]
    assert [answer.status_code for answer in answers] == [422] * (throttle.TRIES - 1) + [429]
    assert "1 more try" in answers[-2].content.decode()
    refused = sign_in(client, "mina", "mina")
    assert (refused.status_code, refused["Retry-After"]) == (429, "300")
    assert "Wait five minutes" in refused.content.decode()
    assert "_auth_user_id" not in client.session


def test_guessing_one_name_does_not_lock_out_others_or_other_places(client: Client) -> None:
    make_user("mina")
    make_user("jun")
    for n in range(throttle.TRIES):
        sign_in(client, "mina", f"guess{n}")
    assert sign_in(client, "jun", "jun").status_code == 302
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(elsewhere, "mina", "mina").status_code == 302


def test_signing_in_forgets_earlier_slips(client: Client) -> None:
    make_user("mina")
    for n in range(throttle.TRIES - 1):
        sign_in(client, "mina", f"slip{n}")
    sign_in(client, "mina", "mina")
    assert not throttle.must_wait(address="127.0.0.1", username="mina")
    assert throttle.count_failure(address="127.0.0.1", username="mina") == throttle.TRIES - 1


def test_the_tour_counts_as_seen_from_its_first_time_on(client: Client) -> None:
    user = make_user("mina")
    assert client.post(reverse("tour-seen")).status_code == 302  # nobody is signed in
    client.force_login(user)
    assert client.get(reverse("tour-seen")).status_code == 405
    assert client.post(reverse("tour-seen")).status_code == 204
    user.refresh_from_db()
    first = user.toured_at
    assert first is not None
    client.post(reverse("tour-seen"))
    user.refresh_from_db()
    assert user.toured_at == first
