"""Single sign-on with a real provider: whom it lets in as whom, with which roles, and whom it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Membership, Role
from labeling.people import services
from labeling.people.models import AccountEvent, User
from tests.factories import make_member, make_project, make_user
from tests.people.provider import provider, sign_on, use

pytestmark = pytest.mark.django_db

MINA = {"email": "mina@example.com", "email_verified": True, "name": "Mina Kim", "preferred_username": "mina"}
IDENTITIES = {
    "mina": MINA,
    "mina as text": MINA | {"email_verified": "true"},
    "unverified": MINA | {"email_verified": False},
    "silent": {"email": "mina@example.com", "name": "Mina Kim"},
    "odd": MINA | {"email_verified": "yes, surely"},
    "namesake": MINA | {"email": "other@example.com"},
    "no mail": {"preferred_username": "mina"},
    "rude": MINA | {"email": "x", "preferred_username": "../ <b>", "name": "n" * 400},
    "no text": MINA | {"name": "\0"},
    "lead": MINA | {"groups": ["lines", "leads", "unknown"]},
    "line": MINA | {"groups": "lines"},
    "it": MINA | {"groups": ["it"]},
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider(IDENTITIES) as issuer:
        yield issuer


@pytest.fixture(autouse=True)
def works(settings: Any, issuer: str) -> None:
    use(settings, issuer)


def who(client: Client) -> str | None:
    answer = client.get("/api/v1/me")
    return answer.json()["username"] if answer.status_code == 200 else None


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.parametrize("subject", ["mina", "mina as text"])
def test_a_verified_address_opens_the_account_that_has_it_and_goes_on_doing_so(subject: str) -> None:
    make_user("kim", email="Mina@Example.com")
    client = Client()
    assert "Sign in with Works" in text(client.get(reverse("login")))
    sign_on(client, subject)
    assert who(client) == "kim"
    User.objects.filter(username="kim").update(
        email="kim@example.com"
    )  # it is the identity that counts from now on
    again = Client()
    sign_on(again, subject)
    assert who(again) == "kim"
    kinds = AccountEvent.objects.filter(person__username="kim").values_list("kind", flat=True)
    assert list(kinds) == ["signed_in", "signed_in", "joined"]


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("subject", ["unverified", "silent", "odd"])
def test_an_address_that_is_not_verified_opens_nobodys_account(
    subject: str, create: bool, settings: Any
) -> None:
    settings.SSO_CREATE = create
    make_user("kim", email="mina@example.com", is_superuser=True)
    client = Client()
    assert "not verified" in text(sign_on(client, subject))
    assert who(client) is None
    assert not SocialAccount.objects.exists() and User.objects.count() == 1


def test_a_name_opens_nobodys_account(settings: Any) -> None:
    make_user("mina", email="mina@example.com")
    client = Client()
    assert "Ask an administrator" in text(sign_on(client, "namesake"))
    settings.SSO_CREATE = True
    for subject, name in (("namesake", "mina-2"), ("no mail", "mina-3")):
        client = Client()
        sign_on(client, subject)
        assert who(client) == name
    made = User.objects.get(username="mina-2")
    assert (made.email, str(made), made.has_usable_password()) == ("other@example.com", "Mina Kim", False)


def test_an_unverified_address_is_not_kept_for_a_new_account(settings: Any) -> None:
    settings.SSO_CREATE = True
    client = Client()
    sign_on(client, "unverified")
    assert who(client) == "mina"
    assert User.objects.get().email == ""
    rightful = Client()
    sign_on(rightful, "mina")
    assert who(rightful) == "mina-2"


def test_unknown_people_stay_outside_unless_they_are_let_in() -> None:
    client = Client()
    assert "Ask an administrator" in text(sign_on(client, "mina"))
    assert (who(client), User.objects.count()) == (None, 0)


def test_whatever_the_provider_calls_people_becomes_a_name_that_works(settings: Any) -> None:
    settings.SSO_CREATE = True
    client = Client()
    sign_on(client, "rude")
    name = who(client)
    assert name == "b"
    assert client.get(reverse("account")).status_code == 200


def test_what_is_no_text_lets_nobody_in_and_breaks_nothing(settings: Any) -> None:
    settings.SSO_CREATE = True
    client = Client()
    assert "did not answer as it should" in text(sign_on(client, "no text"))
    assert (who(client), User.objects.count()) == (None, 0)


def test_two_accounts_with_one_address_are_told_apart_by_nobody() -> None:
    for name in ("kim", "kim2"):
        make_user(name, email="mina@example.com")
    client = Client()
    sign_on(client, "mina")
    assert who(client) is None


@pytest.mark.parametrize("known", [False, True])
def test_a_switched_off_account_stays_shut(known: bool) -> None:
    kim, chief = make_user("kim", email="mina@example.com"), make_user(is_superuser=True)
    if known:
        sign_on(Client(), "mina")
    services.switch_off(person=kim, by=chief)
    client = Client()
    assert "switched off" in text(sign_on(client, "mina"))
    assert who(client) is None


def test_who_declines_at_the_provider_is_back_at_the_sign_in_page() -> None:
    client = Client()
    answer = sign_on(client, "mina", deny=True)
    assert answer.request["PATH_INFO"] == reverse("login") and "did not succeed" in text(answer)


def test_an_answer_that_nobody_asked_for_lets_nobody_in() -> None:
    make_user("kim", email="mina@example.com")
    asked, other = Client(), Client()
    asked.get("/sso")
    for address in ("/sso/callback", "/sso/callback?code=x&state=y", "/sso/callback?state="):
        assert "did not succeed" in text(other.get(address, follow=True))
    assert who(other) is None


def test_a_provider_that_is_away_is_said_and_the_password_still_works(settings: Any) -> None:
    use(settings, "http://127.0.0.1:9")
    make_user("kim")
    client = Client()
    assert "did not answer as it should" in text(client.get("/sso", follow=True))
    client.post(reverse("login"), {"username": "kim", "password": "kim"})
    assert who(client) == "kim"


def test_without_a_provider_there_is_no_door(settings: Any) -> None:
    settings.SSO_ISSUER = ""
    assert Client().get("/sso").status_code == Client().get("/sso/callback").status_code == 404
    assert "/sso" not in text(Client().get(reverse("login")))


def test_next_is_followed_here_and_nowhere_else() -> None:
    make_user("kim", email="mina@example.com")
    for wished, to in (("/account", "/account"), ("https://elsewhere.example/", reverse("home"))):
        answer = sign_on(Client(), "mina", next=wished)
        assert answer.request["PATH_INFO"] == to


@pytest.fixture
def rules(settings: Any) -> dict[str, Any]:
    settings.SSO_ROLES = {
        "lines": {"cells": "labeler", "wafers": "viewer"},
        "leads": {"cells": "reviewer"},
        "it": "superuser",
        "elsewhere": {"no-such-project": "admin"},
    }
    return settings.SSO_ROLES  # type: ignore[no-any-return]


def roles(user: User) -> dict[str, str]:
    return dict(Membership.objects.filter(user=user).values_list("project__slug", "role"))


def test_groups_give_roles_and_take_them_back(rules: dict[str, Any], settings: Any) -> None:
    cells, _wafers, own = (make_project(slug=slug) for slug in ("cells", "wafers", "own"))
    make_user("root", is_superuser=True)
    kim = make_user("kim", email="mina@example.com")
    Membership.objects.create(project=own, user=kim, role=Role.ADMIN)
    sign_on(Client(), "lead")
    assert roles(kim) == {"cells": "reviewer", "wafers": "viewer", "own": "admin"}
    SocialAccount.objects.update(uid="line")  # the same person, with fewer groups
    sign_on(Client(), "line")
    assert roles(kim) == {"cells": "labeler", "wafers": "viewer", "own": "admin"}
    SocialAccount.objects.update(uid="it")
    sign_on(Client(), "it")
    kim.refresh_from_db()
    assert roles(kim) == {"own": "admin"} and kim.is_superuser
    SocialAccount.objects.update(uid="mina")
    sign_on(Client(), "mina")
    kim.refresh_from_db()
    assert not kim.is_superuser
    told = [(each.kind, each.data.get("role")) for each in cells.activities.order_by("pk")]
    assert told == [("role_set", "reviewer"), ("role_set", "labeler"), ("member_removed", None)]


def test_the_last_who_can_manage_stays(rules: dict[str, Any]) -> None:
    kim = make_user("kim", email="mina@example.com", is_superuser=True)
    project = make_project(slug="cells", admin=kim)
    make_member(project)
    sign_on(Client(), "line")
    kim.refresh_from_db()
    assert kim.is_superuser and roles(kim)["cells"] == "admin"


@pytest.mark.parametrize(
    "rules", [[], {"a": "king"}, {"a": {"cells": "king"}}, {"a": ["admin"]}, {"a": None}]
)
def test_rules_that_cannot_be_followed_are_said_before_anybody_signs_on(rules: Any, settings: Any) -> None:
    settings.SSO_ROLES = rules
    assert "catalog.E001" in [each.id for each in run_checks()]


def test_without_rules_groups_change_nothing() -> None:
    kim = make_user("kim", email="mina@example.com", is_superuser=True)
    sign_on(Client(), "line")
    kim.refresh_from_db()
    assert kim.is_superuser and roles(kim) == {}
