"""A link lets whoever has it photograph one asset until it ends, and nothing else."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from labeling.catalog import storage
from labeling.catalog.models import Activity, Image
from labeling.inspections.capture import links
from labeling.inspections.models import CaptureLink, InspectionPhoto, Protocol
from labeling.refusals import Refused
from tests.factories import join, make_member, make_project, make_user, photo_bytes
from tests.inspections.capturing import KEY, SHOTS, address, blurred, make, make_protocol, saved_anew, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def protocol() -> Protocol:
    return make_protocol()


@pytest.fixture
def link(protocol: Protocol) -> CaptureLink:
    return make(protocol)


def ended(link: CaptureLink, how: str) -> None:
    CaptureLink.objects.filter(pk=link.pk).update(**{how: timezone.now() - timedelta(seconds=1)})


def test_a_photo_is_judged_again_and_advice_comes_back(link: CaptureLink) -> None:
    answer = send(link, "front", blurred())
    assert answer.status_code == 200 and answer.json()["photo"]["faults"] == ["blurred"]
    assert SHOTS[0]["advice"] in answer.json()["photo"]["advice"][0]
    assert [each["accepted"] for each in answer.json()["state"]["shots"]] == [False, False]
    answer = send(link, "front", photo_bytes(1))
    assert answer.json()["photo"] == {"faults": [], "advice": []} and answer.json()["key"] == KEY
    told = Client().get(address(link)).json()
    assert [(each["key"], each["accepted"]) for each in told["shots"]] == [("front", True), ("rear", False)]
    link.refresh_from_db()
    assert link.inspection and link.inspection.submitted_at is None and link.inspection.asset == link.asset
    done = Client().post(address(link, "api-capture-submit"), {"key": KEY})
    assert done.status_code == 200 and done.json()["state"]["submitted_at"]


def test_what_is_sent_twice_is_there_once(link: CaptureLink) -> None:
    first, again = (send(link, "front", photo_bytes(1)).json() for _ in range(2))
    assert first == again and InspectionPhoto.objects.count() == 1
    submits = [Client().post(address(link, "api-capture-submit"), {"key": KEY}).json() for _ in range(2)]
    assert submits[0] == submits[1]


@pytest.mark.parametrize("anew", [False, True], ids=["the same file", "saved anew"])
def test_one_photo_is_not_taken_for_two_shots(link: CaptureLink, anew: bool) -> None:
    photo = photo_bytes(1, size=(320, 240))
    send(link, "front", photo)
    second = saved_anew(photo) if anew else photo
    answer = send(link, "rear", second).json()
    assert answer["photo"]["faults"] == ["repeated"] and "Rear" in answer["photo"]["advice"][0]
    kept = storage.is_whole(hashlib.sha256(second).hexdigest())
    assert Image.objects.count() == 1 and kept == (not anew), "what is refused at once is not kept"
    # Taken again of its own shot it may look the same.
    assert send(link, "front", saved_anew(photo)).json()["photo"]["faults"] == []


def test_the_camera_must_be_level_where_the_protocol_says_so() -> None:
    link = make(make_protocol(max_tilt=5.0))
    assert send(link, "front", photo_bytes(1), fields={"tilt": "-7.5"}).json()["photo"]["faults"] == [
        "tilted"
    ]
    assert send(link, "front", photo_bytes(2), fields={"tilt": "4"}).json()["photo"]["faults"] == []
    assert send(link, "rear", photo_bytes(3)).json()["photo"]["faults"] == []  # some phones do not say


@pytest.mark.parametrize("how", ["expires_at", "revoked_at"])
def test_a_link_that_ended_tells_nothing_and_takes_nothing(link: CaptureLink, how: str) -> None:
    send(link, "front", photo_bytes(1))
    ended(link, how)
    code = {"expires_at": "link_expired", "revoked_at": "link_revoked"}[how]
    answers = [
        Client().get(address(link)),
        send(link, "rear", photo_bytes(2)),
        Client().post(address(link, "api-capture-submit"), {"key": KEY}),
    ]
    assert {each.status_code for each in answers} == {410}
    assert {json.dumps(each.json()) for each in answers} == {json.dumps(answers[0].json())}
    assert answers[0].json()["error"]["code"] == code and InspectionPhoto.objects.count() == 1
    page = Client().get(address(link, "capture"))
    assert page.status_code == 410
    assert not any(word in page.content.decode() for word in ("12가 3456", "Front", "Car wash"))


def test_a_link_goes_on_where_it_expired_and_not_where_it_was_revoked(link: CaptureLink) -> None:
    ended(link, "expires_at")
    links.prolong_link(link=link, by=link.created_by, expires_at=timezone.now() + timedelta(hours=1))
    assert Client().get(address(link)).status_code == 200
    links.revoke_link(link=link, by=link.created_by)
    with pytest.raises(Refused, match="final"):
        links.prolong_link(link=link, by=link.created_by, expires_at=timezone.now() + timedelta(hours=1))
    with pytest.raises(Refused):
        make(link.protocol, expires_at=timezone.now() + timedelta(days=31))


def test_nobody_makes_up_a_link(link: CaptureLink) -> None:
    token = links.token_of(link)
    other = links.token_of(CaptureLink())
    wrong = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.partition(".")[0],
        str(link.pk),
        "x",
        other,
    ]
    told = {Client().get(reverse("api-capture", args=[each])).content for each in wrong}
    assert len(told) == 1 and b"no_link" in told.pop()
    assert {Client().get(reverse("capture", args=[each])).status_code for each in wrong} == {404}
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert links.id_of(token) == link.pk and links.token_of(link) != token
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
        assert links.id_of(token) is None


def test_a_link_opens_nothing_else(link: CaptureLink) -> None:
    send(link, "front", photo_bytes(1))
    link.refresh_from_db()
    token = links.token_of(link)
    assert link.inspection
    image = link.inspection.photos.get().image
    assert image
    for name, args in [
        ("api-me", []),
        ("api-project", [link.protocol.current.shots.get(key="front").checks.get().project.slug]),
        ("api-capture-links", [link.protocol.slug]),
        ("photo", [image.sha256, image.rendered, "thumb"]),
    ]:
        client = Client(headers={"Authorization": f"Token {token}"})
        client.get(address(link, "capture"))
        assert client.get(reverse(name, args=args)).status_code in {401, 404}, name


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"shot": "roof"}, 422), ({"tilt": "nan"}, 422), ({"key": "1"}, 422), ({"more": "1"}, 422)],
)
def test_what_cannot_be_read_is_told(link: CaptureLink, fields: dict[str, str], status: int) -> None:
    assert send(link, "front", photo_bytes(1), fields=fields).status_code == status
    assert InspectionPhoto.objects.count() == 0


def test_a_file_that_is_no_photo_is_told_and_nothing_is_handed_in_without_any(link: CaptureLink) -> None:
    assert Client().post(address(link, "api-capture-submit"), {"key": KEY}).status_code == 409
    answer = send(link, "front", b"Not a photo at all.").json()
    assert answer["photo"]["faults"] == ["not_an_image"] and answer["photo"]["advice"]


def test_who_has_a_link_sends_at_a_persons_pace(link: CaptureLink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeling.gateway.api.by_address.ThrottleByAddress.get_rate", lambda _self: "2/min")
    other = make(link.protocol)
    statuses = [
        Client().post(address(link, "api-capture-submit"), {"key": KEY}).status_code for _ in range(3)
    ]
    assert statuses == [409, 409, 429]
    assert Client().post(address(other, "api-capture-submit"), {"key": KEY}).status_code == 409


def test_it_does_not_matter_who_is_signed_in_on_the_phone(link: CaptureLink) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Origin": "http://testserver"})
    client.force_login(make_user())
    assert send(link, "front", photo_bytes(1), client).status_code == 200


def test_the_page_may_use_the_camera_and_no_other_page_may(link: CaptureLink) -> None:
    page = Client().get(address(link, "capture"))
    assert page.status_code == 200 and "camera=(self)" in page["Permissions-Policy"]
    assert "no-store" in page["Cache-Control"]
    for other in (reverse("login"), reverse("api-schema"), "/nothing"):
        assert "camera=()" in Client().get(other)["Permissions-Policy"]


def test_reviewers_make_links_and_labelers_see_none(protocol: Protocol) -> None:
    project = protocol.current.shots.get(key="front").checks.get().project
    reviewer, labeler = make_member(project, "reviewer"), make_member(project)
    page = reverse("protocol-links", args=[protocol.slug])
    client = Client()
    client.force_login(labeler)
    assert client.get(page).status_code == 403
    client.force_login(make_user())
    assert client.get(page).status_code == 404
    client.force_login(reviewer)
    form = {"identifier": "12가 3456", "event": "wash", "lasts": "24", "photographer": "Mina"}
    assert client.post(page, form | {"event": "Wash it"}).status_code == 422
    shown = client.post(page, form, follow=True)
    link = CaptureLink.objects.get()
    assert links.token_of(link) in shown.content.decode() and "data:image/svg+xml" in shown.content.decode()
    assert link.created_by == reviewer and link.photographer == "Mina"
    one = reverse("capture-link", args=[link.pk])
    assert client.post(one, {"action": "prolong"}).status_code == 302
    assert client.post(one, {"action": "revoke"}).status_code == 302
    written = Activity.objects.filter(project=project, kind__startswith="capture_link", actor=reviewer)
    assert set(written.values_list("kind", flat=True)) == {"capture_link_prolonged", "capture_link_revoked"}
    assert Client().get(address(link)).status_code == 410


def test_programs_make_list_and_revoke_links(protocol: Protocol) -> None:
    project = protocol.current.shots.get(key="front").checks.get().project
    client, stranger = Client(), Client()
    client.force_login(make_member(project, "reviewer"))
    stranger.force_login(make_user())
    listed = reverse("api-capture-links", args=[protocol.slug])
    until = (timezone.now() + timedelta(days=2)).isoformat()
    given = {"identifier": "12가 3456", "event": "wash", "expires_at": until}
    made = client.post(listed, given, content_type="application/json")
    assert made.status_code == 201 and Client().get(made.json()["address"]).status_code == 200
    assert [each["id"] for each in client.get(listed).json()["results"]] == [made.json()["id"]]
    one = reverse("api-capture-link", args=[made.json()["id"]])
    assert stranger.delete(one).status_code == 404
    assert client.delete(one).status_code == 204
    assert Client().get(made.json()["address"]).status_code == 410


def test_an_account_that_made_a_link_may_leave(link: CaptureLink) -> None:
    """What it gave out goes on until it ends; another reviewer revokes it."""
    project = make_project()
    join(project, link.created_by)
    link.created_by.is_active = False
    link.created_by.save()
    assert send(link, "front", photo_bytes(1)).status_code == 200
