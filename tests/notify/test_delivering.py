"""At least once, in order for each subject, signed; who fails is asked again ever more seldom, and holds up nobody else."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from labeling.catalog.models import Item, LabelClass, Project
from labeling.notify import delivering, recording, tidying
from labeling.notify.channels.channel import Answer
from labeling.notify.delivering import deliver
from labeling.notify.models import Attempt, Delivery, Endpoint, Event, OffReason
from labeling.notify.secrets import encrypt_anew
from labeling.notify.services import remove_endpoint, renew_secret, replay, send_test, switch_off, switch_on
from labeling.truth.models import GroundTruth
from tests.factories import make_items, make_project, make_user
from tests.notify.conftest import Receiver

pytestmark = pytest.mark.django_db
DECIDED, REOPENED = "photo.decided", "photo.reopened"


def settle(project: Project, items: list[Item]) -> None:
    """As many photos as these are decided, in one statement; those that were are open again."""
    guideline, a_class = project.guidelines.get(), LabelClass.objects.filter(project=project).first()
    before = {each.item_id: each for each in GroundTruth.objects.filter(item__in=items, superseded_by=None)}
    GroundTruth.objects.bulk_create(
        GroundTruth(
            project=project,
            item=item,
            kind="withdrawn"
            if (is_open := item.pk in before and before[item.pk].kind == "class")
            else "class",
            label_class=None if is_open else a_class,
            origin="withdrawal" if is_open else "agreement",
            guideline=guideline,
            supersedes=before.get(item.pk),
        )
        for item in items
    )


def run() -> int:
    return deliver(linger_s=0)


def pass_time(**by: float) -> None:
    """As if everything had been written so much earlier."""
    past = timedelta(**by)
    for row in Delivery.objects.all():
        Delivery.objects.filter(pk=row.pk).update(next_at=row.next_at - past)
    for row in Attempt.objects.all():
        Attempt.objects.filter(pk=row.pk).update(at=row.at - past)
    for row in Endpoint.objects.all():
        Endpoint.objects.filter(pk=row.pk).update(
            failing_since=row.failing_since and row.failing_since - past,
            not_before=row.not_before and row.not_before - past,
        )


def states(endpoint: Endpoint) -> list[str]:
    return list(endpoint.deliveries.order_by("event").values_list("state", flat=True))


def test_each_event_comes_once_signed_and_in_order(receiver: Receiver) -> None:
    project = make_project()
    items = make_items(project, 5)
    endpoint = receiver.endpoint(project, DECIDED, REOPENED)
    for _turn in range(4):
        settle(project, items)
    assert run() == 20 and run() == 0
    assert receiver.forged == 0 and len({name for _path, name, _body in receiver.got}) == 20
    for item in items:
        of_photo = [
            body["type"] for _path, _name, body in receiver.got if body["subject"] == f"photo/{item.pk}"
        ]
        assert of_photo == [DECIDED, REOPENED] * 2
    assert states(endpoint) == ["delivered"] * 20
    assert Attempt.objects.filter(status=204).count() == 20


def test_a_failing_subject_is_alone_to_wait_and_goes_on_in_order(receiver: Receiver) -> None:
    project = make_project()
    bad, good = make_items(project, 2)
    receiver.endpoint(project, DECIDED, REOPENED)
    receiver.answers = lambda _path, body: 500 if body["subject"] == f"photo/{bad.pk}" else 204
    for _turn in range(2):
        settle(project, [bad, good])
    run()
    subjects = [f"photo/{bad.pk}", *[f"photo/{good.pk}"] * 2]
    assert sorted(receiver.subjects()) == sorted(subjects), (
        "the second event of the one waits behind its first"
    )
    receiver.answers = lambda _path, _body: 204
    assert run() == 0, "not before its pause is over"
    pass_time(seconds=10)
    run()
    of_bad = [(name, body["type"]) for _path, name, body in receiver.got if body["subject"] == subjects[0]]
    assert [kind for _name, kind in of_bad] == [DECIDED, DECIDED, REOPENED]
    assert of_bad[0][0] == of_bad[1][0], "the same id, so that what came twice can be known"


def test_who_is_killed_before_writing_it_down_sends_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    settle(project, make_items(project, 3))

    class Killed(BaseException):
        pass

    def die(_tried: Any) -> None:
        raise Killed

    with monkeypatch.context() as killed, pytest.raises(Killed):
        killed.setattr(delivering, "record", die)
        run()
    assert states(endpoint) == ["waiting"] * 3
    run()
    names = [name for _path, name, _body in receiver.got]
    assert states(endpoint) == ["delivered"] * 3 and len(set(names)) == 3 < len(names)


def test_a_slow_receiver_holds_up_nobody_else(receiver: Receiver) -> None:
    project = make_project()
    receiver.endpoint(project, DECIDED, path="/slow")
    receiver.endpoint(project, DECIDED, path="/fast")
    items = make_items(project, 12)
    others = threading.Event()

    def answer(path: str, _body: Any) -> int:
        if path == "/slow":
            others.wait(30)
        elif len(receiver.subjects("/fast")) == len(items):
            others.set()
        return 204

    receiver.answers = answer
    settle(project, items)
    run()
    assert others.is_set() and len(receiver.subjects("/slow")) == len(items)


def test_slow_receivers_together_hold_up_nobody_else(receiver: Receiver) -> None:
    """As many as would hold all threads, if each had its whole share."""
    project = make_project()
    slow = [f"/slow{n}" for n in range(delivering.THREADS // delivering.SHARE)]
    for path in slow:
        receiver.endpoint(project, DECIDED, path=path)
    items = make_items(project, 12)
    settle(project, items)
    assert len(delivering._heads()) < delivering.THREADS, "one more may come"
    receiver.endpoint(project, DECIDED, REOPENED, path="/fast")
    settle(project, items)
    settle(project, items)
    others = threading.Event()
    late: list[str] = []

    def answer(path: str, _body: Any) -> int:
        if path in slow and not others.wait(10):
            late.append(path)
        elif len(receiver.subjects("/fast")) == 2 * len(items):
            others.set()
        return 204

    receiver.answers = answer
    run()
    assert others.is_set() and not late


def test_a_secret_that_cannot_be_read_stops_its_own_endpoint_alone(receiver: Receiver) -> None:
    project = make_project()
    broken = receiver.endpoint(project, DECIDED, path="/broken")
    whole = receiver.endpoint(project, DECIDED, path="/whole")
    Endpoint.objects.filter(pk=broken.pk).update(secret="of a key that is gone")
    settle(project, make_items(project, 1))
    run()
    assert (states(broken), states(whole)) == (["waiting"], ["delivered"])
    assert Attempt.objects.get(delivery__endpoint=broken).error == "Its secret cannot be read: renew it."
    assert encrypt_anew() == 1
    broken.refresh_from_db()
    receiver.secrets["/broken"] = renew_secret(endpoint=broken, by=project.created_by)
    pass_time(seconds=10)
    run()
    assert states(broken) == ["delivered"] and receiver.forged == 0


def test_after_a_day_of_failures_it_is_off_its_admins_are_told_and_what_waits_goes_out_when_it_is_on(
    receiver: Receiver, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    settings.MAIL_IS_SET_UP = True
    project = make_project(admin=make_user(email="admin@a.example"))
    endpoint = receiver.endpoint(project, DECIDED, REOPENED)
    receiver.answers = lambda _path, _body: 500
    [item] = make_items(project, 1)
    settle(project, [item])
    with django_capture_on_commit_callbacks(execute=True):
        for _attempt in range(20):
            run()
            pass_time(hours=20)
    endpoint.refresh_from_db()
    assert (endpoint.off_reason, len(receiver.got)) == (OffReason.FAILING, len(settings.WEBHOOK_PAUSES) + 1)
    assert [letter.to for letter in mail.outbox] == [["admin@a.example"]]
    assert project.activities.get(kind="endpoint_off").data["why"] == "failing"
    settle(project, [item])
    assert states(endpoint) == ["waiting"] * 2 and run() == 0

    receiver.answers = lambda _path, _body: 204
    switch_on(endpoint=endpoint, by=project.created_by)
    run()
    assert states(endpoint) == ["delivered"] * 2
    assert [body["type"] for _path, _name, body in receiver.got[-2:]] == [DECIDED, REOPENED]


def test_one_event_that_is_never_taken_is_given_up_and_switches_nothing_off(
    receiver: Receiver, settings: Settings
) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    bad, *good = make_items(project, 20)
    receiver.answers = lambda _path, body: 500 if body["subject"] == f"photo/{bad.pk}" else 204
    settle(project, [bad])
    for item in good:
        run()
        settle(project, [item])
        run()
        pass_time(hours=20)
    endpoint.refresh_from_db()
    assert endpoint.is_on and states(endpoint) == ["failed"] + ["delivered"] * len(good)
    receiver.answers = lambda _path, _body: 204
    replay(delivery=endpoint.deliveries.get(state="failed"))
    run()
    assert set(states(endpoint)) == {"delivered"}


def test_who_says_that_it_is_gone_is_off_at_once(receiver: Receiver) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    receiver.answers = lambda _path, _body: 410
    settle(project, make_items(project, 1))
    run()
    endpoint.refresh_from_db()
    assert endpoint.off_reason == OffReason.GONE and states(endpoint) == ["waiting"]


def test_a_receiver_that_is_down_is_left_alone_for_a_while(receiver: Receiver) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    receiver.answers = lambda _path, _body: 503
    settle(project, make_items(project, 40))
    run()
    endpoint.refresh_from_db()
    assert len(receiver.got) < 40 and endpoint.not_before > timezone.now()


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    receiver.answers = lambda _path, _body: 307
    settle(project, make_items(project, 1))
    run()
    assert [path for path, _name, _body in receiver.got] == ["/"] and receiver.forged == 0
    assert Attempt.objects.get().status == 307 and states(endpoint) == ["waiting"]


def test_for_a_day_both_secrets_sign(receiver: Receiver) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    old = receiver.secrets["/"]
    new = renew_secret(endpoint=endpoint, by=project.created_by)
    assert old != new and old not in str(Endpoint.objects.values().get())
    for secret in (old, new):
        receiver.secrets["/"] = secret
        settle(project, make_items(project, 1))
        run()
    assert (len(receiver.got), receiver.forged) == (2, 0)
    Endpoint.objects.update(old_until=timezone.now())
    receiver.secrets["/"] = old
    settle(project, make_items(project, 1))
    run()
    assert (len(receiver.got), receiver.forged) == (2, 1)


def test_a_test_is_sent_to_it_alone_and_waits_while_it_is_off(receiver: Receiver) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    receiver.endpoint(project, DECIDED, path="/other")
    switch_off(endpoint=endpoint, by=project.created_by)
    send_test(endpoint=endpoint)
    assert run() == 0
    switch_on(endpoint=endpoint, by=project.created_by)
    run()
    [(path, _name, body)] = receiver.got
    assert (path, body["type"], body["data"]["endpoint"]) == ("/", "endpoint.test", str(endpoint.pk))


def test_what_tells_of_nothing_any_more_keeps_nobody_waiting(receiver: Receiver) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    settle(project, make_items(project, 2))
    Event.objects.filter(pk=Event.objects.earliest("pk").pk).update(row="0")
    run()
    assert states(endpoint) == ["failed", "delivered"]


def test_what_is_removed_while_it_is_sent_keeps_nothing_else_from_being_written_down(
    receiver: Receiver,
) -> None:
    project = make_project()
    gone = receiver.endpoint(project, DECIDED, path="/gone")
    stays = receiver.endpoint(project, DECIDED, path="/stays")
    settle(project, make_items(project, 2))
    tried = [
        recording.Tried(each, Answer(204), timezone.now(), 1)
        for each in Delivery.objects.select_related("endpoint")
    ]
    remove_endpoint(endpoint=gone, by=project.created_by)
    recording.record(tried)
    assert states(stays) == ["delivered"] * 2 and Attempt.objects.count() == 2


def test_the_log_has_the_first_bytes_of_an_answer_and_goes_with_its_events(
    receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project()
    receiver.endpoint(project, DECIDED)
    receiver.answers = lambda _path, _body: 422
    settle(project, make_items(project, 2))
    run()
    assert {each.answer for each in Attempt.objects.all()} == {'{"said": 422}'}
    Event.objects.filter(pk=Event.objects.earliest("pk").pk).update(
        at=timezone.now() - settings.EVENTS_KEPT - timedelta(hours=1)
    )
    assert tidying.remove_old() == 1
    assert (Event.objects.count(), Delivery.objects.count(), Attempt.objects.count()) == (1, 1, 1)


def test_pauses_grow_and_differ(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    longest = [max(recording._pause(n) for _try in range(20)) for n in range(len(settings.WEBHOOK_PAUSES))]
    assert longest == sorted(longest) and sum(settings.WEBHOOK_PAUSES) >= 86_400
    assert len({recording._pause(3) for _try in range(20)}) > 1


def test_a_copy_that_is_quiet_tells_nobody_and_what_waits_goes_out_when_it_is_not(
    receiver: Receiver, settings: Settings, client: Client
) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    settings.QUIET = True
    settle(project, make_items(project, 2))
    send_test(endpoint=endpoint)
    assert run() == 0 and not delivering.something_is_due()
    assert states(endpoint) == ["waiting"] * 3 and not Attempt.objects.exists()
    client.force_login(project.created_by)
    page = reverse("webhooks", args=[project.slug])
    assert "HILLTOP_QUIET" in client.get(page).content.decode()
    settings.QUIET = False
    assert run() == 3 and "HILLTOP_QUIET" not in client.get(page).content.decode()
