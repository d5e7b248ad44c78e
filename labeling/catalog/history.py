"""The guideline's versions so far, each with what it changed against the one before it, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from labeling.catalog.models import ClassDefinition, ClassState, Guideline, MeaningObjection, Project

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that both versions have (``kind`` empty), or that the later one took away or added (del, ins)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """``says``: a sentence. Of a text also what it was ``before`` and ``after``; ``key``: of the class, if it is of one."""

    says: str
    key: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return self.says

    @property
    def pieces(self) -> list[Piece]:
        """The text of both versions, word by word; empty where the change is of no text."""
        old, new = _WORDS.findall(self.before), _WORDS.findall(self.after)
        found: list[Piece] = []
        for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag == "equal":
                found.append(Piece("", "".join(old[a:b])))
                continue
            found += [
                Piece(kind, "".join(words)) for kind, words in (("del", old[a:b]), ("ins", new[c:d])) if words
            ]
        return found


@dataclass(frozen=True, slots=True)
class GuidelineVersion:
    """A version, what it changed against the one before it, and the objection to it if it was said to be a wording."""

    guideline: Guideline
    changes: list[Change]
    objection: MeaningObjection | None

    @property
    def keeps_meaning(self) -> bool:
        return self.guideline.wording_only and self.objection is None


def guideline_history(project: Project, *, limit: int = 30) -> list[GuidelineVersion]:
    """The newest ``limit`` versions, newest first."""
    guidelines = list(_whole(project).order_by("-number")[: limit + 1])
    objections = {
        each.guideline_id: each
        for each in MeaningObjection.objects.filter(guideline__in=guidelines).select_related("by")
    }
    history = []
    for index, guideline in enumerate(guidelines[:limit]):
        earlier = guidelines[index + 1] if index + 1 < len(guidelines) else None
        history.append(
            GuidelineVersion(
                guideline, _changes(earlier, guideline) if earlier else [], objections.get(guideline.pk)
            )
        )
    return history


def changes_of(project: Project, number: int) -> list[Change] | None:
    """What version ``number`` changed; ``None`` where there is no such version."""
    if not Guideline.objects.filter(project=project, number=number).exists():
        return None
    found = {each.number: each for each in _whole(project).filter(number__in=[number - 1, number])}
    return _changes(found[number - 1], found[number]) if number - 1 in found else []


def _whole(project: Project) -> Any:
    definitions = ClassDefinition.objects.select_related("label_class", "merged_into")
    return (
        Guideline.objects.filter(project=project)
        .select_related("created_by")
        .prefetch_related(Prefetch("definitions", definitions.prefetch_related("exemplars")))
    )


def _changes(earlier: Guideline, later: Guideline) -> list[Change]:
    before = {d.label_class.key: d for d in earlier.definitions.all()}
    said: list[Change] = []
    for new in later.definitions.all():
        key = new.label_class.key
        old = before.get(key)
        if old is None:
            said.append(Change(_("“%(name)s” was added.") % {"name": new.name}, key))
            continue
        said += changes_of_class(key, old, new, before)
    in_use = [_in_use(version.definitions.all()) for version in (earlier, later)]
    common = set(in_use[0]) & set(in_use[1])
    if [key for key in in_use[0] if key in common] != [key for key in in_use[1] if key in common]:
        said.append(Change(_("The order of the classes was changed.")))
    return said


def _in_use(definitions: Iterable[ClassDefinition]) -> list[str]:
    return [d.label_class.key for d in definitions if d.state == ClassState.ACTIVE]


def changes_of_class(
    key: str, old: ClassDefinition, new: ClassDefinition, before: dict[str, ClassDefinition]
) -> list[Change]:
    names = {"name": new.name, "old": old.name}
    said: list[Change] = []
    if old.name != new.name:
        said.append(Change(_("“%(old)s” is now called “%(name)s”.") % names, key, old.name, new.name))
    if old.group != new.group:
        says = _("“%(name)s” is listed under another heading.") % names
        said.append(Change(says, key, old.group, new.group))
    if (old.state, old.merged_into_id) != (new.state, new.merged_into_id):
        said.append(Change(_state_says(new, names, before), key))
    if old.criteria != new.criteria:
        says = _("The criteria of “%(name)s” were amended.") % names
        said.append(Change(says, key, old.criteria, new.criteria))
    if old.checklist != new.checklist:
        says = _("The checklist of “%(name)s” was changed.") % names
        said.append(Change(says, key, "\n".join(old.checklist), "\n".join(new.checklist)))
    if [e.image_id for e in old.exemplars.all()] != [e.image_id for e in new.exemplars.all()]:
        said.append(Change(_("The exemplars of “%(name)s” were changed.") % names, key))
    return said


def _state_says(new: ClassDefinition, names: dict[str, str], before: dict[str, ClassDefinition]) -> str:
    if new.merged_into is not None:
        into = before.get(new.merged_into.key)
        names = names | {"into": into.name if into else new.merged_into.key}
        return _("“%(name)s” was merged into “%(into)s”.") % names
    if new.state == ClassState.RETIRED:
        return _("“%(name)s” was retired.") % names
    return _("“%(name)s” is in use again.") % names
