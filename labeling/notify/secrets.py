"""The secrets that sign: made here, shown once, kept encrypted, renewed with an overlap."""

from __future__ import annotations

import base64
import secrets
from contextlib import suppress
from datetime import timedelta

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils import timezone

from labeling.notify.models import Endpoint
from labeling.people.encrypted import keys_for

#: For so long the secret before signs too, while the receiver takes up the new one.
OVERLAP = timedelta(hours=24)
#: As the specification begins secrets of HMAC-SHA256, which should hold 24 to 64 bytes.
_PREFIX, _BYTES = "whsec_", 32
_PURPOSE = "labeling.notify"


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def encrypted(secret: str) -> str:
    return keys_for(_PURPOSE).encrypt(secret.encode()).decode()


def secrets_of(endpoint: Endpoint) -> list[str]:
    """Those that sign now, the newest first. One that no secret key in force can decrypt is left out."""
    kept = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_until and endpoint.old_until > timezone.now():
        kept.append(endpoint.old_secret)
    keys = keys_for(_PURPOSE)
    found: list[str] = []
    for each in kept:
        with suppress(InvalidToken):
            found.append(keys.decrypt(each.encode()).decode())
    return found


def renew(endpoint: Endpoint) -> str:
    """Put another secret in the place of the present one, which signs on for :data:`OVERLAP`; return it."""
    secret = new_secret()
    endpoint.old_secret, endpoint.old_until = endpoint.secret, timezone.now() + OVERLAP
    endpoint.secret = encrypted(secret)
    endpoint.save(update_fields=["secret", "old_secret", "old_until"])
    return secret


@transaction.atomic
def encrypt_anew() -> int:
    """With the secret key in force what an earlier one encrypted; return of how many endpoints.

    What no key decrypts stays as it is: its endpoint's log says so, and an admin renews it.
    """
    keys = keys_for(_PURPOSE)
    found = list(Endpoint.objects.exclude(secret="").select_for_update(no_key=True))
    renewed: set[Endpoint] = set()
    for each in found:
        for field in ("secret", "old_secret"):
            with suppress(InvalidToken):
                setattr(each, field, keys.rotate(getattr(each, field)).decode())
                renewed.add(each)
    Endpoint.objects.bulk_update(renewed, ["secret", "old_secret"])
    return len(renewed)
