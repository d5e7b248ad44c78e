"""A label that one answer settled is people's, took one decision, and is never told as the machine's."""

from __future__ import annotations

from uuid import uuid4

import pytest

from labeling.catalog.models import Item
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import log_activity
from labeling.frontier.models import Certificate, CertificationRun
from labeling.frontier.selectors import decided_alone
from labeling.frontier.status import frontier_status
from labeling.overview.dashboard import build as figures
from labeling.overview.dashboard.history import history
from labeling.overview.dashboard.timeline import frames
from labeling.overview.diary import diary
from labeling.overview.page import overview
from labeling.truth.models import Annotation
from labeling.truth.services import withdraw_assisted
from tests.frontier.living import make_living
from tests.frontier.promised import NEVER, decides, inside, one_answer_settles, under
from tests.frontier.proving import Pool, make_pool

pytestmark = pytest.mark.django_db


def two_answers(pool: Pool, item: Item) -> None:
    for person in pool.labelers:
        Annotation.objects.create(
            key=uuid4(),
            project=pool.project,
            item=item,
            labeler=person,
            kind="class",
            label_class=pool.classes["functional"],
            guideline=current_guideline(pool.project),
            draw="rank",
            view_ms=9000,
            context={},
        )
    pool.settle(item, "functional")


def worked(photos: int = 100) -> Pool:
    """Ten strict labels of two answers and 9 s each, six of one answer and 1.5 s, four by the machine."""
    pool = make_pool(photos, slug="cells")
    proof = under(pool, "assisted")["functional"]
    ring, sure = inside(pool, 0.2, 0.6), inside(pool, 0.6, 1.0)
    for item in ring[6:16]:
        two_answers(pool, item)
    for item in ring[:6]:
        one_answer_settles(pool, proof, item)
    for item in sure[:4]:
        decides(pool, proof, item)
    return pool


def test_images_and_hours_are_what_one_counts_by_hand() -> None:
    pool = worked()
    head = figures.dashboard(pool.project).headline
    assert (head.images, head.by_people, head.by_machine, head.by_one_answer) == (20, 16, 4, 6)
    assert head.human_decisions == 26
    assert head.per_decision == pytest.approx(20 / 26)
    assert head.all_human == pytest.approx(10 / 20), "strict labels, by what they took"
    assert head.times == pytest.approx(2 * 20 / 26)
    assert head.hours == pytest.approx((20 * 9 + 6 * 1.5) / 3600)
    assert head.hours_per_1000_all_human == pytest.approx(1000 * 18 / 3600)
    assert figures.says(head) == (
        "The machine decided 20\u00a0% of 20 images, and one answer that agreed with it settled 30\u00a0%: "
        "each human decision "
        "settles 1.5 times as many as people alone would."
    )
    assert figures.panel(pool.project, "decided").title == (
        "The machine decided 20\u00a0% of 20 images, and one answer that agreed with it settled 30\u00a0%"
    )
    assert figures.panel(pool.project, "decided").rows[-1]["one_answer"] == 6
    assert figures.panel(pool.project, "per-decision").rows[-1]["all_human"] == pytest.approx(0.5)
    assert figures.panel(pool.project, "hours").rows[-1]["all_human"] == pytest.approx(20 * 18 / 3600)
    now = frontier_status(pool.project)
    assert (decided_alone(pool.project), now.decided, now.assisted) == (4, 4, head.by_one_answer)
    shown = overview(pool.project, pool.admin)
    assert (shown["decided"], shown["per_decision"]) == (20, pytest.approx(20 / 26))


def test_withdrawn_and_confirmed_labels_are_no_more_those_of_one_answer() -> None:
    pool = worked()
    ring = inside(pool, 0.2, 0.6)
    withdraw_assisted(project=pool.project, item_ids=[item.pk for item in ring[:2]])
    pool.settle(ring[2], "functional")
    total = history(pool.project).total
    assert (total.by_people, total.by_one_answer, total.strict) == (14, 3, 11)
    assert total.assisted_s == pytest.approx(3 * 1.5)
    assert frontier_status(pool.project).assisted == 3


def test_without_a_second_reader_the_figures_are_as_before() -> None:
    pool = make_pool(20, slug="cells")
    two_answers(pool, pool.items[0])
    head = figures.dashboard(pool.project).headline
    assert (head.by_one_answer, head.all_human, head.per_decision) == (0, 0.5, 0.5)
    assert figures.says(head) == "People decided all 1 images so far."


def test_the_frontier_over_time_shows_the_ring() -> None:
    living = make_living()
    assert not any("ring" in line for line in frames(living.project)[-1].lines)
    proof = Certificate.objects.filter(project=living.project).order_by("-id")[0]
    run, copy = CertificationRun.objects.get(pk=proof.run_id), proof
    run.pk = copy.pk = None
    run.save()
    copy.run, copy.threshold, copy.assisted = run, NEVER, 0.0
    copy.save()
    assert any("ring" in line for line in frames(living.project)[-1].lines)


def said(pool: Pool, kind: str, **data: object) -> str:
    log_activity(project=pool.project, kind=kind, **data)
    return diary(pool.project)[0].text


def test_the_diary_tells_a_certificate_with_its_promise() -> None:
    pool = make_pool(20, slug="cells")
    figures_of = {
        "class": "functional",
        "model": 1,
        "precision": 0.95,
        "coverage": 0.4,
        "n": 230,
        "errors": 4,
    }
    assert said(pool, "certified", **figures_of) == (
        "Certified: 95\u00a0% of what version 1 says is Functional, for the surest 40\u00a0% of it (4 wrong "
        "of 230 random labels)."
    )
    assert said(pool, "certified", **figures_of, promise="assisted", ring_n=140, ring_errors=2) == (
        "Certified, with version 1 as second reader of Functional: 95\u00a0% of the surest 40\u00a0%, which "
        "it decides alone (4 wrong "
        "of 230 random labels), and 95\u00a0% of what one answer settles beside it (2 wrong of 140)."
    )
    ring_only = figures_of | {"n": 0, "errors": 0, "coverage": 0.0}
    assert said(pool, "certified", **ring_only, promise="assisted", ring_n=140, ring_errors=2) == (
        "Certified, with version 1 as second reader of Functional: 95\u00a0% of what one answer settles (2 "
        "wrong of 140 random "
        "labels). It decides nothing of it alone."
    )
    delivered = figures_of | {"precision": 0.9}
    assert said(pool, "certified", **delivered, promise="delivered", of_all=0.95) == (
        "Certified, the delivered set: 95\u00a0% of all labels, and 90\u00a0% of what version 1 decides alone "
        "(4 wrong of 230 random "
        "labels); it decides Functional."
    )


def test_the_diary_tells_how_many_labels_a_suspension_withdrew() -> None:
    pool = make_pool(20, slug="cells")
    audit = {"class": "functional", "model": 1, "reason": "audit", "note": "", "errors": 5, "audited": 20}
    assert said(pool, "certificate_suspended", **audit, photos=9, part="assisted", withdrawn=7) == (
        "The certificate for Functional is suspended: 5 of 20 audited labels were wrong. 9 photos went back to people. 7 "
        "labels that one answer had settled were withdrawn, and wait for a second person."
    )
    assert said(pool, "certificate_suspended", **audit, photos=9) == (
        "The certificate for Functional is suspended: 5 of 20 audited decisions were wrong. 9 photos went back to people."
    )
