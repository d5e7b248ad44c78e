"""One-time links: who has one may choose the account's password, once.

A link is kept nowhere: it is signed over the password, the last sign-in and ``sign_outs``. So it dies when it is used, when
the person signs in otherwise, when they are signed out everywhere or switched off, and after some days. No two links are the
same; a new one ends none of those before it, and the first that is used ends all others.
"""

from __future__ import annotations

import logging
import secrets
from smtplib import SMTPException
from threading import Thread

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from labeling.people.models import User

logger = logging.getLogger(__name__)


class LinkTokens:
    """In place of Django's generator, whose tokens of one person and second are the same."""

    def make_token(self, user: User) -> str:
        return self._signer(user).sign(secrets.token_urlsafe(12))

    def check_token(self, user: User | None, token: str | None) -> bool:
        if user is None or token is None:
            return False
        try:
            self._signer(user).unsign(token, max_age=settings.PASSWORD_RESET_TIMEOUT)
        except BadSignature:
            return False
        return True

    def _signer(self, user: User) -> TimestampSigner:
        state = [user.pk, user.password, user.last_login, user.email, user.sign_outs, user.is_active]
        return TimestampSigner(sep=".", salt=f"labeling.people.links{state!r}")


link_tokens = LinkTokens()


def link_for(user: User, request: HttpRequest) -> str:
    """The address that lets whoever has it choose the password of ``user``."""
    named = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": link_tokens.make_token(user)}
    return request.build_absolute_uri(reverse("link", kwargs=named))


def days_of_links() -> int:
    return int(settings.PASSWORD_RESET_TIMEOUT // 86400)


def mail_link(user: User, link: str) -> bool:
    """Send ``link`` to the person's address; whether the mail server took it."""
    try:
        _letter(user, link).send()
    except (SMTPException, OSError):
        logger.exception("a one-time link could not be mailed")
        return False
    return True


def mail_link_aside(user: User, link: str) -> None:
    """The same without waiting, so that nobody can tell from the time it takes whether there is such a person."""
    letter = _letter(user, link)

    def send() -> None:
        try:
            letter.send()
        except (SMTPException, OSError):
            logger.exception("a one-time link could not be mailed")

    Thread(target=send, name="mail").start()


def _letter(user: User, link: str) -> EmailMessage:
    body = _(
        "Hello %(name)s,\n\nthis link lets you choose the password of your Hilltop account. "
        "Your user name is %(username)s.\n\n%(link)s\n\n"
        "It works once, within %(days)d days. If you did not expect this, leave it: nothing has changed."
    ) % {"name": user, "username": user.username, "link": link, "days": days_of_links()}
    return EmailMessage(_("Your Hilltop password"), body, to=[user.email])
