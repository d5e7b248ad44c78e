"""δ is each label's: wishes, roll-backs and versions that read the same labels share it, fresh labels bring their own."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.services import amend_guideline
from labeling.frontier.models import CertificationPlan, CertificationRun
from labeling.frontier.services import request_certification
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.learning.models import ModelVersion
from labeling.learning.services import promote
from tests.frontier.proving import Pool, make_pool

pytestmark = pytest.mark.django_db

DELTA = 0.05


def labels(pool: Pool, count: int = 20) -> None:
    pool.settle_all((item, None) for item in pool.draw(count))


def look(pool: Pool) -> CertificationPlan:
    request_certification(project=pool.project, by=pool.admin)
    pool.work()
    return CertificationRun.objects.filter(project=pool.project).latest("pk").plan


def back_to(pool: Pool, model: ModelVersion) -> CertificationPlan:
    promote(model_version=model, by=pool.admin)
    return look(pool)


def spent_on(label: int) -> float:
    """By all plans that ever counted this photo's label."""
    plans = CertificationPlan.objects.filter(runs__item_ids__contains=[label]).distinct()
    return sum(plan.delta for plan in plans)


def most_spent(pool: Pool) -> float:
    return max(spent_on(item.pk) for item in pool.items)


def test_fresh_labels_bring_most_of_delta_to_the_version_that_reads_them_first() -> None:
    pool = make_pool()
    pool.policy(precision=0.9)
    labels(pool)
    first = look(pool)
    pool.train([])
    labels(pool)
    second = look(pool)
    assert (first.delta, second.delta) == (0.8 * DELTA, 0.8 * DELTA)
    assert most_spent(pool) == first.delta


def test_roll_backs_to_and_fro_never_spend_more_than_delta_on_a_version() -> None:
    pool = make_pool()
    pool.policy(precision=0.9)
    a = pool.model
    labels(pool)
    look(pool)
    b = pool.train([])
    labels(pool)
    look(pool)
    again = []
    for model in (a, b, a):
        again.append(back_to(pool, model).delta)
        labels(pool)
        look(pool)
    # A plan of its own each time, which counts what is drawn from now on, and pays for what the version has looked at.
    assert again == pytest.approx([0.1 * DELTA, 0.1 * DELTA, 0.2 / 6 * DELTA])
    assert most_spent(pool) == 0.8 * DELTA
    for model in (a, b):
        of_version = CertificationPlan.objects.filter(model_version=model).values_list("delta", flat=True)
        assert 0.8 * DELTA < sum(of_version) <= DELTA


def test_a_wish_that_changes_before_there_are_labels_costs_nothing() -> None:
    pool = make_pool()
    for precision in (0.9, 0.95, 0.9, 0.85):
        pool.policy(precision=precision)
        plan = look(pool)
        assert look(pool) == plan
    labels(pool)
    assert look(pool) == plan
    assert plan.delta == 0.8 * DELTA
    assert most_spent(pool) == plan.delta


def test_wishes_that_come_and_go_are_charged_once_each() -> None:
    pool = make_pool()
    pool.policy(precision=0.9)
    labels(pool)
    first = look(pool)
    pool.policy(precision=0.85)
    assert look(pool).delta == pytest.approx(0.1 * DELTA)
    pool.policy(undecided_are_errors=False)
    assert look(pool).delta == pytest.approx(0.2 / 6 * DELTA)
    pool.policy(precision=0.9, undecided_are_errors=True)
    assert look(pool) == first
    labels(pool)
    assert look(pool) == first
    assert most_spent(pool) <= DELTA


def test_another_guideline_asks_for_labels_of_its_own_and_has_its_own_delta() -> None:
    pool = make_pool()
    pool.policy(precision=0.9)
    labels(pool)
    look(pool)
    amend_guideline(
        project=pool.project, by=pool.admin, note="Stricter", criteria={"defective": "Any crack."}
    )
    labels(pool)
    assert look(pool).delta == 0.8 * DELTA
    assert most_spent(pool) == 0.8 * DELTA


def test_a_smaller_delta_is_refused_where_the_labels_have_cost_more() -> None:
    pool = make_pool()
    pool.policy(precision=0.9, delta=0.1)
    labels(pool)
    look(pool)
    pool.policy(delta=0.02)
    job = Job.objects.of_project(pool.project.pk).get(kind="certify", state=JobState.QUEUED)
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "More δ than you now allow" in job.error
    pool.policy(delta=0.2)
    assert look(pool).delta == pytest.approx(0.1 * 0.2)
    labels(pool)
    look(pool)
    pool.policy(delta=0.1)
    look(pool)
    # The first wish is back, and counts what was drawn since as well: those labels have served both.
    assert most_spent(pool) == pytest.approx(0.08 + 0.02)


def test_the_page_says_of_what_delta_speaks_and_what_all_versions_add_up_to(client: Client) -> None:
    pool = make_pool()
    pool.policy(precision=0.9)
    labels(pool)
    look(pool)
    client.force_login(pool.admin)
    address = reverse("frontier", args=[pool.project.slug])
    page = client.get(address).content.decode()
    assert "at most 5\u00a0%, for each model version and guideline" in page
    assert "plans have looked" not in page
    pool.train([])
    labels(pool)
    look(pool)
    page = client.get(address).content.decode()
    assert "2 plans have looked at random labels" in page
    assert "has a chance of at most 8\u00a0%" in page
    told = client.get(reverse("api-frontier", args=[pool.project.slug])).json()
    assert told["delta_ever"] == pytest.approx(0.08)


def test_where_holds_are_no_errors_the_page_says_what_is_left_of_the_precision(client: Client) -> None:
    pool = make_pool()
    pool.policy(precision=0.95, undecided_are_errors=False)
    client.force_login(pool.admin)
    address = reverse("frontier", args=[pool.project.slug])
    assert "The first look says how much less" in client.get(address).content.decode()
    drawn = pool.draw(40)
    for item in drawn[:4]:
        pool.settle(item, kind="hold")
    pool.settle_all((item, None) for item in drawn[4:])
    look(pool)
    said = "Of 40 random labels 4 were held or unusable, so 95\u00a0% of the clear photos mean about 85.5\u00a0% of all"
    assert said in client.get(address).content.decode()
    api = reverse("api-frontier", args=[pool.project.slug])
    assert client.get(api).json()["precision_of_all"] == pytest.approx(0.855)
    pool.policy(undecided_are_errors=True)
    assert "clear photos" not in client.get(address).content.decode()
    assert client.get(api).json()["precision_of_all"] is None
