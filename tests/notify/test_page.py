"""The page of webhooks, and the API: made once with its secret, changed, switched, tried, sent again, removed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Project
from labeling.notify.models import Delivery, Endpoint
from labeling.notify.secrets import secrets_of
from labeling.people.models import User
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db
HOOK = {"url": "https://hooks.example/a", "name": "Line 2", "events": ["photo.decided", "erasure.finished"]}


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def project() -> Project:
    return make_project()


def test_the_secret_is_shown_once_and_each_button_does_what_it_says(project: Project) -> None:
    client, address = signed_in(project.created_by), reverse("webhooks", args=[project.slug])
    made = client.post(address, HOOK)
    endpoint = Endpoint.objects.get()
    [secret] = secrets_of(endpoint)
    assert made.status_code == 201 and secret in made.content.decode()
    assert secret not in endpoint.secret
    page = reverse("webhook", args=[project.slug, endpoint.pk])
    for looked in (address, page):
        text = client.get(looked).content.decode()
        assert "Line 2" in text and secret not in text

    def press(action: str, **more: Any) -> str:
        answer = client.post(page, {"action": action, **more}, follow=True)
        endpoint.refresh_from_db()
        return answer.content.decode()

    assert "Send a test" in press("test") and Delivery.objects.get().event.kind == "endpoint.test"
    assert "Switch on" in press("off") and not endpoint.is_on
    assert "Switch off" in press("on") and endpoint.is_on
    new = re.search(r"whsec_[\w+/=]+", press("secret"))
    assert new is not None and new[0] != secret and secrets_of(endpoint) == [new[0], secret]
    press("replay", delivery=str(Delivery.objects.get().pk))
    press("save", **{**HOOK, "name": "Line 3", "events": ["photo.decided"]})
    assert (endpoint.name, endpoint.events) == ("Line 3", ["photo.decided"])
    client.post(page, {"action": "remove"})
    assert not Endpoint.objects.exists() and client.get(page).status_code == 404
    said = set(project.activities.values_list("kind", flat=True))
    assert {f"endpoint_{what}" for what in ("made", "changed", "removed", "on", "off", "secret")} <= said


@pytest.mark.parametrize(
    "url", ["", "hooks.example", "ftp://hooks.example/", "https://me:it@a.example/", "http://[::1/"]
)
def test_what_is_no_address_is_said_beside_it(project: Project, url: str) -> None:
    client = signed_in(project.created_by)
    answer = client.post(reverse("webhooks", args=[project.slug]), {**HOOK, "url": url})
    assert answer.status_code == 422 and answer.context["form"].errors["url"]
    sent = client.post(
        reverse("api-endpoints", args=[project.slug]), {**HOOK, "url": url}, content_type="application/json"
    )
    assert sent.status_code == 422 and "url" in sent.json()["error"]["fields"]
    assert not Endpoint.objects.exists()


def test_other_projects_webhooks_are_nobodys_here(project: Project) -> None:
    other = make_project()
    root = signed_in(make_user(is_superuser=True))
    root.post(reverse("webhooks", args=[other.slug]), HOOK)
    site = root.post(reverse("api-site-endpoints"), HOOK, content_type="application/json").json()
    assert site["project"] is None and site["secret"].startswith("whsec_")
    mine = signed_in(project.created_by)
    for each in Endpoint.objects.all():
        assert mine.get(reverse("webhook", args=[project.slug, each.pk])).status_code == 404
        assert mine.get(reverse("api-endpoint", args=[each.pk])).status_code == 404
    assert mine.get(reverse("webhook", args=[other.slug, Endpoint.objects.first().pk])).status_code == 404  # type: ignore[union-attr]
    assert "secret" not in root.get(reverse("api-endpoint", args=[site["id"]])).json()
