"""A person's identity is hidden at once, comes back, or is nowhere; their answers stay."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from labeling.catalog.models import Activity, Membership
from labeling.catalog.services import log_activity
from labeling.erasure.models import ErasedPerson
from labeling.erasure.people import erase_people_due
from labeling.erasure.services import ask_for_person, undo_person
from labeling.jobs.models import Job
from labeling.people import forgetting
from labeling.people.history import remember
from labeling.people.models import AccountEvent, Token, User
from labeling.people.services import make_token
from labeling.refusals import Refused
from labeling.truth.models import Annotation
from tests.erasure.conftest import answer
from tests.erasure.looking import in_tables
from tests.factories import join, make_items, make_project, make_user

pytestmark = pytest.mark.django_db
WORDS = ["minsu1987", "김민수", "minsu@example.com", "203.0.113.77"]


@pytest.fixture
def person() -> User:
    project = make_project()
    user = make_user("minsu1987", first_name="김민수", email="minsu@example.com")
    join(project, user)
    (item,) = make_items(project, 1)
    answer(project, user, item)
    make_token(user=user, name="laptop", days=3)
    EmailAddress.objects.create(user=user, email=user.email)
    Client().force_login(user)
    remember(user, AccountEvent.Kind.SIGNED_IN, by=user, what="203.0.113.77")
    log_activity(
        project=project, kind="role_set", actor=project.created_by, username=user.username, role="labeler"
    )
    Job.objects.create(kind="embed", project_id=project.pk, state="failed", error="asked for by minsu1987.")
    return user


@pytest.fixture
def root() -> User:
    return make_user("root", is_superuser=True)


def test_an_identity_is_in_no_table_and_answers_stay(person: User, root: User) -> None:
    assert len(in_tables(WORDS)) >= 7
    ask_for_person(person=person, by=root, reason="A wish", days=0)
    assert erase_people_due() == 1 and erase_people_due() == 0
    assert in_tables(WORDS) == []
    person.refresh_from_db()
    assert (
        not person.is_active and not person.has_usable_password() and person.username == f"erased-{person.pk}"
    )
    assert (
        not Membership.objects.filter(user=person).exists() and not Token.objects.filter(user=person).exists()
    )
    assert Annotation.objects.get().labeler == person
    assert Activity.objects.filter(kind="role_set", data={"role": "labeler"}).exists()


def test_one_that_cannot_be_erased_stops_no_other(
    person: User, root: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = make_user("jiwoo")
    for each in (person, other):
        ask_for_person(person=each, by=root, reason="A wish", days=0)
    really = forgetting.forget

    def broken(account: User) -> None:
        if account == person:
            raise ValueError("a bug")
        really(account)

    monkeypatch.setattr(forgetting, "forget", broken)
    assert erase_people_due() == 1
    assert "could not be erased" in caplog.text
    assert (
        ErasedPerson.objects.get(person=other).gone_at and not ErasedPerson.objects.get(person=person).gone_at
    )
    monkeypatch.undo()
    assert erase_people_due() == 1


def test_it_is_hidden_at_once_and_comes_back(person: User, root: User, client: Client) -> None:
    def state() -> Any:
        return User.objects.values("username", "first_name", "email", "is_active", "password").get(
            pk=person.pk
        ), list(Membership.objects.filter(user=person).values_list("role", flat=True))

    before = state()
    erased = ask_for_person(person=person, by=root, reason="A wish", days=3)
    assert erase_people_due() == 0
    assert str(User.objects.get(pk=person.pk)) == f"erased-{person.pk}"
    assert not client.login(username="minsu1987", password="minsu1987")
    with pytest.raises(Refused, match="already"):
        ask_for_person(person=person, by=root, reason="A wish")
    undo_person(erased=erased, by=root)
    undo_person(erased=ErasedPerson.objects.get(), by=root)
    assert state() == before and ErasedPerson.objects.get().kept == {}


def test_nobody_erases_themselves_and_only_administrators_others(
    person: User, root: User, client: Client
) -> None:
    with pytest.raises(Refused, match="own account"):
        ask_for_person(person=root, by=root, reason="A wish")
    client.force_login(root)
    address = f"/people/{person.pk}/erase"
    assert "Stays: what they answered" in client.get(address).content.decode()
    assert client.post(address, {"reason": "", "days": "3"}).status_code == 422
    assert client.post(address, {"reason": "A wish", "days": "3"}).status_code == 302
    assert "is hidden" in client.get(address).content.decode()
    assert client.post(f"{address}/undo").status_code == 302
    person.refresh_from_db()
    assert person.username == "minsu1987"
