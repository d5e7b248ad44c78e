"""An import on its page, and by the API: sent, mapped, tried, brought in, taken back."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Project
from labeling.exchange.imports.services import latest_job
from labeling.exchange.models import Import
from labeling.truth.models import Origin
from tests.exchange.bringing import run, table, truths, unlabeled

pytestmark = pytest.mark.django_db
FILE = table([("side.png", "good", "anna"), ("gone.png", "good", "anna"), ("a b.png", "<b>bad</b>", "anna")])


def admin_of(project: Project) -> Client:
    client = Client()
    client.force_login(project.created_by)
    return client


def work(of: Import) -> Import:
    job = latest_job(of)
    assert job is not None and run(job).state == "succeeded"
    of.refresh_from_db()
    return of


def test_on_its_page() -> None:
    project, _photos = unlabeled()
    client = admin_of(project)
    sent = client.post(
        reverse("imports", args=[project.slug]), {"file": SimpleUploadedFile("cvat.csv", FILE)}
    )
    of = Import.objects.get()
    page = reverse("import", args=[project.slug, of.pk])
    assert (sent.status_code, sent["Location"]) == (302, page)
    assert "data-live" in client.get(page).content.decode()  # a worker is to read it
    assert 'name="action" value="stop"' in client.get(f"{page}?part=progress").content.decode()
    work(of)
    shown = client.get(page).content.decode()
    assert "Of 2 labels nobody has said what they mean here" in shown and "<b>bad</b>" not in shown
    asked = {
        "action": "map", "use": "train", "source": "cvat", "format": "csv",
        "column-photo": "name", "column-label": "class", "column-annotator": "",
        "class-0": "functional", "class-1": "defective",
    }  # fmt: skip
    assert client.post(page, asked | {"use": "truth"}).status_code == 422
    assert client.post(page, asked).status_code == 302
    work(of)
    shown = client.get(page).content.decode()
    assert "Bring in 2 labels" in shown and "No photo of this project is called so" in shown
    assert "side.png" in client.get(f"{page}?outcome=ready").content.decode()
    client.post(page, {"action": "apply"})
    work(of)
    assert truths(project) == {
        "side.png": ("functional", Origin.IMPORTED), "a b.png": ("defective", Origin.IMPORTED),
    }  # fmt: skip
    assert "Take the import back" in client.get(page).content.decode()
    client.post(page, {"action": "undo"})
    work(of)
    assert truths(project) == {}
    assert "cvat.csv" in client.get(reverse("imports", args=[project.slug])).content.decode()


def test_a_file_that_is_none_says_why_and_may_be_read_as_another_format() -> None:
    project, _photos = unlabeled()
    client = admin_of(project)
    assert client.post(reverse("imports", args=[project.slug]), {}).status_code == 422
    client.post(reverse("imports", args=[project.slug]), {"file": SimpleUploadedFile("x.csv", b"a,b\n")})
    of = Import.objects.get()
    job = latest_job(of)
    assert job is not None and run(job).state == "failed"
    page = client.get(reverse("import", args=[project.slug, of.pk])).content.decode()
    assert "There are no rows in it" in page


def test_by_the_api() -> None:
    project, _photos = unlabeled()
    client = admin_of(project)
    base = f"/api/v1/projects/{project.slug}/imports"
    sent = client.post(base, {"file": SimpleUploadedFile("cvat.csv", FILE), "use": "hint", "source": "CVAT"})
    assert (sent.status_code, sent.json()["state"], sent.json()["source"]) == (202, "reading", "CVAT")
    of = work(Import.objects.get())
    one = f"{base}/{of.pk}"
    busy = {"classes": {"good": "functional"}, "use": "train"}
    assert client.patch(one, busy, content_type="application/json").status_code == 202
    refused = client.patch(one, busy, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "busy")
    work(of)
    assert client.get(one).json()["counts"]["ready"] == 1
    rows = client.get(f"{one}/rows?outcome=refused").json()["results"]
    assert [(row["place"], row["reason"]) for row in rows] == [("line 3", "no_photo"), ("line 4", "unmapped")]
    assert rows[1]["detail"] == "Say what “<b>bad</b>” is here."
    early = client.post(f"{one}/step", {"step": "undo"}, content_type="application/json")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "too_late")
    assert client.post(f"{one}/step", {"step": "apply"}, content_type="application/json").status_code == 202
    work(of)
    assert truths(project) == {"side.png": ("functional", Origin.IMPORTED)}
    assert [each["id"] for each in client.get(base).json()["results"]] == [str(of.pk)]
