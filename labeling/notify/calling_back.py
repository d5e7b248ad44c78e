"""Whoever asked about one photo or inspection is called back once it is decided, or once it is known that it will not be.

The same is asked here that they would ask: who decides the photo now, which verdict the inspection has. It is asked of what
is committed: as soon as a decision comes (the database wakes a job, in the decision's transaction) and each minute. So what
came while a call back was being opened is found, too, and so are deadlines and photos that could not come in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import erased
from labeling.catalog.intake.handing_in import is_on_its_way
from labeling.catalog.models import Item, Project
from labeling.database.locks import hold_name
from labeling.frontier.deciding import decide_one
from labeling.frontier.models import AutomaticDecision
from labeling.inspections.models import Inspection, Outcome
from labeling.notify.endpoints import web_fault
from labeling.notify.kinds.calls_back import UNDECIDED
from labeling.notify.listening import LOOK, forget_other_calls, wake
from labeling.notify.models import CallBack, Channel, Delivery, Endpoint, Event
from labeling.notify.remembering import remember
from labeling.notify.secrets import encrypted, new_secret
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.truth.models import GroundTruth

#: The most of one account that may be open at a time.
MOST = 1000
#: So many are looked at in one transaction.
CHUNK = 200


@dataclass(frozen=True)
class Wish:
    """Where somebody is to be called back, and in how many seconds at the latest."""

    url: str
    deadline: float | None = None


@dataclass(frozen=True)
class Opened:
    """``secret``: that signs all calls back of the account, where this is the first of them."""

    call_back: CallBack
    secret: str = ""


@dataclass(frozen=True)
class _Told:
    """The row that tells what was decided; or none, ``because`` nothing will be."""

    subject: str
    kind: str = UNDECIDED
    source: str = ""
    row: str = ""
    because: str = ""


def check(wish: Wish, by: User) -> None:
    """Before anything is done for who wishes it. Raises :class:`Refused` ``invalid`` (422), ``too_many`` (409)."""
    fault = web_fault(wish.url)
    if wish.url.startswith("http:") and not settings.FETCH_NETWORKS:  # which only receivers inside need
        fault = _("Give a whole address that begins with https://.")
    if fault:
        raise Refused.invalid("callback", fault)
    if wish.deadline is not None and not 0 < wish.deadline <= settings.EVENTS_KEPT.total_seconds():
        raise Refused.invalid(
            "deadline",
            _("Send in how many seconds you want to be called at the latest: at most %(days)d days.")
            % {"days": settings.EVENTS_KEPT.days},
        )
    if CallBack.objects.filter(endpoint__in=_of_account(by), event=None).count() >= MOST:
        raise Refused(
            "too_many",
            _("%(n)d calls back are open for this account. Wait until some are made, or give deadlines.")
            % {"n": MOST},
        )


def call_back_on_photo(*, wish: Wish, by: User, project: Project, sha256: str, strict: bool) -> Opened:
    """Have ``by`` called back on this photo, which the project holds or which is on its way in.

    The same again changes nothing while it is open, and where what it told still stands. Raises :class:`Refused`
    ``another_call_back`` (409) where one to another address is open.
    """
    return _open(CallBack(project=project, sha256=sha256, strict=strict), wish, by)


def call_back_on_inspection(*, wish: Wish, by: User, inspection: Inspection) -> Opened:
    """The same of an inspection."""
    return _open(CallBack(inspection=inspection), wish, by)


@transaction.atomic
def _open(wanted: CallBack, wish: Wish, by: User) -> Opened:
    now = timezone.now()
    wanted.endpoint, secret = _endpoint_of(by)
    wanted.url = wish.url
    wanted.until = now + (settings.EVENTS_KEPT if wish.deadline is None else timedelta(seconds=wish.deadline))
    told = _found([wanted]).get(wanted.pk)
    there = _open_already(wanted)
    if there is None and told is not None:
        there = _told_already(wanted, told)
    if there is None and told is not None:
        _tell(wanted, told)
    elif there is None:
        try:
            with transaction.atomic():
                wanted.save(force_insert=True)
        except IntegrityError:  # the same came twice at once
            if (there := _open_already(wanted)) is None:
                raise
    if there is not None and there.url != wish.url:
        raise Refused(
            "another_call_back",
            _(
                "A call back to another address is open for this already. Nothing was changed. Wait until that one is made, "
                "or ask with another account."
            ),
        )
    return Opened(there or wanted, secret)


def _open_already(wanted: CallBack) -> CallBack | None:
    same = CallBack.objects.filter(endpoint=wanted.endpoint, event=None, inspection=wanted.inspection)
    return same.filter(project=wanted.project, sha256=wanted.sha256, strict=wanted.strict).first()


def _told_already(wanted: CallBack, told: _Told) -> CallBack | None:
    """To the same address, of the same row. What was not decided has none of its own."""
    same = CallBack.objects.filter(endpoint=wanted.endpoint, url=wanted.url)
    if told.source:
        return same.filter(event__source=told.source, event__row=told.row, strict=wanted.strict).first()
    return same.filter(project=wanted.project, sha256=wanted.sha256, because=told.because).first()


def _of_account(by: User) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(kind=Channel.CALL_BACK, created_by=by)


def _endpoint_of(by: User) -> tuple[Endpoint, str]:
    """The account's, and its secret where it was made just now."""
    if (there := _of_account(by).first()) is not None:
        return there, ""
    hold_name("notify.calls_back", str(by.pk))
    if (there := _of_account(by).first()) is not None:  # made at the same time
        return there, ""
    secret = new_secret()
    made = Endpoint.objects.create(
        kind=Channel.CALL_BACK, created_by=by, name=_("Calls back"), events=[], secret=encrypted(secret)
    )
    remember(made, "made", by)
    return made, secret


def look() -> int:
    """Have all told whose photo or inspection is decided, or will not be; return how many. The oldest first."""
    forget_other_calls(LOOK)
    waiting = CallBack.objects.filter(event=None, endpoint__removed_at=None).order_by("opened_at")
    some = list(waiting.values_list("pk", flat=True))
    told = sum(_look_at(some[at : at + CHUNK]) for at in range(0, len(some), CHUNK))
    _forget_erased()
    return told


@transaction.atomic
def _look_at(some: Sequence[UUID]) -> int:
    mine = CallBack.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
    open_ones = {each.pk: each for each in mine.filter(pk__in=some, event=None).select_related("project")}
    found = _found(list(open_ones.values()))
    for key, told in found.items():
        _tell(open_ones[key], told)
    return len(found)


def _tell(call: CallBack, told: _Told) -> None:
    call.event = Event.objects.create(
        kind=told.kind,
        project=call.project,
        subject=told.subject,
        source=told.source or CallBack._meta.db_table,
        row=told.row or str(call.pk),
        alone=True,
    )
    call.because = told.because
    # The row that tells knows the photo; where there is none, the call back itself is told of.
    if told.source or told.because == erased.REASON:
        call.sha256 = ""
    call.save()
    # Of its own: one that is not taken holds up no other.
    Delivery.objects.create(endpoint_id=call.endpoint_id, event=call.event, subject=f"call/{call.pk}")
    wake()


def _found(some: Sequence[CallBack]) -> dict[UUID, _Told]:
    """Of those that are to be told now: what."""
    found = dict(_of_photos([each for each in some if each.inspection_id is None]))
    inspections = Inspection.objects.exclude(outcome__in=["", Outcome.HELD]).in_bulk(
        [each.inspection_id for each in some if each.inspection_id is not None]
    )
    now = timezone.now()
    for each in some:
        subject = f"inspection/{each.inspection_id}" if each.inspection_id else f"call/{each.pk}"
        if (inspection := inspections.get(each.inspection_id or 0)) is not None:
            row = str(inspection.verdict_id)
            found[each.pk] = _Told(subject, "inspection.decided", "inspections_verdict", row)
        elif each.pk not in found and each.until <= now:
            found[each.pk] = _Told(subject, because="deadline")
    return found


def _of_photos(some: Sequence[CallBack]) -> Iterator[tuple[UUID, _Told]]:
    held = Item.objects.filter(
        project__in=[each.project_id for each in some], image__sha256__in=[each.sha256 for each in some]
    )
    items = {
        (project, sha256): pk for pk, project, sha256 in held.values_list("pk", "project", "image__sha256")
    }
    ids = list(items.values())
    truths = dict(GroundTruth.objects.current().filter(item__in=ids).values_list("item", "pk"))
    standing = AutomaticDecision.objects.standing().filter(item__in=ids).order_by("pk")
    decisions = dict(standing.values_list("item", "pk"))
    for each in some:
        assert each.project is not None
        item = items.get((each.project.pk, each.sha256))
        if item is None:
            if because := _why_not_in(each.project, each.sha256):
                yield each.pk, _Told(f"call/{each.pk}", because=because)
            continue
        subject, row = f"photo/{item}", truths.get(item) or decisions.get(item)
        answer = decide_one(project=each.project, item_id=item, strict=True) if row and each.strict else None
        if answer is not None and answer.by == "queue":
            if answer.reason == "not_strict":
                yield each.pk, _Told(subject, because=answer.reason)
        elif row:
            source = "truth_groundtruth" if item in truths else "frontier_automaticdecision"
            yield each.pk, _Told(subject, "photo.decided", source, str(row))


def _why_not_in(project: Project, sha256: str) -> str:
    """Why the project does not hold it; empty while it is on its way, and where it has come in meanwhile."""
    if erased.listed(project, [sha256]):
        return erased.REASON
    try:
        why = "" if is_on_its_way(project, sha256) else "not_found"
    except Refused as refusal:
        why = refusal.code
    return why if why and not Item.objects.filter(project=project, image__sha256=sha256).exists() else ""


def _forget_erased() -> None:
    """Those that were told know their photo no longer than it is there."""
    of: dict[Project, list[str]] = defaultdict(list)
    told = CallBack.objects.exclude(sha256="").exclude(event=None).select_related("project")
    for each in told:
        if each.project is not None:
            of[each.project].append(each.sha256)
    for project, hashes in of.items():
        gone = erased.listed(project, hashes)
        CallBack.objects.filter(project=project, sha256__in=gone).exclude(event=None).update(sha256="")
