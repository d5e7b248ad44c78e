"""A certificate rests on random, strict, out-of-sample labels, names what it rests on, and is void when that changes."""

from __future__ import annotations

import hashlib

import pytest
from django.db import transaction
from django.db.utils import InternalError, ProgrammingError
from django.utils import timezone

from labeling.catalog.services import amend_guideline
from labeling.frontier.models import Certificate, CertificationPlan, CertificationRun, PlanCohort
from labeling.frontier.services import decide, draw_random, request_certification
from labeling.queue.services import claim
from labeling.refusals import Refused
from labeling.truth.models import GroundTruth
from tests.factories import make_project
from tests.frontier.proving import Pool, certified_pool, make_pool

pytestmark = pytest.mark.django_db


def look(pool: Pool) -> CertificationRun:
    request_certification(project=pool.project, by=pool.admin)
    pool.work()
    newest = CertificationRun.objects.filter(project=pool.project).first()
    assert newest is not None
    return newest


def test_right_random_labels_certify_both_classes_and_say_on_what() -> None:
    pool = certified_pool()
    found = Certificate.objects.in_force().filter(project=pool.project)
    assert {each.label_class.key for each in found} == {"functional", "defective"}
    for each in found:
        assert (each.model_version, each.guideline.number, each.precision) == (pool.model, 1, 0.9)
        assert each.bound >= 0.9
        assert 0.25 < each.coverage < 0.95
        assert each.delta < 0.05  # the first use of a sample leaves δ for later ones
        run = each.run
        lines = "".join(
            f"{truth.item.image.sha256} {truth.pk}\n"
            for item_id in run.item_ids
            for truth in GroundTruth.objects.current().filter(item_id=item_id)
        )
        assert each.digest == hashlib.sha256(lines.encode()).hexdigest()


def test_wrong_random_labels_certify_nothing_and_the_walk_says_why() -> None:
    pool = make_pool()
    pool.policy(precision=0.9, planned_labels=160)
    pool.settle_all((item, None if index % 3 else "defective") for index, item in enumerate(pool.draw(160)))
    run = look(pool)
    assert not Certificate.objects.filter(project=pool.project, label_class__key="functional").exists()
    walk = run.walks[str(pool.classes["functional"].pk)]
    failed = [step for step in walk["steps"] if step["state"] == "failed"]
    assert len(failed) == 1
    assert failed[0]["lower"] < 0.9


def test_labels_that_trained_the_version_are_never_counted() -> None:
    pool = make_pool()
    early = pool.settle_all((item, None) for item in pool.draw(100))
    pool.train(early)
    run = look(pool)
    assert run.item_ids == []
    # Drawn after the training, but settled before, by the queue, and learned from.
    trained = pool.settle(pool.items[-1])
    pool.train([trained])
    look(pool)
    pool.draw(len(pool.items))
    run = look(pool)
    assert run.counts["drawn"] == len(pool.items) - 101
    assert pool.items[-1].pk not in run.item_ids


def test_labels_drawn_before_the_plan_was_written_are_never_counted() -> None:
    pool = make_pool()
    pool.settle_all((item, None) for item in pool.draw(200))
    pool.policy(precision=0.9, planned_labels=180)
    run = look(pool)
    assert (run.counts["drawn"], run.item_ids) == (0, [])
    assert not Certificate.objects.filter(project=pool.project).exists()
    cohort = PlanCohort.objects.get(plan=run.plan)
    assert len(cohort.item_ids) == len(pool.items) - 200
    later = pool.draw(30)
    pool.settle_all((item, None) for item in later)
    assert look(pool).item_ids == [item.pk for item in later]


def test_what_people_took_from_the_region_is_not_what_is_certified() -> None:
    """They took the surest photos, all right ones, while the labels came in: of what is left the same labels prove less."""
    pool = make_pool()
    pool.policy(precision=0.9, planned_labels=180)
    said = pool.wrong_below(0.45, pool.draw(200))
    drawn = {item.pk for item, _key in said}
    surest = sorted(pool.items, key=lambda item: -pool.margin[item.pk])
    pool.settle_all((item, None) for item in surest[:200] if item.pk not in drawn)
    pool.settle_all(said)
    run = look(pool)
    for name, walk in run.walks.items():
        for step in walk["steps"]:
            inside = [
                item.pk
                for item in pool.items
                if str(pool.classes[pool.predicted[item.pk]].pk) == name
                and pool.margin[item.pk] >= step["threshold"]
            ]
            taken = set(GroundTruth.objects.filter(item__in=inside).values_list("item_id", flat=True))
            assert (step["photos"], step["rest"]) == (len(inside), len(inside) - len(taken))
            assert step["known"] == sum(pool.margin[pk] < 0.45 for pk in taken)
            if step["state"] == "certified":
                rest = [pk for pk in inside if pk not in taken]
                assert sum(pool.margin[pk] < 0.45 for pk in rest) <= 0.1 * len(rest)


def test_a_certificate_stops_when_people_take_so_much_that_the_rest_may_be_worse() -> None:
    pool = certified_pool()
    certificate = Certificate.objects.in_force().get(project=pool.project, label_class__key="functional")
    inside = [
        item
        for item in pool.items
        if pool.predicted[item.pk] == "functional" and pool.margin[item.pk] >= certificate.threshold
    ]
    settled = set(GroundTruth.objects.filter(item__in=inside).values_list("item_id", flat=True))
    free = [item for item in inside if item.pk not in settled]
    pool.settle_all((item, None) for item in free[len(free) // 4 :])
    pool.policy(mode="on", audit_share=0.0)
    decide(project=pool.project)
    assert not pool.project.automatic_decisions.filter(label_class=certificate.label_class).exists()
    assert pool.project.automatic_decisions.filter(label_class__key="defective").exists()


def test_labels_that_the_queue_chose_are_never_counted() -> None:
    pool = make_pool()
    look(pool)
    pool.settle_all((item, None) for item in pool.items[:100])
    run = look(pool)
    assert (run.counts["drawn"], run.item_ids) == (0, [])


def test_the_sample_ends_before_the_first_photo_that_is_still_open() -> None:
    pool = make_pool()
    look(pool)
    drawn = pool.draw(30)
    for item in [*drawn[:10], *drawn[11:]]:
        pool.settle(item)
    run = look(pool)
    assert run.item_ids == [item.pk for item in drawn[:10]]
    assert (run.counts["open"], run.counts["behind"]) == (1, 19)
    pool.settle(drawn[10])
    assert look(pool).item_ids == [item.pk for item in drawn]


@pytest.mark.parametrize(("are_errors", "errors"), [(True, 6), (False, 0)])
def test_holds_count_as_errors_unless_the_project_says_otherwise(are_errors: bool, errors: int) -> None:
    pool = make_pool()
    pool.policy(precision=0.6, planned_labels=200, undecided_are_errors=are_errors)
    drawn = pool.draw(200)
    for item in drawn[:6]:
        pool.settle(item, kind="hold")
    pool.settle_all((item, None) for item in drawn[6:])
    run = look(pool)
    last = [walk["steps"][-1] for walk in run.walks.values()]
    assert sum(step["errors"] for step in last) == errors
    assert run.counts["undecided"] == 6 - errors
    # Where they are no errors, the rest that may be wrong is that of the photos that people can decide.
    rest = sum(step["rest"] for step in last)
    assert rest == 200 if are_errors else 192 <= rest <= 194


def test_a_certificate_is_void_when_the_guideline_changes() -> None:
    pool = certified_pool()
    amend_guideline(
        project=pool.project, by=pool.admin, note="Stricter", criteria={"defective": "Any crack."}
    )
    assert not Certificate.objects.in_force().filter(project=pool.project).exists()
    ends = [each.ends.get() for each in Certificate.objects.filter(project=pool.project)]
    assert {(end.kind, end.reason) for end in ends} == {("void", "guideline")}
    # What was settled under the old criteria proves nothing of the new ones.
    assert look(pool).item_ids == []


def test_a_certificate_is_void_when_another_version_is_promoted() -> None:
    pool = certified_pool()
    pool.train(list(GroundTruth.objects.filter(project=pool.project)))
    assert {each.ends.get().reason for each in Certificate.objects.filter(project=pool.project)} == {"model"}
    pool.work()
    assert not Certificate.objects.in_force().filter(project=pool.project).exists()


def test_another_wished_precision_voids_and_asks_for_labels_of_its_own_plan() -> None:
    pool = certified_pool()
    pool.policy(precision=0.85)
    assert {e.ends.get().reason for e in Certificate.objects.filter(project=pool.project, precision=0.9)} == {
        "policy"
    }
    pool.work()
    spent = list(CertificationPlan.objects.order_by("pk").values_list("delta", flat=True))
    assert spent == pytest.approx([0.8 * 0.05, 0.1 * 0.05])
    assert CertificationRun.objects.filter(project=pool.project)[0].item_ids == []


def test_looking_again_costs_nothing_and_changes_nothing() -> None:
    pool = certified_pool()
    before = list(Certificate.objects.filter(project=pool.project).values_list("pk", flat=True))
    look(pool)
    assert list(Certificate.objects.filter(project=pool.project).values_list("pk", flat=True)) == before
    assert CertificationPlan.objects.filter(project=pool.project).count() == 1


def test_the_page_is_told_how_many_more_random_labels_a_step_needs() -> None:
    pool = make_pool()
    pool.policy(precision=0.9, planned_labels=160)
    for item in pool.draw(20):
        pool.settle(item)
    run = look(pool)
    for walk in run.walks.values():
        failed = next(step for step in walk["steps"] if step["state"] == "failed")
        assert failed["more_without_errors"] > 0


def test_certifying_before_there_is_a_champion_is_refused() -> None:
    project = make_project()
    with pytest.raises(Refused, match="promote"):
        request_certification(project=project, by=project.created_by)


def test_certificates_and_looks_are_never_changed_or_deleted() -> None:
    certified_pool()
    for row in (
        Certificate.objects.all()[0],
        CertificationRun.objects.all()[0],
        CertificationPlan.objects.all()[0],
    ):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(created_at=timezone.now())


def test_random_photos_that_an_admin_asks_for_come_first_in_the_order_of_the_audit_and_then_count() -> None:
    pool = make_pool()
    look(pool)
    following = [item.pk for item in sorted(pool.items, key=lambda item: item.random_key)[:30]]
    assert draw_random(project=pool.project, by=pool.admin, count=30) == 30
    slots = claim(project=pool.project, labeler=pool.labelers[0], count=8)
    assert {slot.item_id for slot in slots} <= set(following)
    assert {slot.draw for slot in slots} == {"audit"}
    by_id = {item.pk: item for item in pool.items}
    for item_id in following:
        pool.settle(by_id[item_id])
    assert look(pool).item_ids == following
    with pytest.raises(Refused):
        draw_random(project=pool.project, by=pool.admin, count=0)
