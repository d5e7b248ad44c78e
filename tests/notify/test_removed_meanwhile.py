"""An endpoint is removed while an import writes events for it: neither waits for the other, and both are done."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from labeling.notify import tidying
from labeling.notify.models import Delivery, Endpoint
from labeling.notify.services import remove_endpoint
from tests.factories import make_items, make_project
from tests.notify.conftest import Receiver
from tests.notify.test_delivering import DECIDED, settle

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_writes_for_an_endpoint_commits_though_it_is_removed_meanwhile(receiver: Receiver) -> None:
    project = make_project()
    endpoint = receiver.endpoint(project, DECIDED)
    items = make_items(project, 3)
    ended: list[int] = []

    def remove() -> None:
        try:
            remove_endpoint(endpoint=endpoint, by=project.created_by)
            ended.append(tidying.end_removed())
        finally:
            connection.close()

    other = threading.Thread(target=remove, daemon=True)
    with transaction.atomic():
        settle(project, items[:2])
        other.start()
        other.join(20)
        assert ended == [0], "what is written for just now stays, and keeps nobody waiting"
        assert not Endpoint.objects.exists()
        settle(project, items[2:])
    assert Delivery.objects.count() == 2, "removed, it hears no more"
    assert tidying.end_removed() == 1
    assert not Delivery.objects.exists() and not Endpoint.with_removed.exists()
