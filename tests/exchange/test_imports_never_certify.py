"""A photo that an import has labeled proves nothing, by whatever way it came in, and whatever people say of it later."""

from __future__ import annotations

import pytest
from django.utils import timezone

from labeling.catalog.models import Item
from labeling.catalog.selectors import current_guideline
from labeling.exchange.imports.services import undo_import
from labeling.exchange.models import Use
from labeling.frontier.compute.certifying import plan_for
from labeling.frontier.compute.sample import Draws, draws
from labeling.frontier.models import CertificationPlan
from labeling.frontier.policy import policy_of
from labeling.frontier.standing import of_truth
from labeling.learning.accuracy import audited
from labeling.learning.models import Score
from labeling.queue.services import claim
from labeling.truth.models import Dispute, GroundTruth
from labeling.truth.services import rule
from tests.exchange.bringing import bring, run, table
from tests.factories import make_member
from tests.queue.conftest import answer_with
from tests.queue.sweeps import Field, kept_field


@pytest.fixture
def field(db: None) -> Field:
    """A plan that speaks of all photos, each predicted as the first class."""
    found = kept_field()
    Score.objects.bulk_create(
        Score(
            model_version=found.model,
            item=item,
            predicted_id=found.model.classes[0],
            confidence=0.8,
            probabilities=[0.9, 0.1],
        )
        for item in found.items
    )
    planned(found)
    return found


def planned(field: Field) -> CertificationPlan:
    return plan_for(field.project, field.model, current_guideline(field.project), policy_of(field.project))


def drawn(field: Field, *items: Item) -> Draws:
    """The audit draws these photos now."""
    Item.objects.filter(pk__in=[item.pk for item in items]).update(audit_drawn_at=timezone.now())
    return draws(planned(field))


def key_of(field: Field) -> str:
    return str(field.project.label_classes.get(pk=field.model.classes[0]).key)


@pytest.mark.parametrize("use", [Use.TRAIN, Use.ANSWER])
def test_what_was_imported_counts_as_wrong_though_the_machine_says_the_same(field: Field, use: str) -> None:
    first, second = field.items[:2]
    bring(
        field.project,
        "labels.csv",
        table(
            [(each.image.sha256, key_of(field), "") for each in (first, second)],
            ("sha256", "class", "annotator"),
        ),
        use=use,
    )
    for person in [make_member(field.project) for _n in range(2)] if use == Use.ANSWER else []:
        for slot in claim(project=field.project, labeler=person, count=32):
            if slot.item_id in (first.pk, second.pk):
                answer_with(field.project, slot, key_of(field))
    assert GroundTruth.objects.current().filter(item__in=[first, second]).count() == 2
    found = drawn(field, first, second)
    assert [label.correct for label in found.labels] == [False, False]
    assert (found.counts["drawn"], found.counts["open"], found.counts["gold"]) == (2, 0, 2)
    # Nor do they judge the version, nor stand under a promise, nor belong to what a later plan speaks of.
    assert audited(field.model).whole == 0
    assert {of_truth(truth)[0] for truth in GroundTruth.objects.filter(item__in=[first, second])} == {""}
    field.project.frontier_policies.create(precision=0.9)
    assert not {first.pk, second.pk} & set(planned(field).cohort.item_ids)


def test_taken_back_it_still_proves_nothing(field: Field) -> None:
    photo = field.items[0]
    head = ("sha256", "class", "annotator")
    of = bring(
        field.project, "labels.csv", table([(photo.image.sha256, key_of(field), "")], head), use=Use.TRAIN
    )
    run(undo_import(of=of, by=of.created_by))
    assert not GroundTruth.objects.current().filter(item=photo).exists()
    assert [label.correct for label in drawn(field, photo).labels] == [False]


def test_a_ruling_beside_a_hint_is_told(field: Field) -> None:
    photo, other = field.items[:2]
    head = ("sha256", "class", "annotator")
    bring(field.project, "labels.csv", table([(photo.image.sha256, key_of(field), "")], head), use=Use.HINT)
    keys = [each.key for each in field.project.label_classes.order_by("pk")]
    for person, said in zip([make_member(field.project) for _n in range(2)], keys, strict=True):
        for slot in claim(project=field.project, labeler=person, count=32):
            if slot.item_id in (photo.pk, other.pk):
                answer_with(field.project, slot, said)
    for dispute in Dispute.objects.open().filter(project=field.project):
        rule(
            project=field.project,
            dispute_id=dispute.pk,
            reviewer=field.project.created_by,
            outcome="class",
            class_key=key_of(field),
        )
    found = drawn(field, photo, other)
    assert {label.item_id: label.correct for label in found.labels} == {photo.pk: False, other.pk: True}
    assert found.counts["told"] == 1
