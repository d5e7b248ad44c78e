"""Accounts of people who answered elsewhere. Nobody can sign in to one: it says whose an imported answer is, and no more."""

from __future__ import annotations

import hashlib
import re

from labeling.people.models import User

#: No account that a person has begins so: names of accounts hold no colon.
PREFIX = "import:"
_LONGEST = 150


def name_of(where: str, source: str, annotator: str) -> str:
    """The name of the account. ``where``: within which sources are told apart."""
    said = f"{PREFIX}{where}:{source}:{annotator}".rstrip(":")
    name = re.sub(r"[^\w.@+:-]", "_", said)
    if name != said or len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 9]}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"
    return name


def account_of(where: str, source: str, annotator: str) -> User:
    """The account of one annotator of a source, made where it is new. Shown as "annotator (source)"."""
    shown = {"first_name": annotator or source, "last_name": f"({source})" if annotator else ""}
    user, made = User.objects.get_or_create(
        username=name_of(where, source, annotator), defaults={**shown, "is_active": False}
    )
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
