"""Endpoints are switched off and on, by an admin or by themselves; then the admins are told."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Role
from labeling.notify.listening import wake
from labeling.notify.models import DeliveryState, Endpoint, OffReason
from labeling.notify.remembering import remember
from labeling.people.models import User

logger = logging.getLogger(__name__)


@transaction.atomic
def switch_off(*, endpoint: Endpoint, by: User) -> None:
    """From here on nothing is sent; events wait for it. Twice is as once."""
    if endpoint.is_on:
        _off(endpoint, OffReason.ADMIN, by)


def switch_off_by_itself(endpoint: Endpoint, reason: OffReason) -> None:
    """The same, because of what it answered; its project's admins are told, or those of the whole site."""
    _off(endpoint, reason, None)
    logger.warning("endpoint %s is switched off: %s", endpoint.pk, reason)
    transaction.on_commit(lambda: _tell(endpoint))


def _off(endpoint: Endpoint, reason: OffReason, by: User | None) -> None:
    endpoint.off_at, endpoint.off_reason = timezone.now(), reason
    endpoint.save(update_fields=["off_at", "off_reason"])
    remember(endpoint, "off", by, why=reason, channel=endpoint.kind)


@transaction.atomic
def switch_on(*, endpoint: Endpoint, by: User) -> None:
    """What waited is sent from now on, in order, as if it had not been tried. Twice is as once."""
    if endpoint.is_on:
        return
    endpoint.off_at, endpoint.off_reason = None, ""
    endpoint.failing_since, endpoint.failures, endpoint.not_before = None, 0, None
    endpoint.save(update_fields=["off_at", "off_reason", "failing_since", "failures", "not_before"])
    endpoint.deliveries.filter(state=DeliveryState.WAITING, attempts__gt=0).update(attempts=0, next_at=Now())
    remember(endpoint, "on", by)
    wake()


def _tell(endpoint: Endpoint) -> None:
    if not settings.MAIL_IS_SET_UP:
        return
    admins = (
        User.objects.filter(memberships__project=endpoint.project, memberships__role=Role.ADMIN)
        if endpoint.project
        else User.objects.filter(is_superuser=True)
    )
    to = [each.email for each in admins.filter(is_active=True).exclude(email="")]
    body = _(
        "Hello,\n\n“%(name)s” (%(kind)s) is switched off: %(why)s. Its events wait for it for %(days)d days. Mend the "
        "receiver, then switch it on again on the page of webhooks: what waited is sent then, in order."
    ) % {
        "name": endpoint.name,
        "kind": endpoint.get_kind_display(),
        "why": OffReason(endpoint.off_reason).label,
        "days": settings.EVENTS_KEPT.days,
    }
    one_line = " ".join(endpoint.name.split())
    for address in to:
        try:
            EmailMessage(
                _("Hilltop: “%(name)s” is switched off") % {"name": one_line}, body, to=[address]
            ).send()
        except (SMTPException, OSError):
            logger.exception("a notice could not be mailed")
