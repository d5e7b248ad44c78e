"""Settings of which every version is kept: a project's newest row is in force, and a change appends another one.

Which settings there are, and what follows from a change, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from labeling.catalog.activity import log_activity
from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.notes import kept_whole

Version = TypeVar("Version", bound=Model)


@transaction.atomic
def append_version(
    *,
    project: Project,
    by: User,
    in_force: Callable[[Project], Version],
    fields: Sequence[str],
    changes: Mapping[str, Any],
    reason: str,
    kind: str,
    refuse: Callable[[Version, frozenset[str]], None] | None = None,
) -> tuple[Version, frozenset[str]]:
    """Append what ``in_force`` says of the ``project`` but for ``changes``, and write that into the diary as ``kind``.

    Returns the version in force now, and the names of what changed; where that is nothing, nothing is appended.
    ``refuse`` is called with both before anything is kept, to raise :class:`Refused` by rules that the model does not
    hold.

    Raises :class:`Refused` ``invalid`` (422) for a value that the model does not take, and for a ``reason`` that is too
    long to keep.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = in_force(project)
    was = {name: getattr(before, name) for name in fields}
    changed = {name: [was[name], value] for name, value in changes.items() if was[name] != value}
    if not changed:
        return before, frozenset()
    words = kept_whole(reason, field="reason")
    version = type(before)(project=project, by=by, reason=words, **was | dict(changes))
    if refuse:
        refuse(version, frozenset(changed))
    try:
        version.full_clean(exclude=["project", "by"])
    except ValidationError as error:
        wrong = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise Refused("invalid", "; ".join(wrong.values()), status=422, fields=wrong) from None
    version.save()
    log_activity(project=project, kind=kind, actor=by, changes=changed, reason=words)
    return version, frozenset(changed)
