"""Krippendorff's alpha, counted by the database, is the published one."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pandas as pd
import pytest
from django.utils import timezone

from labeling.catalog.selectors import current_guideline
from labeling.truth.alpha import Reliability, alpha_by_band, alpha_since, nominal_alpha
from labeling.truth.models import Annotation, Retraction
from labeling.truth.tasks import answers_frame, krippendorff
from tests.factories import make_items, make_member, make_project

#: Krippendorff's example of four observers, twelve units, five values and missing answers: nominal alpha .743.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def of_units(units: list[list[int]]) -> float | None:
    paired = [Counter(unit) for unit in units if len(unit) >= 2]
    totals = sum(paired, Counter())
    differ = sum((u.total() ** 2 - sum(n * n for n in u.values())) / (u.total() - 1) for u in paired)
    return nominal_alpha(totals.values(), differ)


def test_the_published_example_comes_out() -> None:
    units = [[value for value in column if value is not None] for column in zip(*OBSERVERS, strict=True)]
    assert of_units(units) == pytest.approx(0.743, abs=0.0005)


def test_agreement_by_chance_is_near_zero_and_perfect_agreement_is_one() -> None:
    dice = random.Random(1)
    assert of_units([[dice.randrange(3), dice.randrange(3)] for _ in range(5000)]) == pytest.approx(
        0, abs=0.05
    )
    assert of_units([[1, 1], [2, 2]]) == 1
    assert of_units([[1, 2], [1, 2]]) == pytest.approx(-0.5)


def test_without_a_pair_or_with_one_value_it_is_undefined() -> None:
    assert of_units([]) is None
    assert of_units([[1], [2]]) is None
    assert of_units([[1, 1], [1, 1, 1]]) is None


@pytest.mark.django_db
def test_the_database_counts_what_the_reference_counts() -> None:
    project = make_project(answers_per_image=3)
    people = [make_member(project) for _ in range(3)]
    classes = list(project.label_classes.order_by("pk"))
    guideline, dice = current_guideline(project), random.Random(3)
    began = timezone.now()
    answers = []
    for place, item in enumerate(make_items(project, 60)):
        for person in people[: dice.choice((1, 2, 3, 3))]:
            said = dice.choices((*classes, None), (6, 2 + 4 * (place % 2), 1))[0]
            answers.append(
                Annotation.objects.create(
                    project=project,
                    item=item,
                    labeler=person,
                    key=uuid4(),
                    kind="class" if said else "hold",
                    label_class=said,
                    reason="" if said else "between",
                    guideline=guideline,
                    draw="rank",
                    context={"band": place % 2},
                    view_ms=500,
                )
            )
    Retraction.objects.create(annotation=answers[0], by=answers[0].labeler)
    frame = answers_frame(project)
    alpha, photos, _n = krippendorff(frame)
    everything = alpha_since(project, None)
    assert everything.photos == photos
    assert everything.alpha == pytest.approx(alpha)
    bands = alpha_by_band(project)
    items = {a.item_id: a.context["band"] for a in answers}
    for band in (0, 1):
        mine: pd.DataFrame = frame[frame["item"].map(items) == band]
        alpha, photos, _n = krippendorff(mine)
        assert bands[band].photos == photos
        assert bands[band].alpha == pytest.approx(alpha)
    assert alpha_since(project, began) == everything
    assert alpha_since(project, timezone.now() + timedelta(seconds=1)) == Reliability(0, None)
