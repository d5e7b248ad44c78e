"""Templates of this site, beside those that are shipped: kept, found and removed."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import KeptProjectTemplate
from labeling.catalog.project_templates.ready import ready_made
from labeling.catalog.project_templates.template import ProjectTemplate
from labeling.catalog.projects import SLUG
from labeling.locks import hold_name
from labeling.people.models import User
from labeling.refusals import Refused

#: More would be no choice any more.
MOST = 200


def all_templates() -> list[ProjectTemplate]:
    """The shipped ones, and behind them this site's by key."""
    return [
        *ready_made(),
        *(ProjectTemplate(row.content, is_own=True) for row in KeptProjectTemplate.objects.all()),
    ]


def template_called(key: str) -> ProjectTemplate | None:
    if not re.fullmatch(SLUG, key):
        return None
    shipped = next((each for each in ready_made() if each.key == key), None)
    if shipped is not None:
        return shipped
    row = KeptProjectTemplate.objects.filter(key=key).first()
    return ProjectTemplate(row.content, is_own=True) if row else None


def template_or_refusal(key: str, field: str | None = None) -> ProjectTemplate:
    """Raises :class:`Refused` ``no_template`` (422), of the input ``field``, which names those that there are."""
    found = template_called(key)
    if found is None:
        raise Refused.invalid(
            field,
            _("There is no template “%(key)s”. There are: %(keys)s.")
            % {"key": key[:60], "keys": ", ".join(each.key for each in all_templates()[:20])},
            code="no_template",
        )
    return found


@transaction.atomic
def keep_template(*, template: ProjectTemplate, by: User) -> ProjectTemplate:
    """Raises :class:`Refused`: ``taken`` (409) where one has the key, ``too_many`` (409) beside :data:`MOST` others."""
    hold_name("template", template.key)
    if template_called(template.key) is not None:
        raise Refused(
            "taken",
            _(
                "There is a template with the key “%(key)s” already. Choose another key, or remove that one first."
            )
            % {"key": template.key},
            fields={"key": _("Choose another key.")},
        )
    if KeptProjectTemplate.objects.count() >= MOST:
        raise Refused("too_many", _("A site keeps %(most)d templates. Remove one first.") % {"most": MOST})
    KeptProjectTemplate.objects.create(key=template.key, content=template.content, created_by=by)
    return template


def remove_template(*, key: str) -> None:
    """What was made from it stays. Raises :class:`Refused`: ``shipped`` (409), ``not_found`` (404)."""
    if any(each.key == key for each in ready_made()):
        raise Refused("shipped", _("This template comes with Hilltop, and stays."))
    if not KeptProjectTemplate.objects.filter(key=key).delete()[0]:
        raise Refused("not_found", _("There is no such template."), status=404)
