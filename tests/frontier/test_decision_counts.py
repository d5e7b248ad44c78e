"""What the machine decided is counted by the database: right after each kind of change, and against a recount."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.database.kept_counts import counts
from labeling.frontier.decisions import counts as decision_counts
from labeling.frontier.models import AutomaticDecision, CertificateEnd, DecisionOverruled
from labeling.frontier.services import decide
from labeling.frontier.tasks import check_decision_counts
from labeling.truth.models import GroundTruth, Tally
from labeling.truth.tasks import check_counts
from tests.database import without_triggers
from tests.frontier.proving import Pool, certified_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool() -> Pool:
    made = certified_pool()
    made.policy(mode="on", audit_share=0.0)
    decide(project=made.project)
    return made


def kept(pool: Pool, what: str) -> dict[tuple[str, ...], int]:
    return {each.key: each.n for each in counts(pool.project, what)}


def open_photos(pool: Pool) -> int:
    return sum(each.n for each in decision_counts.decided_now([pool.project]) if not each.settled)


def test_each_kind_of_change_is_counted_at_once(pool: Pool) -> None:
    first, second, third, *rest = AutomaticDecision.objects.filter(project=pool.project).order_by("id")
    made = 3 + len(rest)
    assert kept(pool, "decisions") == {("came",): made}
    DecisionOverruled.objects.create(decision=first, by=pool.admin, reason="a crack")
    pool.settle(second.item)
    assert open_photos(pool) == made - 2
    truth = GroundTruth.objects.get(item=second.item)
    GroundTruth.objects.create(
        project=pool.project,
        item=second.item,
        kind="withdrawn",
        origin="withdrawal",
        draw=truth.draw,
        supersedes=truth,
        guideline=truth.guideline,
    )
    # It stands decided again, though people had settled it once.
    assert open_photos(pool) == made - 1
    CertificateEnd.objects.create(certificate=third.certificate, kind="later", reason="later")
    assert open_photos(pool) == made - 1
    CertificateEnd.objects.create(certificate=third.certificate, kind="suspended", reason="admin")
    DecisionOverruled.objects.create(decision=third, by=pool.admin, reason="late")
    suspended = sum(each.certificate_id == third.certificate_id for each in (third, *rest))
    assert open_photos(pool) == made - 1 - suspended - (second.certificate_id == third.certificate_id)
    assert kept(pool, "decisions") == {
        ("came",): made,
        ("went", "overruled"): 1,
        ("went", "settled"): 1,
        ("went", "suspended"): suspended,
        ("overruled",): 2,
    }
    assert decision_counts.mend() == 0


def test_several_decisions_of_one_photo_in_one_statement_count_it_once(pool: Pool) -> None:
    one = AutomaticDecision.objects.filter(project=pool.project).earliest("id")
    before = open_photos(pool)
    others = pool.project.certificates.exclude(pk=one.certificate_id)
    assert others
    AutomaticDecision.objects.bulk_create(
        [
            AutomaticDecision(
                **{
                    name: getattr(one, name)
                    for name in ("project", "item", "model_version", "label_class", "confidence", "audit")
                },
                probabilities=one.probabilities,
                mode=mode,
                certificate=other,
            )
            for other in others
            for mode in ("on", "shadow")
        ]
    )
    assert open_photos(pool) == before
    assert decision_counts.mend() == 0


def test_the_nights_leave_each_other_alone_and_put_right_what_was_written_past_the_triggers(
    pool: Pool,
) -> None:
    right = open_photos(pool)
    check_counts(0)
    assert open_photos(pool) == right > 0
    with without_triggers():
        Tally.objects.create(project=pool.project, what="decided", key=["open", "1"], n=5)
        AutomaticDecision.objects.filter(project=pool.project).update(
            created_at=timezone.now() - timedelta(days=1)
        )
    assert open_photos(pool) == right + 5
    check_decision_counts(0)
    assert open_photos(pool) == right
    assert decision_counts.mend() == 0
