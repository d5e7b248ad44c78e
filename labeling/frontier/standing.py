"""Which promise a label stands under, said once: for who asks for one photo, and for who takes all of them away.

``strict``: people settled it, blind, by the project's rule, or it was known beforehand. ``machine``: the machine decided it
alone. ``assisted``: one blind answer that agreed with the machine settled it. ``delivered``: it is the machine's or an
assisted one, and what is stated is of all labels together. None (empty) where it does not stand, or where a grid had told
people what to expect, or an earlier photo of the same asset: they settled it, but not blind
(docs/decisions/0015-a-sweep-is-not-blind.md, 0057-an-earlier-photo-beside.md).
"""

from __future__ import annotations

from django.db import connection, models
from django.utils.translation import gettext_lazy

from labeling.frontier.models import AutomaticDecision, Certificate, PromiseKind
from labeling.truth.models import GroundTruth


class StandsUnder(models.TextChoices):
    STRICT = "strict", gettext_lazy("Strict")
    ASSISTED = "assisted", gettext_lazy("One answer that agrees with the machine")
    MACHINE = "machine", gettext_lazy("The machine alone")
    DELIVERED = "delivered", gettext_lazy("The delivered set")


#: SQL over ``truth_groundtruth t``: what was proven when one answer settled it; ``helped`` (promise, precision).
HELPED = """
LEFT JOIN LATERAL (
    SELECT plan.promise, plan.precision FROM frontier_assistedlabel l
    JOIN frontier_certificate proof ON proof.id = l.certificate_id
    JOIN frontier_certificationrun run ON run.id = proof.run_id
    JOIN frontier_certificationplan plan ON plan.id = run.plan_id
    WHERE t.origin = 'assisted' AND l.item_id = t.item_id AND l.created_at <= t.created_at
    ORDER BY l.id DESC LIMIT 1) helped ON true
"""
#: The same with ``HELPED``: the promise, and the precision that is stated of it. Strict labels have none: they are what
#: precision is measured by.
PROMISE_OF_TRUTH = """
CASE WHEN t.id IS NULL OR t.kind = 'withdrawn' OR t.draw = 'sweep' THEN ''
     WHEN t.origin <> 'assisted' THEN 'strict'
     WHEN helped.promise = 'delivered' THEN 'delivered' ELSE 'assisted' END"""
STATED_OF_TRUTH = "helped.precision"

#: SQL over ``frontier_automaticdecision a`` and its certificate ``k``, with ``DECIDED_UNDER``; ``o``: overruled.
DECIDED_UNDER = """
JOIN frontier_certificationrun run ON run.id = k.run_id
JOIN frontier_certificationplan plan ON plan.id = run.plan_id
"""
DECISION_STANDS = """
(a.mode = 'on' AND o.id IS NULL AND NOT EXISTS (
    SELECT 1 FROM frontier_certificateend e WHERE e.certificate_id = a.certificate_id AND e.kind = 'suspended'))"""
PROMISE_OF_DECISION = f"""
CASE WHEN NOT {DECISION_STANDS} THEN '' WHEN plan.promise = 'delivered' THEN 'delivered' ELSE 'machine' END"""
STATED_OF_DECISION = f"CASE WHEN {DECISION_STANDS} THEN plan.precision END"


def of_truth(truth: GroundTruth) -> tuple[str, float | None]:
    """The promise, or nothing, and the precision that is stated of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {PROMISE_OF_TRUTH}, {STATED_OF_TRUTH} FROM truth_groundtruth t {HELPED} WHERE t.id = %s",  # noqa: S608
            [truth.pk],
        )
        promise, stated = cursor.fetchone()
    return promise, stated


def of_decision(decision: AutomaticDecision) -> tuple[str, float]:
    """The same of a decision that stands."""
    return promise_of(decision.certificate)


def promise_of(certificate: Certificate) -> tuple[str, float]:
    """The same of what the machine says alone under a certificate."""
    plan = certificate.run.plan
    promise = StandsUnder.DELIVERED if plan.promise == PromiseKind.DELIVERED else StandsUnder.MACHINE
    return promise, plan.precision
