"""What waits is delivered: all endpoints side by side, of each subject one event after the other.

A digest is one message for what waits for its endpoint, as its channel chooses; then that rests, and gathers what comes.

One job does it at a time (they share a lock), in threads that know no database. Whoever is killed leaves the deliveries
waiting, and the next one sends again what was under way: at least once, and by the event's id harmless. A slow receiver
holds its own share of the threads, never all of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Greatest
from django.utils import timezone

from labeling.jobs.progress import stopping
from labeling.notify.bodies import bodies_of
from labeling.notify.channels import CHANNELS, DIGESTS
from labeling.notify.channels.channel import Answer, Send, Told
from labeling.notify.channels.digest import wants_body
from labeling.notify.listening import TASK, forget_other_calls
from labeling.notify.models import Delivery, DeliveryState, Endpoint
from labeling.notify.recording import Tried, give_up, record

#: At once, and of one endpoint.
THREADS, SHARE = 32, 8
#: Seconds that one job goes on, and for which it waits where something is due then.
RUN_S, LINGER_S = 30.0, 5.0
_TICK_S = 0.2
#: The most events of one digest; the others wait for the next.
TOGETHER = 5000

# The first event of each subject that waits: those behind it wait for it, whatever they are due. ``SHARE`` less those that
# are under way, of each endpoint that may be tried; less where so many have something due that slow ones together could hold
# all threads, for one more may come. Who has the fewest under way is first.
_HEADS = """
WITH due AS MATERIALIZED (
    SELECT e.id, e.kind, coalesce((%(busy)s::jsonb ->> e.id::text)::int, 0) AS busy FROM notify_endpoint e
    WHERE e.off_at IS NULL AND (e.not_before IS NULL OR e.not_before <= %(by)s)
      AND EXISTS (SELECT 1 FROM notify_delivery d
                  WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= %(by)s)
)
SELECT head.id FROM due e
CROSS JOIN LATERAL (
    SELECT d.id, d.next_at, d.event_id FROM notify_delivery d
    WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= %(by)s AND d.id <> ALL (%(flying)s)
      AND NOT EXISTS (SELECT 1 FROM notify_delivery b
                      WHERE b.endpoint_id = e.id AND b.subject = d.subject AND b.state = 'waiting'
                        AND b.event_id < d.event_id)
    ORDER BY d.next_at, d.event_id
    LIMIT greatest(0, CASE WHEN e.kind = ANY (%(digests)s) THEN 1
                      ELSE least(%(share)s, greatest(1, %(threads)s / (SELECT count(*) + 1 FROM due))) END - e.busy)) head
ORDER BY e.busy + row_number() OVER (PARTITION BY e.id ORDER BY head.next_at, head.event_id), head.next_at
LIMIT %(room)s
"""


@dataclass(frozen=True, slots=True)
class _Timed:
    answer: Answer
    at: datetime
    ms: int


def deliver(*, run_s: float = RUN_S, linger_s: float = LINGER_S) -> int:
    """Deliver what is due, and what comes to be due within ``linger_s`` of its end, for ``run_s`` seconds at most (and an
    attempt's more). Returns the number of attempts."""
    forget_other_calls(TASK)
    end, tried = monotonic() + run_s, 0
    flying: dict[Future[_Timed], list[Delivery]] = {}
    with ThreadPoolExecutor(THREADS, thread_name_prefix="deliver") as pool:
        while True:
            goes_on = monotonic() < end and not stopping.is_set()
            if goes_on:
                for deliveries, send in _ready(flying.values()):
                    flying[pool.submit(_timed, send)] = deliveries
            if flying:
                over, _still = wait(flying, timeout=_TICK_S, return_when=FIRST_COMPLETED)
                if over:
                    record([_tried(one, each.result()) for each in over for one in flying.pop(each)])
                tried += len(over)
            elif goes_on and _heads(within=linger_s):
                stopping.wait(_TICK_S)
            else:
                return tried


def something_is_due() -> bool:
    return bool(_heads(within=0))


def _heads(flying: Collection[list[Delivery]] = (), *, within: float = 0.0) -> list[int]:
    room = THREADS - len(flying)
    if settings.QUIET or not room:
        return []
    under_way = [each for some in flying for each in some]
    busy = Counter(str(each.endpoint_id) for each in under_way)
    with connection.cursor() as cursor:
        cursor.execute(
            _HEADS,
            {
                "by": timezone.now() + timedelta(seconds=within),
                "flying": [each.pk for each in under_way],
                "busy": json.dumps(busy),
                "share": SHARE,
                "threads": THREADS,
                "digests": list(DIGESTS),
                "room": room,
            },
        )
        return [row[0] for row in cursor.fetchall()]


def _ready(flying: Collection[list[Delivery]]) -> list[tuple[list[Delivery], Send]]:
    heads = _heads(flying)
    if not heads:
        return []
    found = list(
        Delivery.objects.filter(pk__in=heads)
        .select_related("endpoint__project", "event__project")
        .order_by("event")
    )
    ready = [digest for each in found if each.endpoint.kind in DIGESTS for digest in _digest(each.endpoint)]
    single = [each for each in found if each.endpoint.kind in CHANNELS]
    bodies = bodies_of([each.event for each in single])
    for each in single:
        body = bodies.get(each.event_id)
        if body is None:
            give_up(each, "What it tells of is gone, or cannot be told.")
        else:
            ready.append(([each], CHANNELS[each.endpoint.kind](each.endpoint, each.event, body)))
    return ready


def _digest(endpoint: Endpoint) -> list[tuple[list[Delivery], Send]]:
    """What its channel chooses of all that waits for it, if anything. What a row tells is asked for the first few of each
    kind only."""
    waiting = Delivery.objects.filter(endpoint=endpoint, state=DeliveryState.WAITING)
    # What is due comes before what its channel has put off, of which there may be any number.
    due_first = waiting.order_by(Greatest("next_at", Value(timezone.now())), "event")
    together = sorted(due_first.select_related("event__project")[:TOGETHER], key=lambda each: each.event_id)
    some, prepare = DIGESTS[endpoint.kind](endpoint, together)
    if not some:
        return []
    so_far: Counter[str] = Counter()
    shown = []
    for each in some:
        if wants_body(so_far[each.event.kind]):
            shown.append(each.event)
        so_far[each.event.kind] += 1
    bodies = bodies_of(shown)
    told = [Told(each.event, bodies.get(each.event_id), endpoint.project_id is None) for each in some]
    return [(list(some), prepare(endpoint, told))]


def _timed(send: Send) -> _Timed:
    at, began = timezone.now(), monotonic()
    try:
        answer = send()
    except (
        Exception
    ) as error:  # what nobody foresaw of one receiver ends no delivery to the others, and stands in its log
        answer = Answer(error=f"{type(error).__name__}: {error}"[:300])
    return _Timed(answer, at, round(1000 * (monotonic() - began)))


def _tried(delivery: Delivery, timed: _Timed) -> Tried:
    return Tried(delivery, timed.answer, timed.at, timed.ms)
