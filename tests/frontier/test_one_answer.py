"""What one answer a photo would be worth, beside what certificates save: measured on random photos, told with its price."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Item
from labeling.catalog.selectors import current_guideline
from labeling.frontier.one_answer import LEAST_TOLD, OneAnswer, one_answer
from labeling.truth.estimates import Proportion
from labeling.truth.models import Annotation, Dispute, GroundTruth, Origin, Retraction, Ruling
from tests.frontier.proving import KEYS, Pool, make_pool

pytestmark = pytest.mark.django_db


def other(key: str) -> str:
    return KEYS[1 - KEYS.index(key)]


def say(
    pool: Pool, item: Item, key: str, *, by: int = 0, draw: str = "audit", kind: str = "class"
) -> Annotation:
    return Annotation.objects.create(
        project=pool.project,
        item=item,
        labeler=pool.labelers[by],
        key=uuid4(),
        kind=kind,
        label_class=pool.classes[key] if kind == "class" else None,
        reason="" if kind == "class" else "between",
        guideline=current_guideline(pool.project),
        draw=draw,
        view_ms=900,
    )


def settled(pool: Pool, item: Item, first: str, second: str, ruled: str = "") -> GroundTruth:
    """Two blind answers, and a ruling where they differ."""
    say(pool, item, first)
    say(pool, item, second, by=1)
    if first == second:
        return pool.settle(item, first)
    dispute = Dispute.objects.create(project=pool.project, item=item, round=1, cause="disagreement")
    ruling = Ruling.objects.create(
        dispute=dispute,
        reviewer=pool.admin,
        outcome="class",
        label_class=pool.classes[ruled],
        guideline=current_guideline(pool.project),
    )
    return GroundTruth.objects.create(
        project=pool.project,
        item=item,
        kind="class",
        label_class=pool.classes[ruled],
        origin=Origin.RULING,
        ruling=ruling,
        draw="audit",
        guideline=current_guideline(pool.project),
    )


def test_the_first_blind_answer_is_held_against_the_first_strict_word() -> None:
    pool = make_pool()
    right, overruled, against, held = drawn = pool.draw(4)
    chosen = next(item for item in pool.items if item not in drawn)
    says = pool.predicted
    settled(pool, right, says[right.pk], says[right.pk])
    # Agreed with the machine, and was wrong; then the other way round.
    settled(pool, overruled, says[overruled.pk], other(says[overruled.pk]), other(says[overruled.pk]))
    settled(pool, against, other(says[against.pk]), says[against.pk], other(says[against.pk]))
    say(pool, held, "", kind="hold")
    say(pool, held, says[held.pk], by=1)
    pool.settle(held)
    # A photo that the queue chose speaks for nobody but itself.
    settled(pool, chosen, says[chosen.pk], says[chosen.pk])
    found = one_answer(pool.project, pool.model)
    assert found.alone == Proportion(2, 4)
    assert found.agreeing == Proportion(1, 2)
    assert found.decisions == 2 + 3 + 3 + 2
    assert found.a_photo == 2.5


def test_what_was_taken_back_swept_trained_on_or_ruled_again_is_not_taken_for_blind() -> None:
    pool = make_pool()
    undone, swept, trained, again = pool.draw(4)
    says = pool.predicted
    slip = say(pool, undone, other(says[undone.pk]))
    Retraction.objects.create(annotation=slip, by=pool.labelers[0])
    settled_by_second = say(pool, undone, says[undone.pk], by=1)
    pool.settle(undone)
    assert settled_by_second.replaces_id is None
    say(pool, swept, says[swept.pk], draw="sweep")
    GroundTruth.objects.create(
        project=pool.project,
        item=swept,
        kind="class",
        label_class=pool.classes[says[swept.pk]],
        origin=Origin.AGREEMENT,
        draw="sweep",
        guideline=current_guideline(pool.project),
    )
    truth = settled(pool, trained, says[trained.pk], says[trained.pk])
    settled(pool, again, says[again.pk], says[again.pk])
    # Somebody who was shown what the model says settles it anew.
    pool.settle(again, other(says[again.pk]))
    assert one_answer(pool.project, None).agreeing == Proportion(0, 0)
    pool.train([truth])
    found = one_answer(pool.project, pool.project.model_versions.order_by("-number").first())
    assert found.alone == Proportion(3, 3)
    assert found.agreeing == Proportion(2, 2), "the photo that trained says nothing of the model"


def test_it_is_told_with_its_interval_and_its_price_or_not_at_all() -> None:
    few = OneAnswer(Proportion(LEAST_TOLD - 1, LEAST_TOLD - 1), Proportion(0, 0), 60)
    assert few.says == ""
    told = OneAnswer(Proportion(966, 1000), Proportion(0, 0), 2068).says
    assert "96.6\u00a0%" in told and "95.3\u00a0% to 97.6\u00a0%" in told and "instead of 2.07" in told
    assert "predicts" not in told
    both = OneAnswer(Proportion(966, 1000), Proportion(835, 850), 2068).says
    assert "98.2\u00a0%" in both and "not certified" in both


def test_the_page_and_the_api_say_it() -> None:
    pool = make_pool()
    for item in pool.draw(LEAST_TOLD):
        settled(pool, item, pool.predicted[item.pk], pool.predicted[item.pk])
    client = Client()
    client.force_login(pool.admin)
    page = client.get(reverse("frontier-policy", args=[pool.project.slug])).content.decode()
    assert "one answer a photo and no machine" in page
    told = client.get(reverse("api-frontier", args=[pool.project.slug])).json()["one_answer"]
    assert told == {
        "photos": LEAST_TOLD,
        "right": LEAST_TOLD,
        "agreeing": LEAST_TOLD,
        "agreeing_right": LEAST_TOLD,
        "decisions": 2 * LEAST_TOLD,
    }
