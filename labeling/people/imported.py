"""Accounts of people who answered elsewhere. Nobody can sign in to one: it says whose an imported answer is, and no more."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

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


def accounts_of(where: str, source: str, annotators: Iterable[str]) -> dict[str, int]:
    """Annotator of a source -> id of the account, made where it is new. Shown as "annotator (source)"."""
    names = {annotator: name_of(where, source, annotator) for annotator in annotators}
    known = User.objects.filter(username__in=names.values())
    there = set(known.values_list("username", flat=True))
    new = {name: _account(name, annotator, source) for annotator, name in names.items() if name not in there}
    User.objects.bulk_create(new.values(), ignore_conflicts=True)  # whoever is faster makes the same
    ids = dict(known.values_list("username", "pk"))
    return {annotator: ids[name] for annotator, name in names.items()}


def _account(name: str, annotator: str, source: str) -> User:
    user = User(
        username=name,
        first_name=annotator or source,
        last_name=f"({source})" if annotator else "",
        is_active=False,
    )
    user.set_unusable_password()
    return user
