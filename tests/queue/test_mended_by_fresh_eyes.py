"""What a first visitor found: keys used twice, counts after a merge, rulings with stray fields, promotions gone stale."""

from __future__ import annotations

from uuid import uuid4

import pytest

from labeling.catalog.services import amend_guideline, update_settings
from labeling.learning.models import ModelVersion, Snapshot
from labeling.learning.services import promote
from labeling.queue import services
from labeling.queue.selectors import progress
from labeling.refusals import Refused
from labeling.truth.current import open_dispute
from labeling.truth.services import Answer, rule
from tests.factories import make_member
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


def test_a_key_cannot_stand_for_two_different_answers(setting: Setting) -> None:
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    key = uuid4()

    def send(choice: str) -> services.Submission:
        return services.submit(
            project=setting.project,
            labeler=setting.ann,
            lease=slot.pk,
            key=key,
            answer=Answer(kind="class", class_key=choice),
            view_ms=300,
        )

    assert send("functional").created
    assert not send("functional").created
    with pytest.raises(Refused) as refusal:
        send("defective")
    assert refusal.value.code == "key_reused"


def test_ground_truths_are_counted_under_the_class_that_they_count_as_today(setting: Setting) -> None:
    project = setting.project
    for choice in ("functional", "defective"):
        for person in (setting.ann, setting.bob):
            answer_with(project, services.claim(project=project, labeler=person, count=1)[0], choice)
    assert progress(project)["classes"] == {"defective": 1, "functional": 1}
    amend_guideline(project=project, by=project.created_by, note="One", merge={"defective": "functional"})
    assert progress(project)["classes"] == {"functional": 2}


def test_a_model_that_knows_merged_classes_is_not_promoted(setting: Setting) -> None:
    project = setting.project
    guideline = project.guidelines.get()
    classes = list(project.label_classes.order_by("pk").values_list("pk", flat=True))
    snapshot = Snapshot.objects.create(
        project=project, guideline=guideline, ground_truth_ids=[], digest="0" * 64, counts={}
    )
    version = ModelVersion.objects.create(
        project=project, number=1, snapshot=snapshot, backbone="x", backbone_hash="0" * 64, classes=classes,
        artifact="x", manifest={}, metrics={},
    )  # fmt: skip
    amend_guideline(project=project, by=project.created_by, note="One", merge={"defective": "functional"})
    with pytest.raises(Refused) as refusal:
        promote(model_version=version, by=project.created_by)
    assert refusal.value.code == "outdated_classes"


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "unusable", "reason": "nope"},
        {"outcome": "hold", "reason": "blurred"},
        {"outcome": "hold", "class_key": "functional"},
    ],
)
def test_a_ruling_with_fields_that_do_not_belong_is_refused(setting: Setting, fields: dict[str, str]) -> None:
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    answer_with(setting.project, slot, kind="hold", reason="between")
    dispute = open_dispute(slot.item_id)
    assert dispute is not None
    with pytest.raises(Refused) as refusal:
        rule(
            project=setting.project,
            dispute_id=dispute.pk,
            reviewer=make_member(setting.project, "reviewer"),
            **fields,  # type: ignore[arg-type]
        )
    assert refusal.value.status == 422
    assert open_dispute(slot.item_id) is not None


@pytest.mark.parametrize(
    "changes", [{"min_view_ms": 10**9}, {"backbone": "unheard-of"}, {"lease_seconds": 10**8}]
)
def test_settings_that_would_block_a_project_are_refused(
    setting: Setting, changes: dict[str, object]
) -> None:
    with pytest.raises(Refused) as refusal:
        update_settings(project=setting.project, by=setting.project.created_by, **changes)
    assert refusal.value.status == 422 and set(refusal.value.fields) == set(changes)


def test_a_nul_in_an_address_is_the_visitors_mistake(setting: Setting, client: object) -> None:
    from django.test import Client

    browser = Client(raise_request_exception=False)
    browser.force_login(setting.project.created_by)
    response = browser.get(f"/p/{setting.project.slug}/photos?source=%00")
    assert response.status_code == 400 and "NUL" in response.content.decode()
