"""What a sweep has shown counts as wrong, whatever became of it; blind labels beside it count as what they say."""

from __future__ import annotations

import pytest
from django.utils import timezone

from labeling.catalog.models import Item
from labeling.catalog.selectors import current_guideline
from labeling.frontier.compute.certifying import plan_for
from labeling.frontier.compute.sample import Draws, draws
from labeling.frontier.models import CertificationPlan
from labeling.frontier.policy import policy_of
from labeling.learning.models import Score
from labeling.learning.training_set import training_set
from labeling.queue import services
from labeling.queue.sweeps.services import release_sweep
from tests.queue.conftest import answer_with
from tests.queue.sweeps import Field, kept_field, real


@pytest.fixture
def field(db: None) -> Field:
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
    project = field.project
    return plan_for(project, field.model, current_guideline(project), policy_of(project))


def drawn(field: Field, *item_ids: int) -> Draws:
    """The audit draws these photos now."""
    Item.objects.filter(pk__in=item_ids).update(audit_drawn_at=timezone.now())
    return draws(planned(field))


def test_what_was_swept_before_the_plan_is_none_of_its_cohort(field: Field) -> None:
    grid = field.claim(field.ann)
    field.hand_in(grid)
    swept = {photo.item_id for photo in real(grid)}
    assert swept <= set(planned(field).cohort.item_ids)
    field.project.frontier_policies.create(precision=0.9)
    later = planned(field)
    assert later.cohort.item_ids and not swept & set(later.cohort.item_ids)


def test_photos_that_two_people_swept_train_and_are_no_part_of_the_certifying_sample(field: Field) -> None:
    for labeler in (field.ann, field.bob):
        grid = field.claim(labeler)
        field.hand_in(grid)
    swept = [photo.item_id for photo in real(grid)]
    found = drawn(field, *swept)
    assert not any(label.correct for label in found.labels)
    assert (found.counts["swept"], found.counts["used"]) == (len(swept), len(swept))
    examples = training_set(field.project).examples
    assert {each.item_id for each in examples} == set(swept)
    assert not any(each.audit for each in examples)


def test_one_look_in_a_grid_is_enough(field: Field) -> None:
    field.hand_in(field.claim(field.ann))
    (slot,) = services.claim(project=field.project, labeler=field.bob)
    answer_with(field.project, slot)
    assert drawn(field, slot.item_id).counts["swept"] == 1


def test_marked_photos_count_as_the_others(field: Field) -> None:
    grid = field.claim(field.ann)
    odd = real(grid)[0]
    field.hand_in(grid, field.marks(grid, odd))
    for person in (field.bob, field.project.created_by):
        slots = services.claim(project=field.project, labeler=person, count=20)
        answer_with(field.project, next(slot for slot in slots if slot.item_id == odd.item_id), "defective")
    found = drawn(field, odd.item_id)
    assert (found.counts["swept"], [label.correct for label in found.labels]) == (1, [False])


def test_a_grid_that_was_only_seen_counts_as_shown(field: Field) -> None:
    grid = field.claim(field.ann)
    release_sweep(project=field.project, labeler=field.ann, sweep_id=grid.sweep.pk)
    found = drawn(field, real(grid)[0].item_id)
    assert (found.counts["swept"], found.counts["open"]) == (1, 0)


def test_blind_labels_beside_a_sweep_certify_as_before(field: Field) -> None:
    field.hand_in(field.claim(field.ann))
    inner = field.items[31]
    Item.objects.filter(pk=inner.pk).update(audit_drawn_at=timezone.now())
    services.open_next_band(project=field.project, by=field.project.created_by, reason="test")
    for person in (field.project.created_by, field.bob):
        slots = services.claim(project=field.project, labeler=person, count=32)
        answer_with(field.project, next(slot for slot in slots if slot.item_id == inner.pk))
    found = drawn(field)
    assert [label.item_id for label in found.labels] == [inner.pk]
