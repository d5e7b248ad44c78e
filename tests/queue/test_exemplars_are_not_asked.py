"""A photo that people are asked about blind is never shown with its class as an exemplar."""

from __future__ import annotations

import pytest

from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import amend_guideline
from labeling.queue import services
from labeling.refusals import Refused
from labeling.truth.models import Gold
from labeling.truth.services import add_gold
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


def show(setting: Setting, *hashes: str) -> None:
    amend_guideline(
        project=setting.project,
        by=setting.project.created_by,
        note="Exemplars",
        exemplars={"functional": list(hashes)},
    )


def test_gold_in_use_is_refused_and_leaves_the_guideline_as_it_was(setting: Setting) -> None:
    item, other = setting.items[:2]
    gold = Gold.objects.create(
        item=item,
        project=setting.project,
        label_class=setting.project.label_classes.get(key="functional"),
        added_by=setting.project.created_by,
    )
    before = current_guideline(setting.project)
    with pytest.raises(Refused) as refusal:
        show(setting, item.image.sha256)
    assert (refusal.value.status, set(refusal.value.fields)) == (422, {"exemplars"})
    assert current_guideline(setting.project) == before
    show(setting, other.image.sha256)
    Gold.objects.filter(pk=gold.pk).update(retired_at=gold.created_at)
    show(setting, other.image.sha256, item.image.sha256)


def test_a_photo_that_people_have_begun_is_refused_until_it_is_settled(setting: Setting) -> None:
    project = setting.project
    (slot,) = services.claim(project=project, labeler=setting.ann, count=1)
    answer_with(project, slot, "functional")
    with pytest.raises(Refused, match="answering this photo"):
        show(setting, slot.item.image.sha256)
    (second,) = services.claim(project=project, labeler=setting.bob, count=1)
    assert second.item_id == slot.item_id
    answer_with(project, second, "functional")
    show(setting, slot.item.image.sha256)


def test_an_exemplar_does_not_become_gold(setting: Setting) -> None:
    item = setting.items[0]
    show(setting, item.image.sha256)
    with pytest.raises(Refused, match="exemplar"):
        add_gold(project=setting.project, item=item, class_key="functional", by=setting.project.created_by)
    assert not Gold.objects.filter(item=item).exists()
