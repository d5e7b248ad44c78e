"""A protocol that is put away takes nothing new, loses nothing, and goes on when it is brought back."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from labeling.catalog.models import Activity
from labeling.inspections.models import Inspection, InspectionPhoto
from labeling.inspections.permissions import protocols_of
from labeling.inspections.services import archive_protocol
from labeling.refusals import Refused
from tests.inspections.capturing import make
from tests.inspections.capturing import send as send_by_link
from tests.inspections.conftest import Yard, picture
from tests.inspections.test_api import SAID, send


@pytest.fixture
def client(yard: Yard) -> Client:
    client = Client()
    client.force_login(yard.root)
    return client


def put(client: Client, **said: object) -> tuple[int, dict[str, object]]:
    answer = client.patch("/api/v1/protocols/walk-round", json.dumps(said), content_type="application/json")
    return answer.status_code, answer.json()


def test_an_archived_protocol_takes_nothing_new_and_what_is_there_stays(yard: Yard, client: Client) -> None:
    made = send(client, front=picture(1)).json()
    link = make(yard.protocol)
    status, told = put(client, archived=True)
    assert status == 200 and told["archived_at"]
    assert put(client, archived=True)[1]["archived_at"] == told["archived_at"]
    assert protocols_of(yard.root) == [] and protocols_of(yard.root, archived_too=True) == [yard.protocol]

    for answer in (
        send(client, SAID | {"external_id": "W-2"}, front=picture(2)),
        client.post(f"/api/v1/inspections/{made['id']}/photos", {"shot": "rear", "photo": _file()}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "archived")
    assert send(client, front=picture(1)).status_code == 200, "what was sent before is told as it is"
    yard.protocol.refresh_from_db()
    with pytest.raises(Refused, match="takes nothing new"):
        make(yard.protocol)
    assert send_by_link(link, "front", picture(3)).json()["error"]["code"] == "link_expired"
    for address in ("/protocols/walk-round/", f"/protocols/walk-round/inspections/{made['id']}/"):
        page = client.get(address)
        assert page.status_code == 200 and "This protocol is archived" in page.content.decode()
    assert "walk-round" in client.get("/protocols/").content.decode()
    assert (Inspection.objects.count(), InspectionPhoto.objects.count()) == (1, 1)

    assert client.post("/protocols/walk-round/archive").status_code == 302
    assert send_by_link(link, "front", picture(3)).status_code == 200
    assert send(client, SAID | {"external_id": "W-2"}, front=picture(2)).status_code == 201
    kinds = Activity.objects.filter(project=yard.wash, kind__startswith="protocol_").order_by("id")
    assert list(kinds.values_list("kind", flat=True)) == [
        "protocol_published",
        "protocol_archived",
        "protocol_restored",
    ]


def _file() -> SimpleUploadedFile:
    return SimpleUploadedFile("r.jpg", picture(4))


def test_archiving_is_sent_alone_and_all_else_with_a_note(yard: Yard, client: Client) -> None:
    assert put(client, archived=True, note="And a version")[0] == 422
    assert put(client, otherwise="failed")[0] == 422
    archive_protocol(protocol=yard.protocol, by=yard.root)
    assert client.get("/api/v1/protocols").json() == {"results": []}
    assert [each["slug"] for each in client.get("/api/v1/protocols?archived=yes").json()["results"]] == [
        "walk-round"
    ]
    assert put(client, archived=False)[1]["archived_at"] is None
