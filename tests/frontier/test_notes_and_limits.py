"""Forms say their limits in their own unit, and keep a person's words whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Project
from labeling.frontier.models import FrontierPolicy
from labeling.monitors.models import MonitorThresholds
from tests.factories import make_project

pytestmark = pytest.mark.django_db

POLICY = {
    "promise": "alone",
    "floor": "90",
    "precision": "98",
    "delta": "5",
    "audit_share": "5",
    "planned_labels": "1000",
    "mode": "off",
    "reason": "",
}
THRESHOLDS = {
    "drift_level": "0.5",
    "window": "100",
    "calibration": "5",
    "agreement": "70",
    "speed": "2",
    "queue_days": "30",
    "reason": "",
}


def sent(project: Project, page: str, form: dict[str, str]) -> Any:
    client = Client()
    client.force_login(project.created_by)
    return client.post(reverse(page, args=[project.slug]), form, follow=True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"precision": "0.5"}, "From 50 to 99.9\u00a0%."),
        ({"delta": "60"}, "From 0.1 to 50\u00a0%."),
        ({"audit_share": "101"}, "From 0 to 100\u00a0%."),
        ({"planned_labels": "7"}, "From 20 to 1000000."),
        ({"mode": "on"}, "Say why the machine may decide from now on: it is kept."),
        ({"precision": "97", "reason": "x" * 301}, "These are 301 characters, and 300 can be kept."),
    ],
)
def test_a_policy_out_of_range_is_refused_in_the_unit_of_the_form(typed: dict[str, str], said: str) -> None:
    project = make_project()
    answer = sent(project, "frontier-policy", POLICY | typed)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not FrontierPolicy.objects.filter(project=project).exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"drift_level": "30"}, "From 0.0001 to 20\u00a0%."),
        ({"window": "10"}, "From 30 to 2000."),
        ({"window": "99.5"}, "A whole number."),
        ({"window": "1,000"}, "A whole number."),
        ({"queue_days": "1,000"}, "A number."),
        ({"agreement": "170"}, "From 0 to 100\u00a0%."),
        ({"speed": "1"}, "From 1.1 to 100."),
        ({"speed": "3", "reason": "x" * 301}, "These are 301 characters, and 300 can be kept."),
    ],
)
def test_a_threshold_out_of_range_is_refused_in_the_unit_of_the_form(
    typed: dict[str, str], said: str
) -> None:
    project = make_project()
    answer = sent(project, "monitors-thresholds", THRESHOLDS | typed)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not MonitorThresholds.objects.filter(project=project).exists()


def test_a_reason_too_long_to_keep_opens_no_band() -> None:
    project = make_project()
    answer = sent(project, "frontier-open-band", {"reason": "x" * 5000})
    assert "These are 5000 characters, and 300 can be kept." in answer.content.decode()
    assert not project.activities.filter(kind="band_opened").exists()
