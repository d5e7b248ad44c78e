"""Two tabs of one labeler are given the same gold photo at the same moment: one of them gets it, and neither breaks."""

from __future__ import annotations

import random
import threading

import pytest
from django.db import connection, transaction

from labeling.queue import services
from labeling.queue.models import Slot
from labeling.truth.models import Draw
from labeling.truth.services import add_gold
from tests.locks import wait_until_somebody_waits_for_a_lock
from tests.queue.conftest import Setting

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_second_tab_gets_an_ordinary_photo(setting: Setting) -> None:
    setting.project.gold_rate = 1.0
    setting.project.save()
    gold = setting.items[-1]
    add_gold(project=setting.project, item=gold, class_key="functional", by=setting.project.created_by)
    got: list[Slot] = []
    failures: list[BaseException] = []

    def claim() -> list[Slot]:
        return services.claim(project=setting.project, labeler=setting.ann, count=1, dice=random.Random(0))

    def second_tab() -> None:
        try:
            got.extend(claim())
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=second_tab)
    with transaction.atomic():
        (mine,) = claim()
        assert (mine.item_id, mine.draw) == (gold.pk, Draw.GOLD)
        other.start()
        wait_until_somebody_waits_for_a_lock()
    other.join(20)
    assert not failures and not other.is_alive()
    assert [slot.draw for slot in got] == [Draw.RANK]
    assert Slot.objects.filter(item=gold, holder=setting.ann).count() == 1
