"""What became of attempts: taken, tried again after a growing pause, given up, or the endpoint is switched off."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from labeling.notify.channels.channel import Answer
from labeling.notify.models import Attempt, Channel, Delivery, DeliveryState, Endpoint, OffReason
from labeling.notify.switching import switch_off_by_itself

#: After so many failures in a row, of whichever subjects, an endpoint is left alone: as long as one delivery would be, and
#: longer after as many again, but never for more seconds than this.
IN_A_ROW, REST_S = 8, 60.0
#: Pauses are longer or shorter by up to this share, so that what failed together does not come back together.
JITTER = 0.2
GONE = 410


@dataclass(frozen=True, slots=True)
class Tried:
    delivery: Delivery
    answer: Answer
    at: datetime
    ms: int


@transaction.atomic
def record(tried: Sequence[Tried]) -> None:
    """Write down what came of these attempts, and what follows for their endpoints. What was removed meanwhile is left out.

    Endpoints are locked before their deliveries, and not against who writes events for them: an import may take minutes.
    """
    wanted = {each.delivery.endpoint_id for each in tried}
    endpoints = Endpoint.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk").in_bulk()
    there = Delivery.objects.select_for_update(no_key=True).filter(
        pk__in=[each.delivery.pk for each in tried], endpoint__in=endpoints
    )
    kept = set(there.order_by("pk").values_list("pk", flat=True))
    of_endpoint: dict[UUID, list[Tried]] = defaultdict(list)
    for each in tried:
        if each.delivery.pk in kept:
            of_endpoint[each.delivery.endpoint_id].append(each)
    for key, some in of_endpoint.items():
        _log(some)
        _follow(endpoints[key], some)


def _log(tried: Sequence[Tried]) -> None:
    Attempt.objects.bulk_create(
        Attempt(
            delivery=each.delivery,
            at=each.at,
            ms=each.ms,
            status=each.answer.status,
            answer=each.answer.text,
            error=each.answer.error,
        )
        for each in tried
    )
    taken = [each.delivery.pk for each in tried if each.answer.taken]
    Delivery.objects.filter(pk__in=taken).update(
        state=DeliveryState.DELIVERED, attempts=F("attempts") + 1, delivered_at=timezone.now()
    )
    for keep in {each.answer.keep for each in tried if each.answer.taken and each.answer.keep}:
        keep()


def _follow(endpoint: Endpoint, tried: Sequence[Tried]) -> None:
    failed = [each for each in tried if not each.answer.taken]
    if endpoint.kind == Channel.CALL_BACK:
        for each in failed:
            _fail_alone(each)
        return
    if len(failed) < len(tried):
        endpoint.failing_since, endpoint.failures, endpoint.not_before = None, 0, None
    else:
        endpoint.failing_since = endpoint.failing_since or min(each.at for each in failed)
        endpoint.failures += len(failed)
    if endpoint.failures >= IN_A_ROW:
        _leave_alone(endpoint, min(REST_S, _pause(endpoint.failures // IN_A_ROW - 1)))
    _leave_alone(endpoint, max(each.answer.rest for each in tried))
    endpoint.save(update_fields=["failing_since", "failures", "not_before"])
    for each in failed:
        _fail(endpoint, each.delivery)
    if endpoint.kind == Channel.MAIL and failed:
        # All that waits goes out together: a new event neither brings forward those that failed nor comes alone.
        endpoint.not_before = max(each.delivery.next_at for each in failed)
        endpoint.save(update_fields=["not_before"])
    if endpoint.is_on and any(each.answer.status == GONE for each in failed):
        switch_off_by_itself(endpoint, OffReason.GONE)


def _leave_alone(endpoint: Endpoint, seconds: float) -> None:
    if seconds > 0:
        until = timezone.now() + timedelta(seconds=seconds)
        endpoint.not_before = max(endpoint.not_before or until, until)


def _fail(endpoint: Endpoint, delivery: Delivery) -> None:
    delivery.attempts += 1
    pauses = settings.WEBHOOK_PAUSES
    if delivery.attempts <= len(pauses):
        delivery.next_at = timezone.now() + timedelta(seconds=_pause(delivery.attempts - 1))
    elif _nothing_was_taken_since(endpoint, delivery):
        # It is not this event's fault: it waits on, with all others, until the endpoint is switched on again.
        delivery.next_at = timezone.now() + timedelta(seconds=_pause(len(pauses) - 1))
        if endpoint.is_on:
            switch_off_by_itself(endpoint, OffReason.FAILING)
    else:
        delivery.state = DeliveryState.FAILED
    delivery.save(update_fields=["attempts", "next_at", "state"])


def _fail_alone(tried: Tried) -> None:
    """Each call back goes to an address of its own, so it says nothing of others: after its last attempt it is given up."""
    delivery, pauses = tried.delivery, settings.WEBHOOK_PAUSES
    delivery.attempts += 1
    if delivery.attempts > len(pauses) or tried.answer.status == GONE:
        delivery.state = DeliveryState.FAILED
    else:
        pause = max(_pause(delivery.attempts - 1), tried.answer.rest)
        delivery.next_at = timezone.now() + timedelta(seconds=pause)
    delivery.save(update_fields=["attempts", "next_at", "state"])


def _nothing_was_taken_since(endpoint: Endpoint, delivery: Delivery) -> bool:
    first = delivery.log.order_by("pk").first()
    return endpoint.failing_since is not None and first is not None and endpoint.failing_since <= first.at


def _pause(n: int) -> float:
    """Seconds after the attempt ``n``, from 0."""
    pauses = settings.WEBHOOK_PAUSES
    return float(pauses[min(n, len(pauses) - 1)]) * random.uniform(1 - JITTER, 1 + JITTER)


@transaction.atomic
def give_up(delivery: Delivery, why: str) -> None:
    """Nothing can be sent: the next event of its subject is."""
    if Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.FAILED):
        Attempt.objects.create(delivery=delivery, at=timezone.now(), ms=0, error=why)
