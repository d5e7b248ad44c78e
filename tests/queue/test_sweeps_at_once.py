"""Six people sweep one small pool at the same time; the database keeps the promises, and nobody waits for ever."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Count

from labeling.people.models import User
from labeling.queue.models import Slot, Sweep
from labeling.queue.sweeps.services import claim_sweep
from labeling.truth.models import Annotation, GroundTruth
from tests.factories import make_member
from tests.queue.sweeps import Field, kept_field

PEOPLE = 6


def together(work: list[threading.Thread]) -> None:
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(60)
        assert not thread.is_alive(), "somebody waits for ever"


@pytest.mark.django_db(transaction=True)
def test_people_who_sweep_at_once_share_no_wanted_answer_and_every_pair_settles() -> None:
    field = kept_field()
    people = [field.ann, field.bob, *(make_member(field.project) for _ in range(PEOPLE - 2))]
    errors: list[BaseException] = []

    def work(person: User) -> None:
        try:
            for _ in range(4):
                grid = claim_sweep(project=field.project, labeler=person)
                if grid is not None:
                    field.hand_in(grid, key=uuid4())
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    together([threading.Thread(target=work, args=(person,)) for person in people])
    assert not errors
    lent = Slot.objects.filter(number__isnull=False).values("item", "round", "number")
    assert {row["n"] for row in lent.annotate(n=Count("id"))} == {1}
    per_photo = Annotation.objects.values("item").annotate(
        n=Count("id"), people=Count("labeler", distinct=True)
    )
    assert {row["n"] - row["people"] for row in per_photo} == {0}
    paired = {row["item"] for row in per_photo if row["n"] == 2}
    assert paired
    assert paired == set(GroundTruth.objects.trainable().values_list("item", flat=True))
    assert max(row["n"] for row in per_photo) == 2


@pytest.mark.django_db(transaction=True)
def test_two_tabs_of_one_person_get_the_same_grid() -> None:
    field = kept_field()
    got: list[str] = []

    def ask(_tab: Field) -> None:
        grid = claim_sweep(project=field.project, labeler=field.ann)
        got.append(str(grid.sweep.pk) if grid else "")
        connection.close()

    together([threading.Thread(target=ask, args=(field,)) for _ in range(4)])
    assert len(set(got)) == 1 and got[0]
    assert Sweep.objects.filter(labeler=field.ann, closed_at__isnull=True).count() == 1
