"""Keys for what is kept encrypted: a copy of the database alone, without the secret key, tells nothing of it."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes


def keys_for(purpose: str) -> MultiFernet:
    """The key in force for ``purpose`` encrypts; the fallbacks' decrypt too. Each purpose has keys of its own."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(purpose.encode() + force_bytes(secret)).digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
