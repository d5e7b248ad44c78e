"""A photo that one person gives back while another takes it: both are counted, in whatever order they commit."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from labeling.queue import services
from labeling.queue.models import Entry, Slot
from tests.locks import wait_until_somebody_waits_for_a_lock
from tests.queue.conftest import Setting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("give_up", ["release", "skip"])
def test_who_gives_a_photo_back_waits_for_whoever_is_taking_it_and_counts_them(
    setting: Setting, give_up: str
) -> None:
    (mine,) = services.claim(project=setting.project, labeler=setting.ann, count=1)
    failures: list[BaseException] = []

    def give_back() -> None:
        try:
            getattr(services, give_up)(project=setting.project, labeler=setting.ann, lease=mine.pk)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=give_back)
    with transaction.atomic():
        (theirs,) = services.claim(project=setting.project, labeler=setting.bob, count=1)
        assert theirs.item_id == mine.item_id, "begun photos come first"
        other.start()
        # It has come as far as it can, with this transaction still open: it must not have read the slots yet.
        wait_until_somebody_waits_for_a_lock()
    other.join(20)
    assert not failures and not other.is_alive()

    entry = Entry.objects.get(ranking=setting.ranking, item_id=mine.item_id)
    assert (entry.taken, entry.free) == (1, 1)
    assert entry.first_holder == setting.bob, "or the photo could be found by nobody"
    assert Slot.objects.get(pk=theirs.pk).number == 1
