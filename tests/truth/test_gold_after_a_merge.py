"""Gold is read as classes count today; and what the Labelers page shows of it costs the same however much there is."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.catalog.models import LabelClass, Project
from labeling.catalog.services import amend_guideline
from labeling.queue import services as queue
from labeling.truth import gold, services
from labeling.truth.current import pause_of
from labeling.truth.models import SweepCheck
from labeling.truth.quality.labelers import labeler_figures
from tests.factories import make_items, make_member, make_project
from tests.truth.test_strict_rules import answer

pytestmark = pytest.mark.django_db

CLASSES = ("functional", "cracked", "defective")


def _gold(project: Project, count: int, class_key: str) -> list[int]:
    items = make_items(project, count)
    for item in items:
        services.add_gold(project=project, item=item, class_key=class_key, by=project.created_by)
    return [item.pk for item in items]


def _merge(project: Project, **merge: str) -> None:
    amend_guideline(project=project, by=project.created_by, note="One class fewer", merge=merge)


def test_after_a_merge_right_answers_are_right_whichever_class_they_named() -> None:
    project = make_project(classes=CLASSES, gold_window=3, gold_bar=0.8)
    ann = make_member(project)
    before, *after = make_items(project, 4)
    for item in (before, *after):
        services.add_gold(project=project, item=item, class_key="cracked", by=project.created_by)
    answer(project, before, ann, "cracked", draw="gold")
    _merge(project, cracked="defective")
    for item in after:
        answer(project, item, ann, "defective", draw="gold")
    assert gold.gold_record(project, ann) == [True, True, True]
    assert pause_of(project, ann) is None
    assert [each.missed for each in gold.gold_page(project).golds] == [0, 0, 0, 0]
    assert services.add_gold(project=project, item=before, class_key="defective", by=project.created_by), (
        "it is known as that already"
    )


def test_a_wrong_answer_of_a_class_that_was_merged_into_the_known_one_is_right_today() -> None:
    project = make_project(classes=CLASSES)
    ann = make_member(project)
    (item,) = make_items(project, 1)
    services.add_gold(project=project, item=item, class_key="defective", by=project.created_by)
    answer(project, item, ann, "cracked", draw="gold")
    assert gold.gold_record(project, ann) == [False]
    _merge(project, cracked="defective")
    assert gold.gold_record(project, ann) == [True]


def test_gold_of_a_retired_class_is_neither_asked_nor_counted() -> None:
    project = make_project(classes=CLASSES, gold_rate=1.0)
    ann, bob = make_member(project), make_member(project)
    (kept,) = _gold(project, 1, "functional")
    out = _gold(project, 3, "cracked")
    answered = project.items.get(pk=out[0])
    answer(project, answered, ann, "defective", draw="gold")
    assert gold.gold_record(project, ann) == [False]
    amend_guideline(project=project, by=project.created_by, note="No more", retire=["cracked"])
    assert [slot.item_id for slot in queue.claim(project=project, labeler=bob, count=4)] == [kept]
    assert gold.gold_record(project, ann) == []
    figures = {each.gold.item_id: (each.asked, each.missed) for each in gold.gold_page(project).golds}
    assert figures[answered.pk] == (1, 0)


def test_a_planted_photo_whose_class_became_its_grids_own_tells_nothing() -> None:
    project = make_project(classes=CLASSES)
    ann = make_member(project)
    (item,) = _gold(project, 1, "cracked")
    known, shown = (LabelClass.objects.get(project=project, key=key) for key in ("cracked", "defective"))
    services.record_checks(
        project=project,
        labeler=ann,
        sweep=uuid4(),
        shown_as_id=shown.pk,
        checked=[services.Checked(item, known.pk, found=False)],
    )
    assert SweepCheck.objects.get().right is False and gold.gold_record(project, ann) == [False]
    _merge(project, cracked="defective")
    assert gold.gold_record(project, ann) == []


def test_the_record_is_of_the_newest_since_the_last_pause_for_each_person() -> None:
    project = make_project(gold_window=3, gold_bar=0.5)
    ann, bob, cem = (make_member(project) for _ in range(3))
    items = make_items(project, 6)
    for item in items:
        services.add_gold(project=project, item=item, class_key="functional", by=project.created_by)
    for item, choice in zip(
        items[:5], ["defective", "functional", "functional", "defective", "functional"], strict=True
    ):
        answer(project, item, bob, choice, draw="gold")
    for item in items[:3]:
        answer(project, item, ann, "defective", draw="gold")
    services.lift_pause(project=project, labeler=ann, by=project.created_by)
    answer(project, items[3], ann, "functional", draw="gold")
    records = gold.gold_records(project, [ann.pk, bob.pk, cem.pk])
    assert records == {ann.pk: [True], bob.pk: [True, False, True], cem.pk: []}


def test_the_labelers_page_asks_as_many_questions_for_thirty_people_as_for_three() -> None:
    project = make_project()
    for _ in range(3):
        make_member(project)

    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            labeler_figures(project)
        return len(caught)

    asked()  # the class schema is looked up once, and kept in memory
    few = asked()
    for _ in range(27):
        make_member(project)
    assert asked() == few


def test_the_labelers_page_shows_gold_by_the_page() -> None:
    project = make_project()
    _gold(project, gold.PAGE + 5, "functional")
    client = Client()
    client.force_login(project.created_by)
    address = f"/p/{project.slug}/labelers"

    def shown(query: str) -> int:
        return client.get(address + query).content.decode().count('class="gold-cell')

    assert [shown(query) for query in ("", "?gold=2", "?gold=99", "?gold=no")] == [
        gold.PAGE,
        5,
        gold.PAGE,
        gold.PAGE,
    ]
    assert 'href="?gold=2#gold"' in client.get(address).content.decode()
