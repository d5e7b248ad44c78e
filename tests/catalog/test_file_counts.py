"""Files by outcome are counted by the database, as they are listed, taken in, and removed."""

from __future__ import annotations

import pytest
from django.db.models import F

from labeling.catalog import file_counts
from labeling.catalog.file_counts import files_by_outcome
from labeling.catalog.models import IntakeBatch, IntakeFile
from labeling.catalog.tasks import check_file_counts
from tests.database import without_triggers
from tests.factories import make_project

pytestmark = pytest.mark.django_db


def test_files_are_counted_as_they_are_listed_taken_in_and_removed() -> None:
    project = make_project()
    one, other = (
        IntakeBatch.objects.create(project=project, source="folder", created_by=project.created_by)
        for _ in range(2)
    )
    IntakeFile.objects.bulk_create(
        IntakeFile(batch=batch, name=f"{n}.png", path=f"{n}.png")
        for n, batch in enumerate([one, one, one, other])
    )
    none = dict.fromkeys(files_by_outcome([one])[one.pk], 0)
    assert files_by_outcome([one, other]) == {one.pk: none | {"pending": 3}, other.pk: none | {"pending": 1}}
    one.files.filter(name="0.png").update(outcome="refused")
    one.files.update(name=F("path"))
    other.files.all().delete()
    assert files_by_outcome([one, other]) == {one.pk: none | {"pending": 2, "refused": 1}, other.pk: none}
    assert file_counts.mend() == 0
    with without_triggers():
        one.files.update(outcome="added")
    check_file_counts(0)
    assert files_by_outcome([one])[one.pk] == none | {"added": 3}
