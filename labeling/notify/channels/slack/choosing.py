"""What the next message tells: alone what somebody can act on and what follows on it, else a digest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from labeling.notify.channels.channel import PrepareDigest
from labeling.notify.channels.slack.sending import (
    ALONE,
    DIGEST,
    OPENED,
    RULED,
    prepare_one,
    prepare_several,
)
from labeling.notify.models import Delivery, DeliveryState, Endpoint, SlackMessage
from labeling.truth.models import OpenDispute

#: From one digest to the next, in which so many messages may come alone.
REST, MOST_ALONE = timedelta(minutes=15), 10


def choose(endpoint: Endpoint, waiting: Sequence[Delivery]) -> tuple[Sequence[Delivery], PrepareDigest]:
    """What mends a message first; then what comes alone, oldest first; else all that has gathered for a digest.

    Of each subject nothing overtakes an earlier event. What comes too early for a digest is due when the next one is.
    """
    now = timezone.now()
    first: dict[str, Delivery] = {}
    for each in waiting:
        first.setdefault(each.subject, each)
    # Of those that were put off ``waiting`` need not hold all.
    put_off = Delivery.objects.filter(endpoint=endpoint, state=DeliveryState.WAITING, next_at__gt=now)
    late = set(put_off.filter(subject__in=first).values_list("subject", flat=True))
    due = {subject: each for subject, each in first.items() if subject not in late}
    there = SlackMessage.objects.filter(endpoint=endpoint).exclude(ts="")
    known = there.filter(subject__in=due)
    begun = set(known.values_list("subject", flat=True))
    disputed = set(known.exclude(dispute=None).values_list("subject", flat=True))

    def mends(each: Delivery) -> bool:
        return each.event.kind == RULED and each.subject in disputed

    if mending := [each for each in due.values() if mends(each)]:
        return mending[:1], prepare_one
    opened = [UUID(each.event.row) for each in due.values() if each.event.kind == OPENED]
    held = {
        str(pk) for pk in OpenDispute.objects.filter(pk__in=opened, held=True).values_list("pk", flat=True)
    }
    alone = [
        each
        for each in due.values()
        if each.event.row not in held and (each.subject in begun or each.event.kind in ALONE)
    ]
    recent = there.filter(at__gt=now - REST)
    if alone and recent.exclude(subject=DIGEST).count() + len(alone) <= MOST_ALONE:
        return alone[:1], prepare_one
    digest = recent.filter(subject=DIGEST).order_by("-at").first()
    together, stays = [], first.keys() - due.keys()
    for each in waiting:
        if mends(each):
            stays.add(each.subject)
        if each.subject not in stays:
            together.append(each)
    if digest is None:
        return together, prepare_several
    Delivery.objects.filter(pk__in=[each.pk for each in together]).update(next_at=digest.at + REST)
    return [], prepare_several
