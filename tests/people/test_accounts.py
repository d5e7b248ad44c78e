"""Who gets in, and who no longer does: passwords, one-time links, tokens, accounts switched off and on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.forms import BaseForm
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.translations import compile_translations
from labeling.people import services, throttle
from labeling.people.forms import ChangePasswordForm, ChoosePasswordForm, ForgotForm
from labeling.people.links import link_tokens
from labeling.people.models import AccountEvent, Token, User
from labeling.people.tokens import MOST
from labeling.refusals import Refused
from tests.factories import make_user

pytestmark = pytest.mark.django_db

NEW = "four green lamps"


@pytest.fixture
def chief() -> User:
    return make_user("chief", is_superuser=True)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


def with_token(text: str) -> int:
    return Client().get("/api/v1/me", headers={"Authorization": f"Token {text}"}).status_code


def choose(link: str, password: str = NEW) -> Any:
    """Follow a one-time link as a browser does, and set the password; the last answer."""
    client = Client()
    page = client.get(link, follow=True)
    if not page.context["validlink"]:
        return page
    return client.post(page.request["PATH_INFO"], {"new_password1": password, "new_password2": password})


def can_sign_in(name: str, password: str) -> bool:
    return Client().post(reverse("login"), {"username": name, "password": password}).status_code == 302


def change(client: Client, old: str, new: str = NEW) -> Any:
    sent = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("password-change"), sent)


def events(person: User) -> list[str]:
    """But for sign-ins; tests/overview/test_audit_trail.py has these."""
    kept = AccountEvent.objects.filter(person=person).exclude(kind__in=AccountEvent.SIGN_INS).order_by("pk")
    return [event.kind for event in kept]


def test_changing_ones_password_keeps_this_session_and_ends_all_others_and_the_tokens() -> None:
    mina = make_user("mina")
    here, elsewhere = signed_in(mina), signed_in(mina)
    _row, text = services.make_token(user=mina, name="export")
    key = here.session.session_key
    assert change(here, "mina").status_code == 302
    assert (is_in(here), is_in(elsewhere), with_token(text)) == (True, False, 401)
    assert here.session.session_key != key
    assert (can_sign_in("mina", NEW), can_sign_in("mina", "mina")) == (True, False)
    assert events(mina) == ["token_made", "password_set"]


def test_a_wrong_present_password_or_a_weak_new_one_changes_nothing() -> None:
    mina = make_user("mina")
    here = signed_in(mina)
    _row, text = services.make_token(user=mina)
    assert change(here, "wrong").status_code == 422
    assert change(here, "mina", "12345").status_code == 422
    assert is_in(here)  # though the hash of the present one was made stronger
    assert (with_token(text), can_sign_in("mina", "mina")) == (200, True)


def test_an_open_page_is_no_licence_to_guess_the_present_password() -> None:
    here = signed_in(make_user("mina"))
    statuses = [change(here, f"guess{n}").status_code for n in range(throttle.TRIES + 1)]
    assert statuses == [422] * throttle.TRIES + [429]
    assert change(here, "mina").status_code == 429


@pytest.mark.parametrize("how", ["command", "set_password"])
def test_tokens_die_with_the_password_however_it_is_changed(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mina = make_user("mina")
    _row, text = services.make_token(user=mina)
    if how == "command":
        monkeypatch.setattr("getpass.getpass", lambda prompt="": NEW)
        call_command("changepassword", "mina", verbosity=0)
    else:
        mina.set_password(NEW)
        mina.save(update_fields=["password"])
    assert with_token(text) == 401
    mina.is_active = True
    mina.save()


def test_a_hash_made_stronger_is_no_change_of_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    mina = make_user("mina")
    _row, text = services.make_token(user=mina)
    before = mina.password
    monkeypatch.setattr("django.contrib.auth.hashers.PBKDF2PasswordHasher.iterations", 2)
    assert can_sign_in("mina", "mina")
    mina.refresh_from_db()
    assert mina.password != before
    assert with_token(text) == 200


def test_an_invited_person_chooses_the_password_once(chief: User) -> None:
    client = signed_in(chief)
    made = client.post(reverse("person-invite"), {"username": "joon", "full_name": "Joon Park"})
    link = made.context["link"]
    assert made.status_code == 201 and link in made.content.decode()
    assert link not in client.get(reverse("person", args=[made.context["person"].pk])).content.decode()
    assert not can_sign_in("joon", "")
    assert choose(link, "12345").status_code == 422
    assert choose(link).status_code == 302
    assert can_sign_in("joon", NEW)
    assert "does not work any more" in choose(link, "another long one").content.decode()
    assert can_sign_in("joon", NEW)
    assert events(User.objects.get(username="joon")) == ["invited", "link_made", "password_set"]


def between(monkeypatch: pytest.MonkeyPatch, form: type[BaseForm], do: Callable[[], object]) -> None:
    """Something happens after the form was found to be right and before what it says is done."""
    real = form.is_valid

    def is_valid(self: BaseForm) -> bool:
        found = real(self)
        do()
        return found

    monkeypatch.setattr(form, "is_valid", is_valid)


def test_a_link_that_two_use_at_once_works_for_one(chief: User, monkeypatch: pytest.MonkeyPatch) -> None:
    mina = make_user("mina")
    link = signed_in(chief).post(reverse("person-link", args=[mina.pk])).context["link"]

    def other() -> None:
        monkeypatch.undo()
        assert choose(link, "the faster one 7").status_code == 302

    between(monkeypatch, ChoosePasswordForm, other)
    slower = choose(link, "the slower one 7")
    assert slower.status_code == 409 and "does not work any more" in slower.content.decode()
    assert (can_sign_in("mina", "the faster one 7"), can_sign_in("mina", "the slower one 7")) == (True, False)


@pytest.mark.parametrize("by", ["link", "present password"])
def test_who_is_switched_off_while_a_password_is_set_stays_off(
    by: str, chief: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mina = make_user("mina")
    here = signed_in(mina)
    link = signed_in(chief).post(reverse("person-link", args=[mina.pk])).context["link"]
    form = ChoosePasswordForm if by == "link" else ChangePasswordForm
    between(monkeypatch, form, lambda: services.switch_off(person=mina, by=chief))
    assert (choose(link) if by == "link" else change(here, "mina")).status_code in (409, 422)
    mina.refresh_from_db()
    assert not mina.is_active and not mina.check_password(NEW)


def test_setting_a_password_changes_nothing_else_of_the_account(
    chief: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mina = make_user("mina")
    link = signed_in(chief).post(reverse("person-link", args=[mina.pk])).context["link"]
    promote = User.objects.filter(pk=mina.pk).update
    between(monkeypatch, ChoosePasswordForm, lambda: promote(is_superuser=True))
    assert choose(link).status_code == 302
    mina.refresh_from_db()
    assert mina.is_superuser and mina.check_password(NEW)


def test_a_link_leaves_the_address_before_anything_else_is_loaded(chief: User) -> None:
    made = signed_in(chief).post(reverse("person-link", args=[make_user("mina").pk]))
    token = made.context["link"].rsplit("/", 1)[1]
    page = Client().get(made.context["link"], follow=True)
    assert token not in page.request["PATH_INFO"]
    assert "no-cache" in page["Cache-Control"]


@pytest.mark.parametrize("ended_by", ["use", "sign-in", "sign-out", "off", "off and on", "time", "e-mail"])
def test_a_link_dies(chief: User, ended_by: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mina = make_user("mina", email="mina@example.com")
    link, _mailed = services.make_link(person=mina, by=chief, request=_request())
    assert Client().get(link, follow=True).context["validlink"]
    match ended_by:
        case "use":
            choose(link)
        case "sign-in":
            assert can_sign_in("mina", "mina")
        case "sign-out":
            services.sign_out_everywhere(person=mina, by=mina)
        case "off" | "off and on":
            services.switch_off(person=mina, by=chief)
            if ended_by == "off and on":
                services.switch_on(person=mina, by=chief)
        case "time":
            settings.PASSWORD_RESET_TIMEOUT = -1
        case "e-mail":
            User.objects.filter(pk=mina.pk).update(email="other@example.com")
    assert not Client().get(link, follow=True).context["validlink"]


def test_each_link_is_its_own_and_the_first_that_is_used_ends_the_others(chief: User) -> None:
    mina = make_user("mina")
    links = {services.make_link(person=mina, by=chief, request=_request())[0] for _ in range(3)}
    assert len(links) == 3
    assert all(Client().get(link, follow=True).context["validlink"] for link in links)
    assert choose(links.pop()).status_code == 302
    assert not any(Client().get(link, follow=True).context["validlink"] for link in links)


@pytest.mark.parametrize("forged", ["", "x", "a.b.c", "set-passwor", "..", "0-0", "é.é.é"])
def test_a_made_up_link_is_none(forged: str) -> None:
    assert not link_tokens.check_token(make_user("mina"), forged)


def test_names_that_we_gave_tokens_are_in_the_language_of_whoever_looks() -> None:
    compile_translations()
    mina = make_user("mina")
    body = {"username": "mina", "password": "mina"}
    assert Client().post("/api/v1/login", body, content_type="application/json").status_code == 200
    services.make_token(user=mina)
    services.make_token(user=mina, name="Delete")  # a person's word stays what it is
    client = Client(headers={"accept-language": "ko"})
    client.force_login(User.objects.get(pk=mina.pk))
    page = client.get(reverse("account")).content.decode()
    assert page.count("API 로그인") == 3 and page.count("이름 없음") == 3 and page.count("Delete") == 3
    assert "Signed in by the API" not in page and "Without a name" not in page


def _request() -> Any:
    return Client().get("/login").wsgi_request


def test_switching_off_ends_sessions_and_tokens_at_once_and_for_good(chief: User) -> None:
    mina = make_user("mina")
    client = signed_in(mina)
    _row, text = services.make_token(user=mina)
    address = reverse("person-switch", args=[mina.pk])
    assert signed_in(chief).post(address, {"to": "off"}).status_code == 302
    assert (is_in(client), with_token(text), can_sign_in("mina", "mina")) == (False, 401, False)
    refused = signed_in(chief).post(reverse("person-link", args=[mina.pk]))
    assert refused.status_code == 422
    signed_in(chief).post(address, {"to": "on"})
    assert (is_in(client), with_token(text), can_sign_in("mina", "mina")) == (False, 401, True)
    assert events(mina) == ["token_made", "switched_off", "switched_on"]


def test_nobody_switches_their_own_account_off_and_no_admin_of_a_project_anybodys(chief: User) -> None:
    mina = make_user("mina")
    for person, by, code in (
        (chief, chief, "own_account"),
        (chief, mina, "forbidden"),
        (mina, mina, "forbidden"),
    ):
        with pytest.raises(Refused) as refused:
            services.switch_off(person=person, by=by)
        assert refused.value.code == code
    assert User.objects.filter(is_active=False).count() == 0


def test_signing_out_everywhere_ends_every_session_and_leaves_tokens(chief: User) -> None:
    mina = make_user("mina")
    here, there = signed_in(mina), signed_in(mina)
    _row, text = services.make_token(user=mina)
    assert here.post(reverse("sign-out-everywhere")).status_code == 302
    assert (is_in(here), is_in(there), with_token(text)) == (False, False, 200)
    again = signed_in(User.objects.get(username="mina"))
    signed_in(chief).post(reverse("person-sign-out", args=[mina.pk]))
    assert not is_in(again)


def test_a_token_is_shown_once_kept_as_a_hash_and_revoked_by_its_owner_or_an_administrator(
    chief: User,
) -> None:
    mina = make_user("mina")
    client = signed_in(mina)
    made = client.post(reverse("token-make"), {"name": "night <b>", "days": "7"})
    text = made.context["text"]
    assert made.status_code == 201 and text in made.content.decode() and "no-store" in made["Cache-Control"]
    row = Token.objects.get()
    assert text not in row.digest and timedelta(days=6) < row.expiry - timezone.now() <= timedelta(days=7)
    page = client.get(reverse("account")).content.decode()
    assert text not in page and "night &lt;b&gt;" in page and "never" in page
    assert with_token(text) == 200
    assert Token.objects.get().used_at is not None
    assert "night" in signed_in(chief).get(reverse("person", args=[mina.pk])).content.decode()
    stranger = signed_in(make_user("eve"))
    assert stranger.post(reverse("token-revoke", args=[row.token_key])).status_code == 404
    assert with_token(text) == 200
    assert client.post(reverse("token-revoke", args=[row.token_key])).status_code == 302
    assert with_token(text) == 401
    second, text = services.make_token(user=mina)
    signed_in(chief).post(reverse("person-token-revoke", args=[mina.pk, second.token_key]))
    assert with_token(text) == 401


def test_a_token_ends_by_itself() -> None:
    _row, text = services.make_token(user=make_user("mina"), days=1)
    Token.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert with_token(text) == 401


@pytest.mark.parametrize("days", [0, -1, 367, 10**9])
def test_a_token_lasts_from_a_day_to_a_year(days: int) -> None:
    with pytest.raises(Refused):
        services.make_token(user=make_user("mina"), days=days)
    sent = {"username": "mina", "password": "mina", "days": days}
    assert Client().post("/api/v1/login", sent, content_type="application/json").status_code == 422


def test_use_is_noted_to_the_minute_and_costs_no_write_a_request(django_assert_num_queries: Any) -> None:
    _row, text = services.make_token(user=make_user("mina"))
    with_token(text)
    first = Token.objects.get().used_at
    with django_assert_num_queries(3):  # the token with its person, roles, projects
        with_token(text)
    Token.objects.update(used_at=timezone.now() - timedelta(minutes=2))
    with_token(text)
    assert Token.objects.get().used_at >= first


def test_the_oldest_token_makes_room() -> None:
    mina = make_user("mina")
    texts = [services.make_token(user=mina)[1] for _ in range(MOST + 1)]
    assert [with_token(text) for text in (texts[0], texts[1], texts[-1])] == [401, 200, 200]


def test_the_api_names_tokens_lists_ones_own_and_revokes_them() -> None:
    make_user("mina")
    sent = {"username": "mina", "password": "mina", "name": "robot", "days": 3}
    answer = Client().post("/api/v1/login", sent, content_type="application/json").json()
    headers = {"Authorization": f"Token {answer['token']}"}
    eve = services.make_token(user=make_user("eve"))[0]
    (listed,) = Client().get("/api/v1/tokens", headers=headers).json()
    assert listed["name"] == "robot" and listed["used_at"] and answer["token"].startswith(listed["begins"])
    assert Client().delete(f"/api/v1/tokens/{eve.token_key}", headers=headers).status_code == 404
    assert Client().delete(f"/api/v1/tokens/{listed['begins']}", headers=headers).status_code == 204
    assert with_token(answer["token"]) == 401


@pytest.fixture
def mails(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    settings.MAIL_IS_SET_UP = True
    monkeypatch.setattr("labeling.people.links.Thread", AtOnce)
    return mail.outbox


class AtOnce:
    """In a thread's place: what it would do is done when it starts."""

    def __init__(self, target: Any, name: str) -> None:
        self.start = target


def forgot(email: str, **where: str) -> int:
    return Client(**where).post(reverse("forgot"), {"email": email}).status_code


def test_a_forgotten_password_is_set_anew_by_mail(mails: list[Any]) -> None:
    mina = make_user("mina", email="mina@example.com")
    make_user("off", email="off@example.com", is_active=False)
    _row, text = services.make_token(user=mina)
    assert "Forgot your password?" in Client().get(reverse("login")).content.decode()
    statuses = [forgot(address) for address in ("MINA@example.com", "off@example.com", "nobody@example.com")]
    assert statuses == [302, 302, 302]  # the same for all
    (letter,) = mails
    assert letter.to == ["mina@example.com"] and "mina" in letter.body
    link = re.search(r"http\S+", letter.body)
    assert link is not None
    assert choose(link[0]).status_code == 302
    assert (can_sign_in("mina", NEW), with_token(text)) == (True, 401)
    assert events(mina) == ["token_made", "link_mailed", "password_set"]


def test_nobodys_mailbox_is_filled(mails: list[Any]) -> None:
    make_user("mina", email="mina@example.com")
    assert [forgot("mina@example.com") for _ in range(ForgotForm.TO_ONE + 2)] == [302] * (
        ForgotForm.TO_ONE + 2
    )
    assert len(mails) == ForgotForm.TO_ONE
    statuses = [forgot(f"a{n}@example.com") for n in range(ForgotForm.FROM_ONE)]
    assert statuses[-1] == 429
    assert forgot("b@example.com", REMOTE_ADDR="192.0.2.9") == 302


def test_without_mail_nobody_is_sent_to_a_page_that_cannot_help() -> None:
    assert Client().get(reverse("forgot")).status_code == 404
    assert reverse("forgot") not in Client().get(reverse("login")).content.decode()


def test_an_invitation_is_mailed_where_asked_for_and_its_failure_said(
    mails: list[Any], chief: User, settings: Any
) -> None:
    invited = {"username": "joon", "email": "joon@example.com", "mail": "on"}
    made = signed_in(chief).post(reverse("person-invite"), invited)
    assert made.context["mailed"] and made.context["link"] in mails[0].body
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    again = signed_in(chief).post(reverse("person-link", args=[made.context["person"].pk]), {"mail": "on"})
    assert again.context["not_mailed"] and "could not be mailed" in again.content.decode()
    assert choose(again.context["link"]).status_code == 302


def test_two_accounts_never_share_an_e_mail_address(chief: User) -> None:
    make_user("mina", email="mina@example.com")
    refused = signed_in(chief).post(
        reverse("person-invite"), {"username": "mina2", "email": "Mina@Example.com"}
    )
    assert refused.status_code == 422 and "Another account" in refused.content.decode()


def test_people_are_found_and_listed_a_page_at_a_time(chief: User) -> None:
    for n in range(60):
        make_user(f"person-{n:02}", first_name=f"Name{n}")
    client = signed_in(chief)
    assert "person-59" in client.get(reverse("people"), {"page": 2}).content.decode()
    found = client.get(reverse("people"), {"q": "name42"}).content.decode()
    assert "person-42" in found and "person-41" not in found
    assert "Nobody is called so" in client.get(reverse("people"), {"q": "\U0001f9ed"}).content.decode()


def test_what_happened_to_an_account_cannot_be_unsaid(chief: User) -> None:
    services.switch_off(person=make_user("mina"), by=chief)
    with pytest.raises(Exception, match="Cannot update or delete"):
        AccountEvent.objects.all().delete()
