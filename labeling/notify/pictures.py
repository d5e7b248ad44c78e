"""The address of one photo for Slack's servers, which sign in nowhere: that of a dispute's message, while it is open."""

from __future__ import annotations

import io
from datetime import timedelta
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image as Pillow

from labeling.catalog import missing, storage
from labeling.catalog.models import Image
from labeling.http.signed_addresses import SignedIds
from labeling.notify.models import SlackMessage
from labeling.refusals import Refused
from labeling.truth.models import OpenDispute

#: From when the message was sent.
LASTS = timedelta(days=7)
_ADDRESSES = SignedIds("labeling.notify.pictures")


def picture_of(message: SlackMessage) -> str:
    return message.endpoint.site + reverse("slack-picture", args=[_ADDRESSES.token(message.pk)])


def id_of(token: str) -> UUID:
    """The message that it names. Asks no database. Raises :class:`Refused` ``no_picture`` (404) where it is none of ours."""
    pk = _ADDRESSES.read(token)
    if pk is None:
        raise _over()
    return pk


def jpeg_of(pk: UUID) -> bytes:
    """The photo as the review page shows it, as JPEG, for Slack shows no WebP.

    Raises :class:`Refused` ``no_picture`` (404) once the dispute is ruled on, the week is over, the photo is erased, or
    nobody is told of it in Slack any more.
    """
    since = timezone.now() - LASTS
    message = SlackMessage.objects.filter(pk=pk, endpoint__removed_at=None, at__gt=since).first()
    found = (
        message
        and message.dispute
        and OpenDispute.objects.filter(pk=message.dispute)
        .exclude(dispute__item__image__sha256=Image.NOTHING)
        .select_related("dispute__item__image", "dispute__project")
        .first()
    )
    if not found:
        raise _over()
    dispute = found.dispute
    try:
        webp = storage.rendition(dispute.item.image, "screen", dispute.project.decoded_with)
    except OSError as error:
        raise missing.answer_to(error) from None
    made = io.BytesIO()
    with Pillow.open(io.BytesIO(webp)) as shown:
        shown.convert("RGB").save(made, "JPEG", quality=90)
    return made.getvalue()


def _over() -> Refused:
    return Refused("no_picture", _("This picture is shown no more: see Hilltop."), status=404)
