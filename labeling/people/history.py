"""What happened to an account, so that its owner can see who could have signed in as them."""

from __future__ import annotations

from labeling.people.models import AccountEvent, User


def remember(person: User | None, kind: AccountEvent.Kind, *, by: User | None, what: str = "") -> None:
    """Append one event. ``by`` is ``None`` for somebody who was not signed in, ``person`` where no account has the name."""
    AccountEvent.objects.create(person=person, kind=kind, by=by, what=what[:100])
