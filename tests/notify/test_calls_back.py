"""Whoever asked about one photo or inspection is called back once, signed, and nothing of it grows or outlives the photo."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from labeling.catalog.models import Membership, Project
from labeling.frontier.models import AutomaticDecision
from labeling.inspections.services import overrule
from labeling.jobs import runner
from labeling.jobs.models import Job
from labeling.learning.models import Score
from labeling.notify import calling_back, tidying
from labeling.notify.calling_back import Wish, call_back_on_inspection, call_back_on_photo
from labeling.notify.listening import LOOK
from labeling.notify.models import Attempt, CallBack, Delivery, Endpoint, Event
from labeling.notify.services import remove_endpoint, replay
from labeling.people.models import AccountEvent
from labeling.refusals import Refused
from tests.catalog.conftest import own_folders  # noqa: F401 - each test has its own store
from tests.factories import make_items, make_member, make_project, make_user, photo_bytes
from tests.frontier.proving import certified_pool
from tests.inspections.made import Washes, work
from tests.notify.conftest import Receiver
from tests.notify.examples import erase
from tests.notify.test_delivering import pass_time, run, settle

pytestmark = pytest.mark.django_db


def client_of(project: Project) -> Client:
    client = Client()
    client.force_login(project.created_by)
    return client


def decide(project: Project, **body: Any) -> Any:
    address = reverse("api-decide", args=[project.slug])
    return client_of(project).post(address, body, content_type="application/json")


def asked(receiver: Receiver, project: Project, sha256: str, path: str = "/a", **more: Any) -> dict[str, Any]:
    """What is told of the call back; where it is the account's first, the receiver learns the secret."""
    answer = decide(project, sha256=sha256, callback=receiver.url + path, **more)
    assert answer.status_code < 300, answer.content
    told: dict[str, Any] = answer.json()["callback"]
    if told["secret"]:
        receiver.secrets = dict.fromkeys(("/a", "/b", "/dead"), told["secret"])
    return told


def told_to(receiver: Receiver, path: str = "/a") -> list[dict[str, Any]]:
    return [body for at, _id, body in receiver.got if at == path]


def looks_wanted() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo'", [LOOK]
        )
        return int(cursor.fetchone()[0])


def look() -> None:
    calling_back.look()
    run()


def test_a_held_photo_is_told_when_it_is_decided_and_nobody_else_hears_it_twice(receiver: Receiver) -> None:
    project = make_project()
    mine, other = make_items(project, 2)
    receiver.endpoint(project, "photo.decided", path="/")
    hook = receiver.secrets["/"]
    asked(receiver, project, mine.image.sha256)
    receiver.secrets["/"] = hook
    look()
    settle(project, [other])
    assert told_to(receiver) == [] and looks_wanted() == 0, "of other photos nobody waits to hear"
    settle(project, [mine])
    assert looks_wanted() == 1, "the decision itself has it looked for"
    look()
    [body] = told_to(receiver)
    assert (body["type"], body["subject"]) == ("photo.decided", f"photo/{mine.pk}")
    assert body["data"]["photo"]["sha256"] == mine.image.sha256 and body["project"] == project.slug
    assert sorted(receiver.subjects("/")) == sorted(f"photo/{each.pk}" for each in (mine, other))
    assert receiver.forged == 0 and looks_wanted() == 0
    assert CallBack.objects.get().sha256 == "", "only the row that tells knows which photo it was"


def test_the_same_request_again_calls_back_once_and_another_decision_again(receiver: Receiver) -> None:
    project = make_project()
    [item] = make_items(project, 1)
    for _again in range(2):
        asked(receiver, project, item.image.sha256)
    assert CallBack.objects.count() == 1
    settle(project, [item])
    look()
    for _again in range(2):
        asked(receiver, project, item.image.sha256)
        look()
    assert len(told_to(receiver)) == 1
    settle(project, [item])  # open again
    asked(receiver, project, item.image.sha256)
    look()
    assert len(told_to(receiver)) == 1
    settle(project, [item])
    look()
    assert len(told_to(receiver)) == 2


def test_what_is_decided_already_is_told_at_once(receiver: Receiver) -> None:
    project = make_project()
    [item] = make_items(project, 1)
    settle(project, [item])
    answer = asked(receiver, project, item.image.sha256)
    assert answer["endpoint"] == str(Endpoint.objects.get().pk)
    run()
    asked(receiver, project, item.image.sha256, "/b")
    run()
    assert [len(told_to(receiver, path)) for path in ("/a", "/b")] == [1, 1]


def test_another_address_is_refused_while_one_is_open_and_another_account_has_its_own(
    receiver: Receiver,
) -> None:
    project = make_project()
    [item] = make_items(project, 1)
    asked(receiver, project, item.image.sha256)
    refused = decide(project, sha256=item.image.sha256, callback=receiver.url + "/b")
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "another_call_back"
    assert CallBack.objects.get().url.endswith("/a")
    second = make_member(project, "admin")
    opened = call_back_on_photo(
        wish=Wish(receiver.url + "/b"), by=second, project=project, sha256=item.image.sha256, strict=False
    )
    receiver.secrets["/b"] = opened.secret
    settle(project, [item])
    look()
    assert [len(told_to(receiver, path)) for path in ("/a", "/b")] == [1, 1] and receiver.forged == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"callback": "hooks.example"}, "callback"),
        ({"callback": "http://hooks.example/"}, "callback"),
        ({"callback": "https://me:it@a.example/"}, "callback"),
        ({"callback": "mailto:quality@a.example"}, "callback"),
        ({"callback": "https://a.example/", "deadline": 0}, "deadline"),
        ({"callback": "https://a.example/", "deadline": 1e9}, "deadline"),
        ({"callback": "https://a.example/", "deadline": "soon"}, "deadline"),
        ({"deadline": 60}, "deadline"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(body: dict[str, Any], field: str) -> None:
    project = make_project()
    [item] = make_items(project, 1)
    answer = decide(project, sha256=item.image.sha256, **body)
    assert answer.status_code == 422 and field in answer.json()["error"]["fields"]
    assert not CallBack.objects.exists() and not Endpoint.objects.exists()


def test_one_account_has_only_so_many_open(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling_back, "MOST", 2)
    project = make_project()
    items = make_items(project, 3)
    for item in items[:2]:
        asked(receiver, project, item.image.sha256)
    refused = decide(project, sha256=items[2].image.sha256, callback=receiver.url + "/a")
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "too_many"
    settle(project, items[:1])
    look()
    asked(receiver, project, items[2].image.sha256)


def test_at_its_deadline_it_is_told_as_undecided_and_is_over(receiver: Receiver) -> None:
    project = make_project()
    late, soon = make_items(project, 2)
    asked(receiver, project, late.image.sha256, deadline=60)
    asked(receiver, project, soon.image.sha256, deadline=3600)
    CallBack.objects.filter(sha256=late.image.sha256).update(until=timezone.now())
    look()
    [body] = told_to(receiver)
    assert body["type"] == "call_back.undecided"
    assert (body["data"]["because"], body["data"]["sha256"]) == ("deadline", late.image.sha256)
    settle(project, [late])
    look()
    assert len(told_to(receiver)) == 1
    asked(receiver, project, late.image.sha256)
    run()
    assert told_to(receiver)[-1]["type"] == "photo.decided", "asked again, it is called back again"


def test_a_photo_that_cannot_come_in_is_told_with_its_reason(receiver: Receiver) -> None:
    project = make_project()
    whole = photo_bytes(78, size=(300, 300), format="JPEG")
    sent = SimpleUploadedFile("half.jpg", whole[: len(whole) // 2])
    answer = client_of(project).post(
        reverse("api-decide", args=[project.slug]),
        {"photo": sent, "callback": receiver.url + "/a", "deadline": "600"},
    )
    assert answer.status_code == 202
    receiver.secrets["/a"] = answer.json()["callback"]["secret"]
    look()
    assert told_to(receiver) == []
    for job in Job.objects.live().filter(kind="intake"):
        runner.run(job.pk)
    look()
    [body] = told_to(receiver)
    assert (body["type"], body["data"]["because"]) == ("call_back.undecided", "truncated")


def test_it_knows_no_photo_longer_than_it_is_there(receiver: Receiver) -> None:
    project = make_project()
    was_open, was_told = make_items(project, 2)
    hashes = {each.image.sha256 for each in (was_open, was_told)}
    for item in (was_open, was_told):
        asked(receiver, project, item.image.sha256, deadline=60)
    CallBack.objects.filter(sha256=was_told.image.sha256).update(until=timezone.now())
    calling_back.look()
    for item in (was_open, was_told):
        erase(project, item)
    look()
    assert sorted(body["data"]["because"] for body in told_to(receiver)) == ["deadline", "erased"]
    assert all(body["data"]["sha256"] is None for body in told_to(receiver))
    kept = str(list(CallBack.objects.values())) + str(list(Event.objects.values()))
    assert not any(each in kept for each in hashes)


def test_a_strict_label_is_waited_for(receiver: Receiver) -> None:
    pool = certified_pool()
    pool.policy(mode="on", audit_share=0.5)
    pool.work()
    decided = AutomaticDecision.objects.standing().filter(project=pool.project)
    alone = decided.filter(audit=False, item__audit_drawn_at=None)[0].item
    audited = decided.filter(audit=True)[0].item
    by = make_member(pool.project, "admin")
    for item, path in ((alone, "/a"), (audited, "/b")):
        opened = call_back_on_photo(
            wish=Wish(receiver.url + path), by=by, project=pool.project, sha256=item.image.sha256, strict=True
        )
        receiver.secrets = receiver.secrets or dict.fromkeys(("/a", "/b"), opened.secret)
    look()
    [body] = told_to(receiver, "/a")
    assert (body["type"], body["data"]["because"]) == ("call_back.undecided", "not_strict")
    assert told_to(receiver, "/b") == []
    settle(pool.project, [audited])
    look()
    [body] = told_to(receiver, "/b")
    assert (body["type"], body["data"]["by"]) == ("photo.decided", "people")


def test_what_the_machine_decides_is_told_to_who_asked_as_if_they_asked_again(receiver: Receiver) -> None:
    pool = certified_pool()
    by = make_member(pool.project, "admin")
    surest = Score.objects.filter(item__project=pool.project).order_by("-confidence")
    watched = [each.item for each in surest.select_related("item__image")[:60]]
    for item in watched:
        call_back_on_photo(
            wish=Wish("https://a.example/"),
            by=by,
            project=pool.project,
            sha256=item.image.sha256,
            strict=False,
        )
    assert not Event.objects.filter(source="frontier_automaticdecision").exists()
    pool.policy(mode="on", audit_share=0.5)
    pool.work()
    decided = AutomaticDecision.objects.standing().filter(item__in=watched)
    assert decided.filter(audit=True).exists() and decided.filter(audit=False).exists()
    calling_back.look()
    rows = Event.objects.filter(source="frontier_automaticdecision").values_list("row", flat=True)
    assert set(rows) == set(map(str, decided.values_list("pk", flat=True)))


def test_an_inspection_is_told_when_it_is_held_no_more_and_no_bound_that_they_are_not_told(
    receiver: Receiver,
) -> None:
    washes = Washes()
    inspection = washes.inspect()
    work()
    opened = call_back_on_inspection(wish=Wish(receiver.url + "/a"), by=washes.admin, inspection=inspection)
    receiver.secrets["/a"] = opened.secret
    look()
    assert told_to(receiver) == []
    overrule(inspection=inspection, by=washes.admin, outcome="passed", reason="Seen on site")
    assert looks_wanted() == 1
    look()
    [body] = told_to(receiver)
    assert (body["type"], body["data"]["outcome"]) == ("inspection.decided", "passed")
    assert body["data"]["external_id"] == inspection.external_id
    with pytest.raises(Refused, match="another address"):
        second = washes.inspect()
        for path in ("/a", "/b"):
            call_back_on_inspection(wish=Wish(receiver.url + path), by=washes.admin, inspection=second)


def test_an_inspection_is_sent_with_its_call_back_and_again(receiver: Receiver) -> None:
    washes = Washes()
    client = Client()
    client.force_login(washes.admin)
    said = {"external_id": "W-9", "asset": {"identifier": "99나 1"}, "event": "wash"}
    body = {"inspection": said | {"callback": receiver.url + "/a", "deadline": 60}}
    address = reverse("api-inspections", args=[washes.protocol.slug])
    answers = [client.post(address, body, content_type="application/json") for _again in range(2)]
    assert [each.status_code for each in answers] == [201, 200]
    first, second = (each.json()["callback"] for each in answers)
    assert first["secret"].startswith("whsec_") and second == first | {"secret": ""}
    assert CallBack.objects.get().url == receiver.url + "/a"
    body["inspection"]["callback"] = receiver.url + "/b"
    refused = client.post(address, body, content_type="application/json")
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "another_call_back"


def test_an_address_that_never_takes_it_is_given_up_after_a_day_and_fails_for_no_other(
    receiver: Receiver, settings: Settings
) -> None:
    project = make_project()
    items = make_items(project, 12)
    for item in items[:10]:
        asked(receiver, project, item.image.sha256, "/dead")
    receiver.answers = lambda path, _body: 500 if path == "/dead" else 204
    settle(project, items[:10])
    look()
    endpoint = Endpoint.objects.get()
    assert (endpoint.failures, endpoint.not_before) == (0, None)
    for item in items[10:]:
        asked(receiver, project, item.image.sha256)
    settle(project, items[10:])
    look()
    assert len(told_to(receiver)) == 2
    for _attempt in range(10):
        pass_time(hours=20)
        run()
    states = list(Delivery.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["failed"] * 10 + ["delivered"] * 2
    assert len(told_to(receiver, "/dead")) == 10 * (len(settings.WEBHOOK_PAUSES) + 1)
    endpoint.refresh_from_db()
    assert endpoint.is_on
    receiver.answers = lambda _path, _body: 204
    replay(delivery=Delivery.objects.filter(state="failed")[0])
    run()
    assert Delivery.objects.filter(state="failed").count() == 9


def test_who_is_gone_is_not_asked_again_and_after_its_days_nothing_is_left(
    receiver: Receiver, settings: Settings
) -> None:
    project = make_project()
    [item] = make_items(project, 1)
    asked(receiver, project, item.image.sha256)
    receiver.answers = lambda _path, _body: 410
    settle(project, [item])
    look()
    assert Delivery.objects.get().state == "failed" and Endpoint.objects.get().is_on
    Event.objects.update(at=timezone.now() - settings.EVENTS_KEPT - timedelta(hours=1))
    tidying.remove_old()
    assert not CallBack.objects.exists() and not Delivery.objects.exists() and not Attempt.objects.exists()


def test_an_account_that_may_not_ask_any_more_is_told_nothing(receiver: Receiver) -> None:
    project = make_project()
    items = make_items(project, 2)
    for item in items:
        asked(receiver, project, item.image.sha256)
    settle(project, items)
    Membership.objects.filter(project=project, user=project.created_by).update(role="labeler")
    look()
    assert receiver.got == []
    assert {each.error for each in Attempt.objects.all()} == {"Its account may not ask this any more."}


def test_its_person_has_the_secret_renewed_reads_the_log_and_ends_it_all(receiver: Receiver) -> None:
    project = make_project()
    first, second = make_items(project, 2)
    told = asked(receiver, project, first.image.sha256)
    assert told["secret"].startswith("whsec_")
    assert asked(receiver, project, second.image.sha256)["secret"] == "", "shown with the first alone"
    client, other, key = client_of(project), Client(), told["endpoint"]
    other.force_login(make_member(project, "admin"))
    for name in ("api-endpoint", "api-deliveries"):
        assert client.get(reverse(name, args=[key])).status_code == 200
        assert other.get(reverse(name, args=[key])).status_code == 404
    answer = client.post(reverse("api-endpoint-secret", args=[key]))
    receiver.secrets["/a"] = answer.json()["secret"]
    settle(project, [first])
    look()
    assert (len(told_to(receiver)), receiver.forged) == (1, 0)
    [row] = client.get(reverse("api-deliveries", args=[key])).json()["results"]
    assert (row["type"], row["state"]) == ("photo.decided", "delivered")
    assert client.post(reverse("api-delivery-replay", args=[row["id"]])).status_code == 202
    assert client.post(reverse("api-endpoint-test", args=[key])).status_code == 409
    changed = client.patch(
        reverse("api-endpoint", args=[key]), {"url": "https://a.example"}, content_type="application/json"
    )
    assert changed.status_code == 422
    remove_endpoint(endpoint=Endpoint.objects.get(), by=project.created_by)
    look()
    tidying.end_removed()
    assert not CallBack.objects.exists() and not Endpoint.with_removed.exists()
    kinds = set(AccountEvent.objects.filter(by=project.created_by).values_list("kind", flat=True))
    assert {"endpoint_made", "endpoint_secret", "endpoint_removed"} <= kinds
    assert asked(receiver, project, second.image.sha256)["secret"].startswith("whsec_")


def test_what_is_done_to_webhooks_of_the_site_is_in_the_trail(tmp_path: Path) -> None:
    root = make_user(is_superuser=True)
    client = Client()
    client.force_login(root)
    hook = {"url": "https://hooks.example/a", "name": "Line 2", "events": ["photo.decided"]}
    made = client.post(reverse("api-site-endpoints"), hook, content_type="application/json").json()
    key = reverse("api-endpoint", args=[made["id"]])
    for change in ({"name": "Line 3"}, {"on": False}, {"on": True}):
        assert client.patch(key, change, content_type="application/json").status_code == 200
    client.post(reverse("api-endpoint-secret", args=[made["id"]]))
    client.delete(key)
    rows = client.get(reverse("api-audit-trail") + "?topic=settings").json()["results"]
    assert [row["kind"] for row in rows[::-1]] == [
        f"endpoint_{what}" for what in ("made", "changed", "off", "on", "secret", "removed")
    ]
    assert rows[0]["by"] == root.username and rows[0]["what"] == {"said": "Line 3"}
    assert "Line 3" in client.get(reverse("audit-trail")).content.decode()
