"""What is too long for its column is refused, whoever sends it, and never cut."""

from __future__ import annotations

import pytest
from django.urls import reverse

from labeling.catalog.guidelines import LONGEST_CHECK, LONGEST_CRITERIA, MAX_CHECKS
from labeling.catalog.models import Guideline
from labeling.catalog.services import amend_guideline
from labeling.refusals import Refused
from tests.factories import make_member, make_project

CLASS = "functional"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("note", {"note": "x" * 301, "criteria": {CLASS: "Bright."}}),
        ("criteria", {"note": "Longer", "criteria": {CLASS: "x" * (LONGEST_CRITERIA + 1)}}),
        ("checklist", {"note": "Longer", "checklist": {CLASS: ["x" * (LONGEST_CHECK + 1)]}}),
        ("checklist", {"note": "More", "checklist": {CLASS: [str(each) for each in range(MAX_CHECKS + 1)]}}),
    ],
)
@pytest.mark.django_db
def test_a_guideline_takes_no_text_that_it_would_have_to_cut(field: str, change: dict[str, object]) -> None:
    project = make_project()
    admin = make_member(project, "admin")
    with pytest.raises(Refused) as refused:
        amend_guideline(project=project, by=admin, **change)
    assert refused.value.status == 422 and field in refused.value.fields
    assert Guideline.objects.filter(project=project).count() == 1


@pytest.mark.django_db
def test_what_a_template_or_an_editor_may_hold_a_reviewer_may_amend() -> None:
    """One limit for all: a class as long as may be comes back from the review desk as it was."""
    project = make_project()
    admin = make_member(project, "admin")
    amend_guideline(project=project, by=admin, note="Long", criteria={CLASS: "x" * LONGEST_CRITERIA})
    newest = Guideline.objects.filter(project=project).order_by("-number")[0]
    assert newest.definitions.get(label_class__key=CLASS).criteria == "x" * LONGEST_CRITERIA


@pytest.mark.django_db
def test_a_reason_that_is_too_long_is_refused_on_the_page(client: object) -> None:
    project = make_project()
    admin = make_member(project, "admin")
    client.force_login(admin)  # type: ignore[attr-defined]
    page = client.post(  # type: ignore[attr-defined]
        reverse("frontier-open-band", args=[project.slug]), {"reason": "x" * 301}, follow=True
    )
    assert "300 can be kept" in page.content.decode()
