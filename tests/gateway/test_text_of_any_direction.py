"""Names and comments may be in any script; characters that turn the direction of our own text do not come in."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from labeling.catalog.models import IntakeFile, Project
from labeling.catalog.services import log_activity, start_intake
from labeling.overview.diary import sentence
from labeling.people.models import User
from labeling.text.plain import is_plain, isolated, plain
from labeling.truth.models import Annotation
from tests.factories import photo_bytes
from tests.gateway.conftest import World

#: Right-to-left override, pop, isolates, a bell and a C1 control: none of them can be seen, all of them can lie.
TURNING = "\u202egnp.exe\u202c\u2066x\u2069\x07\x85"
PLAIN = "gnp.exex"
ARABIC = "\u0639\u0644\u064a"


def test_only_controls_go_and_every_script_stays() -> None:
    assert plain(TURNING) == PLAIN
    for kept in (
        "\ud0dc\uc591\uc804\uc9c0",
        ARABIC,
        "caf\u00e9",
        "two\nlines\tand a tab",
        "\U0001f642",
        "e\u0301",
    ):
        assert plain(kept) == kept
        assert is_plain(kept)
    assert isolated("Lina") == "Lina"
    assert isolated(ARABIC) == f"\u2068{ARABIC}\u2069"


@pytest.mark.parametrize("escaped", [True, False])
def test_the_api_takes_texts_without_turning_characters(world: World, escaped: bool) -> None:
    key = str(uuid4())
    body = {
        "key": key, "lease": str(world.lease), "kind": "hold", "reason": "other", "view_ms": 700,
        "comment": f"{TURNING} {ARABIC}",
    }  # fmt: skip
    response = world.client("labeler").post(
        world.api("/annotations"), json.dumps(body, ensure_ascii=escaped), content_type="application/json"
    )
    assert response.status_code == 201, response.content
    assert Annotation.objects.get(key=key).comment == f"{PLAIN} {ARABIC}"


def test_forms_of_pages_take_texts_without_turning_characters(world: World) -> None:
    page = world.client("admin").get("/p/cells/settings")
    sent = {
        name: value
        for name, value in ((each.name, each.value()) for each in page.context["form"])
        if value is not None and value is not False
    }
    response = world.client("admin").post("/p/cells/settings", sent | {"name": f"Cells {TURNING}"})
    assert response.status_code == 302, response.content.decode()
    assert Project.objects.get(pk=world.project.pk).name == f"Cells {PLAIN}"


def test_a_password_stays_as_it_was_typed(world: World) -> None:
    password = "long enough \u202e\u00a0secret"
    made = world.client("superuser").post(
        "/p/cells/members",
        {
            "action": "create", "account-username": "nora", "account-role": "labeler",
            "account-full_name": f"Nora {TURNING}",
        },
    )  # fmt: skip
    assert made.status_code == 201, made.content.decode()
    invited = Client()
    page = invited.get(made.context["link"], follow=True)
    sent = {"new_password1": password, "new_password2": password}
    assert invited.post(page.request["PATH_INFO"], sent).status_code == 302
    nora = User.objects.get(username="nora")
    assert nora.check_password(password)
    assert nora.get_full_name() == f"Nora {PLAIN}"
    sent = {"username": "nora", "password": password}
    token = world.client("anonymous").post("/api/v1/login", sent, content_type="application/json")
    assert token.status_code == 200


def test_names_of_photos_come_in_without_turning_characters(
    world: World, settings: Any, tmp_path: Any
) -> None:
    from labeling.catalog.intake.listing import list_once
    from labeling.catalog.sources.source import Archive

    settings.STAGING_DIR = tmp_path
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"a{TURNING}.png", photo_bytes(1))
    batch, _job = start_intake(
        project=world.project,
        by=world.admin,
        kind="zip",
        zip=SimpleUploadedFile("photos.zip", packed.getvalue()),
    )
    source = Archive(tmp_path / str(batch.pk))
    list_once(batch, source)
    source.close()
    assert IntakeFile.objects.get(batch=batch).name == f"a{PLAIN}.png"


def test_right_to_left_names_stand_apart_from_our_words(world: World) -> None:
    world.labeler.first_name = ARABIC
    world.labeler.save()
    Project.objects.filter(pk=world.project.pk).update(name=ARABIC)
    members = world.client("admin").get("/p/cells/members").content.decode()
    assert f"<bdi>{ARABIC}</bdi>" in members
    assert f"Role of <bdi>{ARABIC}</bdi>" in members
    assert f'aria-label="Remove \u2068{ARABIC}\u2069"' in members
    assert f'dir="auto">{ARABIC}</a>' in members
    assert f'<bdi class="muted">{ARABIC}</bdi>' in world.client("labeler").get("/").content.decode()
    entry = log_activity(project=world.project, kind="member_removed", actor=world.admin, username=ARABIC)
    assert f"\u2068{ARABIC}\u2069" in sentence(entry)


def test_markup_in_a_name_is_still_text(world: World) -> None:
    world.labeler.first_name = "<b>Lina</b>"
    world.labeler.save()
    members = world.client("admin").get("/p/cells/members").content.decode()
    assert "<b>Lina" not in members
    assert "<bdi>&lt;b&gt;Lina&lt;/b&gt;</bdi>" in members
