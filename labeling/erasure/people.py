"""A person asks to be forgotten: their identity goes as photos do, at once from sight and after a time for good.

What they answered and decided stays under a number. Only administrators of the site do this.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from config.postgres.outages import is_disk_full, is_outage
from labeling.catalog.models import Membership, Project
from labeling.catalog.services import log_activity
from labeling.catalog.wiping import wipe_texts
from labeling.erasure.asking import MOST_DAYS
from labeling.erasure.models import ErasedPerson
from labeling.inspections.forgetting import forget_photographers
from labeling.people import forgetting
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.notes import kept_whole

logger = logging.getLogger(__name__)


@transaction.atomic
def ask_for_person(*, person: User, by: User, reason: str, days: int | None = None) -> ErasedPerson:
    """Raises :class:`Refused` ``invalid`` (422), ``own_account`` or ``under_way`` (409), ``forbidden`` (403)."""
    if not reason.strip():
        raise Refused.invalid(
            "reason", _("Say why. The reason stays, so write nothing in it that is to be erased.")
        )
    days = settings.ERASURE_DAYS if days is None else days
    if not 0 <= days <= MOST_DAYS:
        raise Refused.invalid("days", _("From 0 to %(most)d days.") % {"most": MOST_DAYS})
    person = User.objects.select_for_update().get(pk=person.pk)
    if ErasedPerson.objects.filter(person=person, undone_at__isnull=True).exists():
        raise Refused("under_way", _("This identity is being erased already."))
    memberships = list(Membership.objects.filter(user=person).values("project_id", "role"))
    kept = forgetting.hide(person=person, by=by) | {"memberships": memberships}
    Membership.objects.filter(user=person).delete()
    for project in Project.objects.filter(pk__in=[each["project_id"] for each in memberships]):
        log_activity(project=project, kind="member_removed", actor=by, username=f"erased-{person.pk}")
    return ErasedPerson.objects.create(
        person=person,
        reason=kept_whole(reason, field="reason"),
        asked_by=by,
        kept=kept,
        due_at=timezone.now() + timedelta(days=days),
    )


@transaction.atomic
def undo_person(*, erased: ErasedPerson, by: User) -> None:
    """As they were; their sessions and tokens have ended. Raises :class:`Refused` ``erased`` or ``taken`` (409)."""
    erased = ErasedPerson.objects.select_for_update().select_related("person").get(pk=erased.pk)
    if erased.undone_at is not None:
        return
    if not erased.can_be_undone:
        raise Refused("erased", _("The time to bring this identity back is over."))
    kept = dict(erased.kept)
    memberships = kept.pop("memberships")
    forgetting.show(person=erased.person, kept=kept, by=by)
    there = set(
        Project.objects.filter(pk__in=[each["project_id"] for each in memberships]).values_list(
            "pk", flat=True
        )
    )
    Membership.objects.bulk_create(
        [Membership(user=erased.person, **each) for each in memberships if each["project_id"] in there],
        ignore_conflicts=True,
    )
    erased.kept, erased.undone_at, erased.undone_by = {}, timezone.now(), by
    erased.save(update_fields=["kept", "undone_at", "undone_by"])


def erase_people_due() -> int:
    """Those whose time is over, one by one; returns how many there were. What was cut off is done again."""
    due = ErasedPerson.objects.filter(
        undone_at__isnull=True, gone_at__isnull=True, due_at__lte=timezone.now()
    )
    done = 0
    for erased in due.select_related("person"):
        with _one_stops_no_other(erased), transaction.atomic():
            kept = erased.kept
            names = {kept[name] for name in forgetting.IDENTITY} | {
                f"{kept['first_name']} {kept['last_name']}".strip()
            }
            forgetting.forget(erased.person)
            wipe_texts(None, hashes=[], names=sorted(name for name in names if name))
            forget_photographers(sorted(name for name in names if name))
            erased.kept, erased.gone_at = {}, timezone.now()
            erased.save(update_fields=["kept", "gone_at"])
            done += 1
    return done


@contextmanager
def _one_stops_no_other(erased: ErasedPerson) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_outage(error) or is_disk_full(error):
            raise
        logger.exception(
            "the identity of account %d could not be erased; it is tried again", erased.person_id
        )
