"""Numbers that people type into forms: read on any keyboard, and what is none changes nothing."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from labeling.frontier.models import FrontierPolicy
from labeling.text.number_fields import PercentField
from labeling.text.typed_numbers import real, whole
from tests.factories import make_project


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        (" 7 ", 7),
        ("１２", 12),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("12345678", None),
    ],
)
def test_a_whole_number_has_digits_and_not_too_many(text: str, number: int | None) -> None:
    assert whole(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,5", 1.5),
        ("９８．５", 98.5),
        ("-2", -2.0),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("", None),
        ("x", None),
        ("9²", None),
        ("0,5", 0.5),
        (" .5 ", 0.5),
        ("0,005", 0.005),
        ("98,25", 98.25),
        ("1000", 1000.0),
        ("1,000", None),
        ("１，０００", None),
        ("-12,345", None),
        ("1,000,000", None),
        ("1,000.5", None),
        ("1.5.2", None),
        ("--2", None),
        ("9_9", None),
        ("1e3", None),
        ("9" * 400, None),
    ],
)
def test_a_real_number_is_finite_and_read_in_one_way_only(text: str, number: float | None) -> None:
    assert real(text) == number


@pytest.mark.parametrize(
    ("typed", "share", "shown"),
    [("2", 0.02, "2"), ("0,5", 0.005, "0.5"), ("98.25", 0.9825, "98.25"), ("7", 0.07, "7")],
)
def test_a_percent_field_reads_and_shows_a_share_as_so_many_per_cent(
    typed: str, share: float, shown: str
) -> None:
    field = PercentField(min_value=0, max_value=1)
    assert (field.clean(typed), field.prepare_value(share)) == (share, shown)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1,000", "A number of per cent."),
        ("1e400", "A number of per cent."),
        ("", "A number of per cent."),
        ("101", "From 0.5 to 100\u00a0%."),
    ],
)
def test_a_percent_field_says_its_limits_in_per_cent(typed: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PercentField(min_value=0.005, max_value=1).clean(typed)
    assert refused.value.messages == [said]


def test_a_share_that_comes_back_as_it_was_shown_is_no_change() -> None:
    field = PercentField()
    kept = 0.123456789123
    assert not field.has_changed(kept, field.prepare_value(kept))
    assert field.has_changed(kept, "12.4")


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["nan", "inf", "-inf", "ninety", "1,000", "9_8"])
def test_what_is_no_number_is_no_policy(typed: str) -> None:
    project = make_project()
    client = Client()
    client.force_login(project.created_by)
    form = {
        "promise": "alone",
        "floor": "90",
        "delta": "5",
        "audit_share": "5",
        "planned_labels": "1000",
        "mode": "off",
        "reason": "",
        "precision": typed,
    }
    answer = client.post(reverse("frontier-policy", args=[project.slug]), form)
    assert answer.status_code == 422 and "A number of per cent." in answer.content.decode()
    assert not FrontierPolicy.objects.filter(project=project).exists()
