"""Who somebody in Slack is here: linked by themselves, while signed in, and never guessed from an address of mail."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from labeling.people.history import remember
from labeling.people.models import AccountEvent, SlackAccount, User
from labeling.refusals import Refused


def person_of(team: str, member: str) -> User | None:
    """The account that this member of the workspace ``team`` is linked to."""
    found = SlackAccount.objects.select_related("person").filter(team=team, member=member).first()
    return found.person if found else None


@transaction.atomic
def link(*, person: User, team: str, member: str, name: str) -> None:
    """From here on this member of Slack acts as ``person``, in place of whom they had linked before. Twice is as once.

    Raises :class:`Refused` ``linked`` (409) where the member acts as somebody else already.
    """
    told = {"team": team, "member": member}
    if SlackAccount.objects.filter(person=person, **told).exists():
        return
    try:
        with transaction.atomic():
            SlackAccount.objects.filter(person=person).delete()
            SlackAccount.objects.create(person=person, name=name, **told)
    except IntegrityError as error:
        raise Refused(
            "linked",
            _("This Slack account is linked to another account. Unlink it there first."),
        ) from error
    remember(person, AccountEvent.Kind.SLACK_LINKED, by=person, what=f"@{name}")


@transaction.atomic
def unlink(*, person: User) -> None:
    """Nobody acts from Slack as ``person`` any more. Twice is as once."""
    removed, _rows = SlackAccount.objects.filter(person=person).delete()
    if removed:
        remember(person, AccountEvent.Kind.SLACK_UNLINKED, by=person)
