"""Two-step sign-in: the password alone opens nothing, no code twice, and there is a way back for a lost phone."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client
from django.urls import reverse

from labeling.people import second_step
from labeling.people.models import AccountEvent, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def code_of(secret: str, *, steps: int = 0) -> str:
    if steps < 0 and (left := 30 - time.time() % 30) < 2:
        time.sleep(left)  # the one before is good for this step only, which would end before it is sent
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def switch_on(user: User) -> str:
    """As the person does on the pages; the secret that their app holds from then on."""
    client = Client()
    client.force_login(user)
    asked = client.get(reverse("mfa_activate_totp"), follow=True)
    assert asked.request["PATH_INFO"] == reverse("account_reauthenticate")
    said = {"password": user.username, "next": reverse("mfa_activate_totp")}
    page = client.post(asked.request["PATH_INFO"], said, follow=True)
    secret = str(page.context["form"].secret)
    wrong = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert wrong.context["form"].errors
    done = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret, steps=-1)}, follow=True)
    assert done.request["PATH_INFO"] == reverse("mfa_view_recovery_codes")
    user.refresh_from_db()
    return secret


def password_step(name: str) -> Client:
    client = Client()
    answer = client.post(reverse("login"), {"username": name, "password": name, "next": "/account"})
    assert answer["Location"] == reverse("mfa_authenticate")
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


def api(code: str | None = None) -> Any:
    sent = {"username": "mina", "password": "mina"} | ({} if code is None else {"code": code})
    return Client().post("/api/v1/login", sent, content_type="application/json")


def test_the_password_alone_opens_neither_pages_nor_the_api() -> None:
    secret = switch_on(make_user("mina"))
    client = password_step("mina")
    assert not is_in(client)
    assert client.post("/api/v1/projects/x/claims", {}, content_type="application/json").status_code in (
        401,
        403,
    )
    assert api().json()["error"]["code"] == "code_needed"
    done = client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert (done.status_code, done["Location"]) == (302, "/account")
    assert is_in(client)


def test_a_code_counts_once_wherever_it_is_typed() -> None:
    secret = switch_on(make_user("mina"))
    code = code_of(secret)
    assert api(code).status_code == 200
    seen = password_step("mina").post(reverse("mfa_authenticate"), {"code": code})
    assert seen.status_code == 200 and "used already" in seen.content.decode()
    assert api(code).json()["error"]["code"] == "bad_code"
    assert api(code_of(secret, steps=1)).status_code == 200


def test_codes_are_not_guessed() -> None:
    secret = switch_on(make_user("mina"))
    answers = [api(f"{n:06}").status_code for n in range(second_step.TRIES)]
    assert answers == [401] * second_step.TRIES
    assert api(code_of(secret)).status_code == 429
    page = password_step("mina").post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert "Too many wrong codes" in page.content.decode()


def test_a_recovery_code_opens_once() -> None:
    mina = make_user("mina")
    switch_on(mina)
    code = Authenticator.objects.get(user=mina, type="recovery_codes").wrap().get_unused_codes()[0]
    client = password_step("mina")
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert is_in(client)
    again = password_step("mina")
    again.post(reverse("mfa_authenticate"), {"code": code})
    assert not is_in(again)


def test_secrets_do_not_lie_open_in_the_database(settings: Any) -> None:
    mina = make_user("mina")
    secret = switch_on(mina)
    assert secret not in json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another one"
    assert api(code_of(secret)).status_code == 200


def test_changing_the_second_step_asks_for_the_password_and_guessing_it_is_slowed() -> None:
    mina = make_user("mina")
    switch_on(mina)
    client = Client()
    client.force_login(mina)
    asked = client.get(reverse("mfa_deactivate_totp"), follow=True)
    assert asked.request["PATH_INFO"] == reverse("account_reauthenticate")
    codes = client.get(reverse("mfa_view_recovery_codes"), follow=True)
    assert codes.request["PATH_INFO"] == reverse("account_reauthenticate")
    for n in range(6):
        client.post(asked.request["PATH_INFO"], {"password": f"guess{n}"})
    refused = client.post(asked.request["PATH_INFO"], {"password": "mina"})
    assert "Too many wrong passwords" in refused.content.decode()
    assert second_step.has_second_step(mina)


@pytest.mark.django_db(transaction=True)
def test_the_way_back_is_the_owners_or_an_administrators() -> None:
    mina, chief = make_user("mina"), make_user("chief", is_superuser=True)
    switch_on(mina)
    client = Client()
    client.force_login(mina)
    client.post(reverse("account_reauthenticate"), {"password": "mina"})
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()
    assert api().status_code == 200
    switch_on(mina)
    admin = Client()
    admin.force_login(chief)
    assert "Back to one step" in admin.get(reverse("person", args=[mina.pk])).content.decode()
    admin.post(reverse("person-two-step", args=[mina.pk]))
    assert api().status_code == 200
    kinds = AccountEvent.objects.filter(person=mina, kind__startswith="two_step").order_by("pk")
    assert [(each.kind, each.by) for each in kinds] == [
        ("two_step_on", mina), ("two_step_off", mina), ("two_step_on", mina), ("two_step_off", chief),
    ]  # fmt: skip


def test_a_one_time_link_does_not_pass_by_the_second_step() -> None:
    from labeling.people.links import link_for

    mina = make_user("mina")
    switch_on(mina)
    client = Client()
    page = client.get(link_for(User.objects.get(pk=mina.pk), client.get("/login").wsgi_request), follow=True)
    new = "four green lamps"
    client.post(page.request["PATH_INFO"], {"new_password1": new, "new_password2": new})
    assert not is_in(client)
    answer = client.post(reverse("login"), {"username": "mina", "password": new})
    assert answer["Location"] == reverse("mfa_authenticate")


def test_a_code_of_the_app_is_asked_for_once_more_in_its_own_words() -> None:
    mina = make_user("mina")
    switch_on(mina)
    client = Client()
    client.force_login(mina)
    page = client.get(reverse("mfa_reauthenticate"))
    assert "a code of your app is asked for once more" in page.content.decode()
    assert "code" in page.context["form"].fields and "your password is asked for" not in page.content.decode()
