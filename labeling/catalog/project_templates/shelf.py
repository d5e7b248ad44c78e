"""Templates of one kind: those that come with Hilltop, a file each, and those that the site keeps in a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import KeptTemplate
from labeling.catalog.project_templates.files import parse
from labeling.catalog.project_templates.shapes import Wrong, in_language
from labeling.catalog.projects import SLUG
from labeling.database.locks import hold_name
from labeling.people.history import remember
from labeling.people.models import AccountEvent, User
from labeling.refusals import Refused

#: Of a site, of each kind. More would be no choice any more.
MOST = 200


@dataclass(frozen=True)
class Template:
    """``content``: as in its file, checked. ``is_own``: of the site, not shipped."""

    content: dict[str, Any]
    is_own: bool = False

    @property
    def key(self) -> str:
        return str(self.content["key"])

    @cached_property
    def said(self) -> dict[str, Any]:
        """The content in the language of whoever reads first: a template lives no longer than a request."""
        said: dict[str, Any] = in_language(self.content)
        return said


T = TypeVar("T", bound=Template)


class Shelf(Generic[T]):
    """``kind``: as its files say it; ``folder``: of the shipped files; ``table``: of the others; ``check`` keeps of a
    content what may stand there, and tells what is wrong (content, place, wrong); ``make`` makes a template of that, and of
    whether it is the site's."""

    def __init__(
        self,
        kind: str,
        folder: Path,
        table: type[KeptTemplate],
        check: Callable[[Any, str, Wrong], dict[str, Any]],
        make: Callable[[dict[str, Any], bool], T],
    ) -> None:
        self.kind, self.folder, self.check, self.make = kind, folder, check, make
        self._rows = table._default_manager

    @cached_property
    def _shipped(self) -> dict[str, dict[str, Any]]:
        found = {}
        for path in sorted(self.folder.glob("*.toml")):
            wrong: Wrong = {}
            content = self.check(parse(path.read_bytes()), "", wrong)
            assert not wrong, f"{path.name}: {wrong}"
            found[content["key"]] = content
        return found

    def shipped(self) -> list[T]:
        """In the order of their files' names."""
        return [self.make(content, False) for content in self._shipped.values()]

    def all(self) -> list[T]:
        """The shipped ones, and behind them the site's by key."""
        return [*self.shipped(), *(self.make(row.content, True) for row in self._rows.order_by("key"))]

    def called(self, key: str) -> T | None:
        if not re.fullmatch(SLUG, key):
            return None
        if key in self._shipped:
            return self.make(self._shipped[key], False)
        row = self._rows.filter(key=key).first()
        return self.make(row.content, True) if row else None

    def called_or_refused(self, key: str, field: str | None = None) -> T:
        """Raises :class:`Refused` ``no_template`` (422), of the input ``field``, which names those that there are."""
        found = self.called(key)
        if found is None:
            keys = ", ".join(each.key for each in self.all()[:20])
            raise Refused.invalid(
                field,
                _("There is no template “%(key)s”. There are: %(keys)s.") % {"key": key[:60], "keys": keys},
                code="no_template",
            )
        return found

    @transaction.atomic
    def keep(self, template: T, *, by: User) -> T:
        """Raises :class:`Refused`: ``taken`` (409) where one has the key, ``too_many`` (409) beside :data:`MOST` others."""
        hold_name(f"template {self._rows.model._meta.db_table}", template.key)
        if self.called(template.key) is not None:
            told = _(
                "There is a template with the key “%(key)s” already. Choose another key, or remove that one first."
            )
            raise Refused("taken", told % {"key": template.key}, fields={"key": _("Choose another key.")})
        if self._rows.count() >= MOST:
            told = _("A site keeps %(most)d templates. Remove one first.")
            raise Refused("too_many", told % {"most": MOST})
        self._rows.create(key=template.key, content=template.content, created_by=by)
        remember(by, AccountEvent.Kind.TEMPLATE_KEPT, by=by, what=self._named(template.key))
        return template

    @transaction.atomic
    def remove(self, key: str, *, by: User) -> None:
        """What was made from it stays. Raises :class:`Refused`: ``shipped`` (409), ``not_found`` (404)."""
        if key in self._shipped:
            raise Refused("shipped", _("This template comes with Hilltop, and stays."))
        if not self._rows.filter(key=key).delete()[0]:
            raise Refused("not_found", _("There is no such template."), status=404)
        remember(by, AccountEvent.Kind.TEMPLATE_REMOVED, by=by, what=self._named(key))

    def _named(self, key: str) -> str:
        """In the audit trail: of a project or of a protocol, and which."""
        return f"{self.kind} {key}"
