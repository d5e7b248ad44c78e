"""Versions of the class schema and criteria. A change appends a whole new version; classes keep their identity.

Answers point to a :class:`~labeling.catalog.models.LabelClass`, never to a name, so renaming, merging and retiring
touch no answer: they only change what the newest version says of the class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from labeling.catalog import events
from labeling.catalog.activity import log_activity
from labeling.catalog.models import (
    ClassDefinition,
    ClassState,
    Exemplar,
    Guideline,
    Image,
    LabelClass,
    Project,
)
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.notes import kept_whole
from labeling.text.plain import composed, is_seen

MAX_CLASSES = 500
MAX_CHECKS, LONGEST_CHECK = 20, 200
#: Characters of a class's criteria.
LONGEST_CRITERIA = 10_000
MAX_EXEMPLARS = 12
#: Keys that a refusal lists before it breaks off.
_LISTED = 20
_KEY = re.compile(r"^[a-z0-9_-]{1,60}$")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a version says of one class."""

    key: str
    name: str
    position: int
    group: str = ""
    state: str = ClassState.ACTIVE
    into: str = ""
    criteria: str = ""
    checklist: tuple[str, ...] = ()
    #: (image id, caption), in order
    exemplars: tuple[tuple[int, str], ...] = field(default=())


def first_guideline(*, project: Project, classes: Sequence[Mapping[str, Any]], by: User) -> Guideline:
    """Version 1 of a new project. Call it in the transaction that makes the project."""
    schema = first_schema(classes)
    return _write(project=project, number=1, note=_("First version"), by=by, schema=schema)


def first_schema(classes: Sequence[Mapping[str, Any]]) -> dict[str, Entry]:
    """What version 1 would say of ``classes``. Raises :class:`Refused` (422) where they cannot be a new project's."""
    schema: dict[str, Entry] = {}
    _add(schema, classes)
    if len(schema) < 2:
        raise Refused.invalid("classes", _("A question needs at least two classes. Add another one."))
    _check_names(schema)
    return schema


@transaction.atomic
def amend_guideline(
    *,
    project: Project,
    by: User,
    note: str,
    rename: Mapping[str, str] | None = None,
    group: Mapping[str, str] | None = None,
    add: Sequence[Mapping[str, Any]] = (),
    merge: Mapping[str, str] | None = None,
    retire: Sequence[str] = (),
    criteria: Mapping[str, str] | None = None,
    checklist: Mapping[str, Sequence[str]] | None = None,
    exemplars: Mapping[str, Sequence[str]] | None = None,
    more_exemplars: Mapping[str, Sequence[str]] | None = None,
    order: Sequence[str] = (),
    wording_only: bool = False,
    expected: int | None = None,
) -> Guideline:
    """Append a guideline version with these changes; everything else stays as it was. No answer is touched.

    ``rename``: key -> new name. ``group``: key -> heading under which it is listed; empty for none.
    ``add``: new classes (see :func:`~labeling.catalog.projects.create_project`);
    the key, or without a key the name, of a retired or merged class brings it back.
    ``merge``: key -> key of the class that its answers count for from now on. ``retire``: keys that are asked no more.
    ``criteria``: key -> text. ``checklist``: key -> short criteria.
    ``exemplars``: key -> SHA-256 of photos of the project, in order; ``more_exemplars``: of those that come
    behind what the class has. ``order``: keys, first ones first. ``wording_only``: what answers mean stays as it was, and
    so does all that rests on it; an admin may object (:func:`~labeling.catalog.objecting.object_to_wording`).
    ``expected``: the version number that the editor saw; refused with ``guideline_moved`` (409) if it is no longer
    the newest. Other refusals (422): ``unknown_class``, ``invalid``, ``nothing_changed``; ``admin_must_agree`` (403)
    where a certificate rests on the meaning and ``by`` is no admin. Sends ``guideline_changed``, and ``meaning_changed``
    unless it is another wording only.
    """
    refuse_unsaid(note)
    if wording_only and (add or merge or retire):
        raise Refused.invalid(
            "wording_only",
            _("Which classes there are is no wording: say that the meaning changes."),
            short=_("not possible"),
        )
    current = lock_newest(project, expected)
    before = read_entries(current)
    schema = dict(before)
    for key, name in (rename or {}).items():
        schema[key] = replace(_active(schema, key), name=_name(name))
    for key, heading in (group or {}).items():
        schema[key] = replace(_active(schema, key), group=_group(heading))
    _add(schema, add)
    schema = reworded(project, schema, criteria or {}, checklist or {}, exemplars or {}, more_exemplars or {})
    _merge_and_retire(schema, merge or {}, retire)
    schema = _in_order(schema, order)
    _check_names(schema)
    refuse_unchanged(before, schema)

    guideline = _write(
        project=project,
        number=current.number + 1,
        note=kept_whole(note, field="note"),
        by=by,
        schema=schema,
        wording_only=wording_only,
    )
    said: dict[str, Any] = {"number": guideline.number, "note": guideline.note}
    if wording_only:
        said["wording_only"] = True
    log_activity(project=project, kind="guideline_changed", actor=by, **said)
    events.guideline_changed.send(sender=Guideline, project=project, guideline=guideline)
    if not wording_only:
        events.meaning_changed.send(sender=Guideline, project=project, by=by)
    return guideline


def reworded(
    project: Project,
    before: Mapping[str, Entry],
    criteria: Mapping[str, str],
    checklist: Mapping[str, Sequence[str]],
    exemplars: Mapping[str, Sequence[str]],
    more_exemplars: Mapping[str, Sequence[str]],
) -> dict[str, Entry]:
    """What a reviewer may amend of classes in use; the arguments are those of :func:`amend_guideline`."""
    schema = dict(before)
    for key, text in criteria.items():
        schema[key] = replace(_active(schema, key), criteria=_criteria(text))
    for key, checks in checklist.items():
        schema[key] = replace(_active(schema, key), checklist=_checks(checks))
    for key, hashes in exemplars.items():
        entry = _active(schema, key)
        schema[key] = replace(entry, exemplars=_exemplars(project, entry, hashes))
    for key, hashes in more_exemplars.items():
        entry = _active(schema, key)
        schema[key] = replace(entry, exemplars=_exemplars(project, entry, [*_hashes(entry), *hashes]))
    return schema


def refuse_unsaid(note: str) -> None:
    if not note.strip():
        raise Refused.invalid(
            "note", _("Say in a few words what you changed and why. Labelers will read it.")
        )


def refuse_unchanged(before: Mapping[str, Entry], schema: Mapping[str, Entry]) -> None:
    if schema == before:
        raise Refused.invalid(
            None,
            _("This is what the guideline says already. Change something first."),
            code="nothing_changed",
        )


def lock_newest(project: Project, expected: int | None) -> Guideline:
    """The newest version, under a lock that makes numbers gapless and lets no two admins overwrite each other unseen."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    current = Guideline.objects.filter(project=project).order_by("-number")[:1].get()
    if expected is not None and expected != current.number:
        raise Refused(
            "guideline_moved",
            _(
                "Somebody published version %(number)s while you were editing. Look at it, then apply your change again."
            )
            % {"number": current.number},
            status=409,
        )
    return current


def key_for(name: str, taken: Iterable[str], otherwise: str = "class") -> str:
    """A key made from a class's name that is not ``taken``; ``class-1`` and so on where it has no Latin letters."""
    taken = set(taken)
    base = slugify(name)[:50] or otherwise
    if base != otherwise and base not in taken:
        return base
    number = 1
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def read_entries(guideline: Guideline) -> dict[str, Entry]:
    definitions = guideline.definitions.select_related("label_class", "merged_into").prefetch_related(
        "exemplars"
    )
    return {
        definition.label_class.key: Entry(
            key=definition.label_class.key,
            name=definition.name,
            position=definition.position,
            group=definition.group,
            state=definition.state,
            into=definition.merged_into.key if definition.merged_into else "",
            criteria=definition.criteria,
            checklist=tuple(definition.checklist),
            exemplars=tuple((exemplar.image_id, exemplar.caption) for exemplar in definition.exemplars.all()),
        )
        for definition in definitions
    }


def _write(
    *,
    project: Project,
    number: int,
    note: str,
    by: User,
    schema: dict[str, Entry],
    wording_only: bool = False,
) -> Guideline:
    guideline = Guideline.objects.create(
        project=project, number=number, note=note, created_by=by, wording_only=wording_only
    )
    classes = {known.key: known for known in LabelClass.objects.filter(project=project)}
    # In the schema's order: the two-letter codes are dealt out in the order of the rows.
    made = LabelClass.objects.bulk_create(
        LabelClass(project=project, key=key) for key in schema if key not in classes
    )
    classes |= {each.key: each for each in made}
    entries = list(schema.values())
    definitions = ClassDefinition.objects.bulk_create(
        ClassDefinition(
            guideline=guideline,
            label_class=classes[entry.key],
            name=entry.name,
            position=entry.position,
            group=entry.group,
            state=entry.state,
            merged_into=classes[entry.into] if entry.into else None,
            criteria=entry.criteria,
            checklist=list(entry.checklist),
        )
        for entry in entries
    )
    Exemplar.objects.bulk_create(
        Exemplar(definition=definition, image_id=image_id, caption=caption, position=position)
        for definition, entry in zip(definitions, entries, strict=True)
        for position, (image_id, caption) in enumerate(entry.exemplars)
    )
    return guideline


def _active(schema: Mapping[str, Entry], key: str) -> Entry:
    entry = schema.get(key)
    if entry is None or entry.state != ClassState.ACTIVE:
        in_use = [e.key for e in schema.values() if e.state == ClassState.ACTIVE]
        raise Refused.invalid(
            None,
            _("There is no class “%(key)s” in use. In use: %(keys)s.")
            % {"key": key, "keys": ", ".join(in_use[:_LISTED] + ["…"] * (len(in_use) > _LISTED))},
            code="unknown_class",
        )
    return entry


def _add(schema: dict[str, Entry], classes: Sequence[Mapping[str, Any]]) -> None:
    for given in classes:
        name = _name(given.get("name"))
        key = str(given.get("key") or "") or _out_of_use(schema, name) or key_for(name, schema)
        if not _KEY.match(key):
            raise Refused.invalid(
                "key",
                _("“%(key)s” cannot be a class's key: use small letters, digits, - and _ only.")
                % {"key": key},
            )
        known = schema.get(key)
        if known is not None and known.state == ClassState.ACTIVE:
            raise Refused.invalid("key", _("There is a class with the key “%(key)s” already.") % {"key": key})
        schema[key] = Entry(
            key=key,
            name=name,
            position=max((entry.position for entry in schema.values()), default=-1) + 1,
            group=_group(given.get("group") or (known.group if known else "")),
            criteria=_criteria(given.get("criteria") or (known.criteria if known else "")),
            checklist=_checks(given.get("checklist") or (known.checklist if known else ())),
            exemplars=known.exemplars if known else (),
        )
    if sum(entry.state == ClassState.ACTIVE for entry in schema.values()) > MAX_CLASSES:
        raise Refused.invalid(
            "classes", _("A project can have at most %(n)s classes in use.") % {"n": MAX_CLASSES}
        )


def _out_of_use(schema: Mapping[str, Entry], name: str) -> str:
    """The key of a retired or merged class with this name: adding it again means that class, with its answers."""
    return next(
        (
            entry.key
            for entry in schema.values()
            if entry.state != ClassState.ACTIVE and entry.name.casefold() == name.casefold()
        ),
        "",
    )


def _merge_and_retire(schema: dict[str, Entry], merge: Mapping[str, str], retire: Sequence[str]) -> None:
    for key in retire:
        if key in merge:
            raise Refused.invalid("retire", _("“%(key)s” can be merged or retired, not both.") % {"key": key})
        schema[key] = replace(_active(schema, key), state=ClassState.RETIRED)
    for key in merge:
        schema[key] = replace(_active(schema, key), state=ClassState.MERGED, into=merge[key])
    for key, into in merge.items():
        if key == into or schema.get(into) is None or schema[into].state != ClassState.ACTIVE:
            raise Refused.invalid(
                "merge",
                _("“%(key)s” cannot be merged into “%(into)s”: choose another class that stays in use.")
                % {"key": key, "into": into},
            )
    if not any(entry.state == ClassState.ACTIVE for entry in schema.values()):
        raise Refused.invalid("retire", _("At least one class must stay in use."))


def _in_order(schema: dict[str, Entry], order: Sequence[str]) -> dict[str, Entry]:
    """The classes in use first, in the order asked for, then the others; positions counted anew."""
    if len(set(order)) != len(order):
        raise Refused.invalid("order", _("Name each class once in the order."))
    for key in order:
        _active(schema, key)
    wanted = {key: place for place, key in enumerate(order)}
    entries = sorted(
        schema.values(),
        key=lambda entry: (
            entry.state != ClassState.ACTIVE,
            wanted.get(entry.key, len(wanted)),
            entry.position,
        ),
    )
    return {entry.key: replace(entry, position=place) for place, entry in enumerate(entries)}


def _check_names(schema: Mapping[str, Entry]) -> None:
    names = [entry.name.casefold() for entry in schema.values() if entry.state == ClassState.ACTIVE]
    for name in names:
        if names.count(name) > 1:
            raise Refused.invalid(
                "name", _("Two classes in use are called “%(name)s”. Give one another name.") % {"name": name}
            )


def _name(value: Any) -> str:
    name = composed(str(value or "").strip())
    if not is_seen(name) or len(name) > 80:
        raise Refused.invalid("name", _("A class needs a name of at most 80 letters."))
    return name


def _group(value: Any) -> str:
    group = composed(str(value or "").strip())
    if len(group) > 60:
        raise Refused.invalid("group", _("The name of a group can have at most 60 letters."))
    return group


def _criteria(value: Any) -> str:
    return kept_whole(str(value or ""), field="criteria", longest=LONGEST_CRITERIA)


def _checks(values: Iterable[Any]) -> tuple[str, ...]:
    if isinstance(values, str):
        values = values.splitlines()
    checks = tuple(text for value in values if (text := str(value).strip()))
    if len(checks) > MAX_CHECKS or any(len(text) > LONGEST_CHECK for text in checks):
        raise Refused.invalid(
            "checklist",
            _("A checklist can have at most %(n)s lines of at most %(longest)s letters.")
            % {"n": MAX_CHECKS, "longest": LONGEST_CHECK},
        )
    return tuple(dict.fromkeys(checks))


def _hashes(entry: Entry) -> list[str]:
    """Of the exemplars that the class has, in order."""
    ids = [image_id for image_id, _caption in entry.exemplars]
    hashes = dict(Image.objects.filter(pk__in=ids).values_list("pk", "sha256"))
    return [hashes[image_id] for image_id in ids]


def _exemplars(project: Project, entry: Entry, hashes: Sequence[str]) -> tuple[tuple[int, str], ...]:
    hashes = list(dict.fromkeys(hashes))
    if len(hashes) > MAX_EXEMPLARS:
        raise Refused.invalid(
            "exemplars", _("A class can have at most %(n)s exemplars. Take some away.") % {"n": MAX_EXEMPLARS}
        )
    captions = dict(entry.exemplars)
    images = dict(
        Image.objects.filter(sha256__in=hashes, items__project=project).values_list("sha256", "id")
    ) | dict(Image.objects.filter(sha256__in=hashes, id__in=captions).values_list("sha256", "id"))
    if unknown := [sha256 for sha256 in hashes if sha256 not in images]:
        raise Refused.invalid(
            "exemplars",
            _("No photo of this project has the hash %(sha256)s. Take the photo in first.")
            % {"sha256": unknown[0]},
        )
    return tuple((images[sha256], captions.get(images[sha256], "")) for sha256 in hashes)
