"""What a prediction is worth: certified by a certificate in force of its version, class and margin, for such photos only."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.frontier.models import Certificate, DecidingPause
from labeling.frontier.proofs import Proof, Proofs
from labeling.frontier.services import request_deciding, suspend
from tests.frontier.proving import Pool, certified_pool
from tests.frontier.test_arrivals import arrive, on

pytestmark = pytest.mark.django_db


def proof(pool: Pool, margin: float, item_id: int | None = None, *, version: int | None = None) -> Proof:
    """The samples and walks of looks grow with the labels, and no photo asks for itself."""
    class_id = Certificate.objects.values_list("label_class_id", flat=True).earliest("pk")
    with CaptureQueriesContext(connection) as asked:
        proofs = Proofs(pool.project, version or pool.model.pk, [] if item_id is None else [item_id])
    assert not any(name in each["sql"] for each in asked for name in ('"walks"', '"item_ids"'))
    with CaptureQueriesContext(connection) as asked:
        found = proofs.of(class_id, margin, item_id)
    assert not asked.captured_queries
    return found


def test_inside_outside_another_version_and_suspended() -> None:
    pool = certified_pool()
    certificate = Certificate.objects.earliest("pk")
    here = pool.items[0].pk
    inside = proof(pool, certificate.threshold, here)
    assert (inside.certified, inside.reason, inside.promise) == (True, "", "machine")
    assert inside.stated == certificate.run.plan.precision
    assert proof(pool, certificate.threshold).reason == "not_looked_at", (
        "nothing came in that would speak for it"
    )
    assert proof(pool, certificate.threshold - 0.01).reason == "outside"
    assert proof(pool, 1.0, version=pool.model.pk + 1).reason == "no_certificate"
    pause = DecidingPause.objects.create(project=pool.project, label_class=certificate.label_class)
    assert proof(pool, 1.0).reason == "audits_wait"
    pause.delete()
    suspend(certificate=certificate, by=pool.admin, note="Photos from a new camera.")
    assert proof(pool, 1.0).reason == "no_certificate"


def test_what_came_in_lately_speaks_for_photos_that_are_not_here() -> None:
    pool = certified_pool()
    on(pool)
    batch = arrive(pool, 120, easy=True)
    assert proof(pool, 1.0).reason == proof(pool, 1.0, batch[0].pk).reason == "not_looked_at"
    request_deciding(project=pool.project)
    pool.work()
    assert proof(pool, 1.0).reason == proof(pool, 1.0, batch[0].pk).reason == "unlike_the_pool"
    assert proof(pool, 1.0, pool.items[0].pk).certified, "of the pool itself it still speaks"
    usual = arrive(pool, 120, easy=False, seed=8)
    request_deciding(project=pool.project)
    pool.work()
    assert proof(pool, 1.0).certified and proof(pool, 1.0, usual[0].pk).certified
    assert proof(pool, 1.0, batch[0].pk).reason == "unlike_the_pool"
