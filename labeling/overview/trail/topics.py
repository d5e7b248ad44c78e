"""What the audit trail can be narrowed to. Every kind of event belongs to one topic; a test finds one that does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from labeling.overview.diary import KINDS_OF
from labeling.people.models import AccountEvent


@dataclass(frozen=True)
class Topic:
    """``of_accounts``: kinds of :class:`AccountEvent`; ``of_projects``: kinds of activity, as in the diary's files."""

    name: Any
    of_accounts: frozenset[str]
    of_projects: frozenset[str]


_EXPORTS = frozenset({"trail_exported"})
_OF_THE_SITE = frozenset(
    kind for kind in AccountEvent.Kind.values if kind.startswith(("template_", "endpoint_"))
)
_SIGNING_IN = frozenset(map(str, AccountEvent.SIGN_INS))


_OF_ACCOUNTS = {
    "sign-ins": _SIGNING_IN,
    "accounts": frozenset(AccountEvent.Kind.values) - _SIGNING_IN - _EXPORTS - _OF_THE_SITE,
    "settings": _OF_THE_SITE,
    "exports": _EXPORTS,
}
_NAMES = {
    "sign-ins": _("Sign-ins"),
    "accounts": _("Accounts and tokens"),
    "members": _("Members"),
    "settings": _("Projects and their settings"),
    "guideline": _("Guideline"),
    "photos": _("Photos"),
    "review": _("Review and labelers"),
    "models": _("Models"),
    "decisions": _("Certificates and decisions"),
    "monitors": _("Monitors"),
    "erasure": _("Erasure"),
    "imports": _("Imports"),
    "categories": _("Categories"),
    "exports": _("Exports"),
}
TOPICS: dict[str, Topic] = {
    key: Topic(name, _OF_ACCOUNTS.get(key, frozenset()), frozenset(KINDS_OF.get(key, ())))
    for key, name in _NAMES.items()
}
