"""Rulings, settings and addresses that hold what does not belong there are refused by name."""

from __future__ import annotations

import pytest

from labeling.catalog.services import update_settings
from labeling.queue import services
from labeling.refusals import Refused
from labeling.truth.current import open_dispute
from labeling.truth.services import rule
from tests.factories import make_member
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


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
