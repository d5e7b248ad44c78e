"""The secrets that sign: made here, shown once, kept encrypted, renewed with an overlap."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta

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
    """Those that sign now, the newest first."""
    kept = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_until and endpoint.old_until > timezone.now():
        kept.append(endpoint.old_secret)
    return [keys_for(_PURPOSE).decrypt(each.encode()).decode() for each in kept]


def renew(endpoint: Endpoint) -> str:
    """Put another secret in the place of the present one, which signs on for :data:`OVERLAP`; return it."""
    secret = new_secret()
    endpoint.old_secret, endpoint.old_until = endpoint.secret, timezone.now() + OVERLAP
    endpoint.secret = encrypted(secret)
    endpoint.save(update_fields=["secret", "old_secret", "old_until"])
    return secret


@transaction.atomic
def encrypt_anew() -> int:
    """With the secret key in force what an earlier one encrypted; return of how many endpoints."""
    keys = keys_for(_PURPOSE)
    found = list(Endpoint.objects.exclude(secret="").select_for_update(no_key=True))
    for each in found:
        each.secret = keys.rotate(each.secret).decode()
        each.old_secret = each.old_secret and keys.rotate(each.old_secret).decode()
    Endpoint.objects.bulk_update(found, ["secret", "old_secret"])
    return len(found)
