"""New accounts, with a first password or without one; whoever has none yet chooses it by a one-time link."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from labeling.database.locks import hold_name
from labeling.people.history import remember
from labeling.people.models import AccountEvent, User
from labeling.refusals import Refused


@transaction.atomic
def create_account(
    *, username: str, by: User, password: str | None = None, email: str = "", full_name: str = ""
) -> User:
    """A new account that belongs to no project yet. ``by`` must be a superuser.

    Without a ``password`` nobody can sign in to it before its owner has chosen one.
    """
    must_manage(by)
    user = new_user(username=username, email=email, full_name=full_name)
    fields = _faults(user)
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            fields["password"] = " ".join(error.messages)
    if fields:
        raise Refused.invalid_fields(fields)
    user.set_password(password)
    user.save()
    remember(user, AccountEvent.Kind.INVITED, by=by)
    return user


def new_user(*, username: str, email: str = "", full_name: str = "") -> User:
    """The person, not saved yet. Two who take one name at the same moment wait for each other."""
    first, _space, last = full_name.strip().partition(" ")
    user = User(username=username.strip(), email=email.strip(), first_name=first, last_name=last.strip())
    hold_name("people.user", user.username.replace("\0", ""))
    return user


def _faults(user: User) -> dict[str, str]:
    fields: dict[str, str] = {}
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        fields |= {name: " ".join(messages) for name, messages in error.message_dict.items()}
    if user.username in (".", ".."):
        fields["username"] = _("Addresses cannot hold the name “%(name)s”. Choose another one.") % {
            "name": user.username
        }
    elif "username" not in fields and is_taken(user.username):
        fields["username"] = _("A user with that name exists already, perhaps in other capital letters.")
    if user.email and "email" not in fields and User.objects.filter(email__iexact=user.email).exists():
        # One-time links and single sign-on find people by it.
        fields["email"] = _("Another account has this e-mail address.")
    return fields


def is_taken(username: str) -> bool:
    """People mistype capitals: two accounts that differ in nothing else would be taken for each other."""
    return User.objects.filter(username__iexact=username).exists()


def must_manage(by: User) -> None:
    """Raises :class:`Refused` (403) for whoever may not manage accounts."""
    if not by.is_superuser:
        raise Refused(
            "forbidden", _("Only the site's administrators make accounts. Ask one of them."), status=403
        )
