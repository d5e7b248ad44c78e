"""Addresses that are a permission: each holds the id of a row under a signature, and nothing else.

Whoever has one needs no account. What it opens, until when, and whether it was revoked says the row; what is none of ours is
known without asking the database.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from uuid import UUID

from django.core.signing import BadSignature, Signer


@dataclass(frozen=True, slots=True)
class SignedIds:
    """Of one kind of rows. ``salt``: another one for each kind, so that no token of one is one of another."""

    salt: str

    def token(self, pk: UUID) -> str:
        """What stands in the address: the same each time."""
        return self._signer.sign(base64.urlsafe_b64encode(pk.bytes).rstrip(b"=").decode())

    def read(self, token: str) -> UUID | None:
        """The id that it holds; ``None`` where it is none of ours."""
        try:
            return UUID(bytes=base64.urlsafe_b64decode(self._signer.unsign(token) + "=="))
        except (BadSignature, ValueError, binascii.Error):
            return None

    @property
    def _signer(self) -> Signer:
        """By the secret key, and those before it, as they are now."""
        return Signer(sep=".", salt=self.salt)
