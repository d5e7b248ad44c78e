"""A reviewer rules at the moment at which an undo dissolves the dispute: they are told, and nothing breaks."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from labeling.refusals import Refused
from labeling.truth import services
from labeling.truth.current import open_dispute
from labeling.truth.models import Ruling
from tests.factories import make_items, make_member, make_project
from tests.locks import wait_until_somebody_waits_for_a_lock
from tests.truth.test_strict_rules import answer

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_ruling_that_waits_for_an_undo_is_told_that_the_dispute_is_over() -> None:
    project = make_project()
    ann, bob, rev = make_member(project), make_member(project), make_member(project, "reviewer")
    [item] = make_items(project, 1)
    answer(project, item, ann)
    last = answer(project, item, bob, "defective")
    dispute = open_dispute(item.pk)
    assert dispute is not None
    met: list[BaseException] = []

    def rule() -> None:
        try:
            services.rule(project=project, dispute_id=dispute.pk, reviewer=rev, outcome="hold")
        except BaseException as error:
            met.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=rule)
    with transaction.atomic():
        services.retract_answer(project=project, labeler=bob, key=last.key)
        other.start()
        wait_until_somebody_waits_for_a_lock()
    other.join(20)
    assert not other.is_alive()
    [refusal] = met
    assert isinstance(refusal, Refused) and refusal.code == "already_ruled"
    assert Ruling.objects.get(dispute=dispute).outcome == "withdrawn"
