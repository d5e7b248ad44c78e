"""Secrets are changed while people work: nobody is signed out, no link and no second step dies, no scrape is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse

from config.database import ROOT
from labeling.people.links import link_for
from labeling.people.second_step import _keys
from tests.factories import make_user
from tests.people.test_second_step import api, code_of, switch_on

pytestmark = pytest.mark.django_db


def test_another_secret_key_signs_nobody_out_and_ends_no_link_while_the_old_one_is_believed(
    settings: Any,
) -> None:
    mina, new = make_user("mina"), make_user("new")
    client = Client()
    client.force_login(mina)
    link = link_for(new, RequestFactory().get("/"))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another one"
    assert client.get(reverse("account")).status_code == 200
    assert Client().get(link, follow=True).context["validlink"]
    settings.SECRET_KEY_FALLBACKS = []
    # The session was signed anew when it was seen under the old key.
    assert client.get(reverse("account")).status_code == 200
    assert not Client().get(link, follow=True).context["validlink"]


def test_second_steps_outlast_the_old_key_once_they_are_encrypted_anew(settings: Any, capsys: Any) -> None:
    secret = switch_on(make_user("mina"))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another one"
    call_command("renew_secrets")
    assert capsys.readouterr().out == f"encrypted anew: {Authenticator.objects.count()}\n"
    settings.SECRET_KEY_FALLBACKS = []
    for found in Authenticator.objects.all():
        assert any(_keys().decrypt(value) for value in found.data.values() if isinstance(value, str))
    assert api(code_of(secret)).status_code == 200


@pytest.mark.parametrize("kept", ["environment", "file"])
def test_keys_come_from_the_environment_or_a_line_each_from_the_file(kept: str, tmp_path: Path) -> None:
    named = {"HILLTOP_VAR": str(tmp_path), "PATH": os.environ["PATH"]}
    if kept == "environment":
        named |= {"HILLTOP_SECRET_KEY": "newest", "HILLTOP_SECRET_KEY_FALLBACKS": "older, oldest"}
    else:
        (tmp_path / "secret-key").write_text("newest\nolder\noldest\n")
    says = "from config import settings as s; print(s.SECRET_KEY, *s.SECRET_KEY_FALLBACKS)"
    done = subprocess.run(
        [sys.executable, "-c", says], cwd=ROOT, env=named, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["newest", "older", "oldest"]


def test_two_metrics_tokens_open_at_once_and_no_other(settings: Any) -> None:
    settings.METRICS_TOKENS = ["old", "new"]
    statuses = [
        Client().get(reverse("metrics"), headers={"Authorization": f"Bearer {token}"}).status_code
        for token in ("old", "new", "oldnew", "")
    ]
    assert statuses == [200, 200, 401, 401]


def test_a_second_login_of_the_databases_owner_can_do_all_that_the_first_can() -> None:
    """As docs/operating.md says that a database password is changed."""
    owner = connection.settings_dict["USER"] or "postgres"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE ROLE second_login LOGIN IN ROLE "{owner}"')
        cursor.execute(f'ALTER ROLE second_login SET role TO "{owner}"')
        # What its sessions begin with; the role itself is gone with this test's transaction.
        cursor.execute("SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'second_login'::regrole")
        assert cursor.fetchone() == ([f"role={owner}"],)
        cursor.execute("SET SESSION AUTHORIZATION second_login")
        cursor.execute(f'SET ROLE "{owner}"')
        cursor.execute("ALTER TABLE people_user ADD COLUMN of_a_migration integer")
        cursor.execute("RESET SESSION AUTHORIZATION")


def test_cookies_are_bound_to_the_host_over_https_and_subdomains_too_ask_for_https(tmp_path: Path) -> None:
    says = (
        "from config import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_PATH, s.SECURE_HSTS_INCLUDE_SUBDOMAINS)"
    )
    found = []
    for prefix in ("", "/hilltop"):
        named = {
            "HILLTOP_VAR": str(tmp_path),
            "HILLTOP_HTTPS": "1",
            "HILLTOP_PREFIX": prefix,
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(
            [sys.executable, "-c", says], cwd=ROOT, env=named, capture_output=True, text=True, check=True
        )
        found.append(done.stdout.split())
    assert found == [
        ["__Host-sessionid", "__Host-csrftoken", "/", "True"],
        ["__Secure-sessionid", "__Secure-csrftoken", "/hilltop/", "True"],
    ]
