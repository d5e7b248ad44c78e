"""Mail: what came since the last one, as one digest in plain text and HTML (RFC 2046), which a program never answers
(RFC 3834) and its reader ends by one click (RFC 8058).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from labeling.notify.channels.channel import Answer, PrepareDigest, Send, Told
from labeling.notify.channels.digest import parts_of
from labeling.notify.models import Delivery, Endpoint
from labeling.notify.unsubscribing import address_of
from labeling.text.plain import plain

#: How an address is written where others have a URL (RFC 6068).
SCHEME = "mailto:"
#: From one mail to the next; what comes meanwhile waits for it.
REST = timedelta(minutes=15)
#: SMTP's (RFC 5321): requested mail action okay, completed.
_OK = 250
_KEPT = 500


def choose(_endpoint: Endpoint, waiting: Sequence[Delivery]) -> tuple[Sequence[Delivery], PrepareDigest]:
    return waiting, prepare


def prepare(endpoint: Endpoint, told: Sequence[Told]) -> Send:
    with translation.override(endpoint.language or None):
        letter = _letter(endpoint, told)

    def send() -> Answer:
        try:
            letter.send()
        except SMTPRecipientsRefused as refused:
            return _refused(*next(iter(refused.recipients.values())))
        except SMTPResponseException as refused:
            return _refused(refused.smtp_code, refused.smtp_error)
        # ValueError: an address has no ASCII form.
        except (SMTPException, OSError, ValueError) as error:
            return Answer(error=str(error)[:300])
        return Answer(_OK, rest=REST.total_seconds())

    return send


def _refused(code: int, why: str | bytes) -> Answer:
    """``smtplib`` has a code of -1 where a server breaks off."""
    text = plain(why.decode("utf-8", "replace") if isinstance(why, bytes) else why)[:_KEPT]
    return Answer(code, text) if 400 <= code < 600 else Answer(error=text[:300] or "the connection broke off")


def _letter(endpoint: Endpoint, told: Sequence[Told]) -> EmailMultiAlternatives:
    parts = parts_of(told)
    where = " ".join(endpoint.project.name.split()) if endpoint.project else "Hilltop"
    ends = address_of(endpoint)
    said = {
        "parts": parts,
        "project": where,
        "leads": endpoint.site
        + (reverse("project", args=[endpoint.project.slug]) if endpoint.project else reverse("home")),
        "ends": ends,
        "language": translation.get_language(),
    }
    if len(parts) == 1:
        subject = f"{where}: {parts[0].title}" + (f" ({parts[0].n})" if parts[0].n > 1 else "")
    else:
        subject = _("%(project)s: %(n)d events") % {"project": where, "n": len(told)}
    letter = EmailMultiAlternatives(
        subject,
        _text(said),
        to=[endpoint.url.removeprefix(SCHEME)],
        headers={
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{ends}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    letter.attach_alternative(render_to_string("notify/mail.html", said), "text/html")
    return letter


def _text(said: dict[str, Any]) -> str:
    lines = []
    for part in said["parts"]:
        lines += [f"{part.title} ({part.n})", *(f"- {line}" for line in part.lines)]
        if part.more:
            lines.append("- " + _("and %(n)d more") % {"n": part.more})
        lines.append("")
    lines += [said["leads"], "", _("To hear no more of it:"), said["ends"], ""]
    return "\n".join(lines)
