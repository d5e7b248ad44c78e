"""The benchmark's people settle a photo alike, by hand through the services and in bulk by the same rule."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.frontier_stream import Site, Stream, draw_stream
from labeling.frontier.services import draw_random
from labeling.queue.models import Entry
from labeling.truth.models import Annotation, Dispute, GroundTruth
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def site(slug: str, stream: Stream) -> Site:
    return Site(
        slug,
        stream,
        seed=5,
        admin=make_user(),
        labelers=[make_user(), make_user()],
        reviewer=make_user(),
    )


def told(site: Site) -> dict[int, tuple[str, str, str]]:
    """Place in the stream -> the class, how it came about, and why the photo was shown."""
    keys = dict(zip(site.classes, ("functional", "defective"), strict=True))
    rows = GroundTruth.objects.current().filter(project=site.project)
    return {
        site.place[truth.item_id]: (keys[truth.label_class_id or 0], truth.origin, truth.draw)
        for truth in rows
    }


def test_by_hand_and_in_bulk_photos_end_alike_at_the_same_cost() -> None:
    rng = np.random.default_rng(3)
    probability = np.array([0.0, 1 / 3, 2 / 3, 1.0])
    stream = draw_stream(rng, probability, np.arange(4), np.full((4, 2), 0.5), 60)
    by_hand, in_bulk = site("by-hand", stream), site("in-bulk", stream)
    for each in (by_hand, in_bulk):
        assert draw_random(project=each.project, by=each.admin, count=40) == 40
    places = by_hand.open_drawn()
    # Both projects walk the same photos in the same order.
    assert sorted(places) == sorted(in_bulk.open_drawn())
    assert by_hand.settle_by_hand(1000) == 80
    in_bulk.settle_in_bulk(places)

    assert told(by_hand) == told(in_bulk)
    assert {origin for _key, origin, _draw in told(by_hand).values()} == {"agreement", "ruling"}
    assert by_hand.spent == in_bulk.spent == int(stream.human_decisions[places].sum())
    for each in (by_hand, in_bulk):
        assert each.open_drawn() == []
        assert not Dispute.objects.open().filter(project=each.project).exists()
        assert Entry.objects.filter(ranking__project=each.project).count() == 20
        assert Annotation.objects.filter(project=each.project).count() == 80


def test_in_bulk_answers_that_are_there_already_are_kept_and_not_asked_again() -> None:
    stream = draw_stream(
        np.random.default_rng(4), np.array([0.0, 1.0]), np.arange(2), np.full((2, 2), 0.5), 10
    )
    here = site("begun", stream)
    draw_random(project=here.project, by=here.admin, count=4)
    here.settle_by_hand(2)
    given = Annotation.objects.filter(project=here.project).count()
    assert 0 < given < 8
    here.settle_in_bulk(here.open_drawn())
    assert Annotation.objects.filter(project=here.project).count() == here.spent == 8
    assert len(told(here)) == 4
