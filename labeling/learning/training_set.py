"""What a training would learn from: trainable ground truths, classes resolved under the current guideline.

Pure reading, without arrays: the web process asks it whether a training is possible, the worker trains on it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, class_resolution, current_guideline
from labeling.truth.models import Draw, Gold, GroundTruth, Origin
from labeling.truth.tallies import truths

#: A class with fewer ground truths cannot be both learned from and judged on.
LEAST_A_CLASS = 2
#: A model is neither judged by a part of the labels nor promoted by itself on fewer photos: a few are right by chance.
LEAST_JUDGING = 30
#: Classes that a sentence names before it counts the others.
NAMED = 6
#: A project that trains by itself makes its first model when two classes have so many ground truths each.
FIRST_A_CLASS = 5
#: Raised when a training makes another head of the same ground truths, so that they may be trained on anew.
TRAINER = 2


@dataclass(frozen=True)
class Example:
    """One settled photo. ``audit``: it was drawn at random, so it may judge a model. ``twins_of``: its group of
    near-duplicates. Not ``strict``: one answer settled it, because a model agreed, or it was imported: it may train, and
    judges nothing where enough others do (:attr:`TrainingSet.judging`)."""

    ground_truth_id: int
    item_id: int
    sha256: str
    class_id: int
    audit: bool
    twins_of: int | None = None
    strict: bool = True


@dataclass(frozen=True)
class TrainingClass:
    id: int
    key: str
    name: str


@dataclass(frozen=True)
class TrainingSet:
    """Examples sorted by image hash, so that the same ground truths always come in the same order.

    ``classes`` are those with an example, in the guideline's order: the columns of all probabilities.
    """

    guideline_id: int
    classes: tuple[TrainingClass, ...]
    examples: tuple[Example, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Class key -> number of ground truths."""
        found = Counter(example.class_id for example in self.examples)
        return {each.key: found[each.id] for each in self.classes}

    @property
    def columns(self) -> list[int]:
        """Each example's column."""
        column = {each.id: index for index, each in enumerate(self.classes)}
        return [column[example.class_id] for example in self.examples]

    @property
    def groups(self) -> list[int] | None:
        """Each example's group for cross-validation, where some have a near-duplicate among them."""
        groups = [example.twins_of or example.item_id for example in self.examples]
        return groups if len(set(groups)) < len(groups) else None

    @property
    def strict(self) -> TrainingSet:
        """The same without what one answer settled, or an import brought."""
        return self.without({example.sha256 for example in self.examples if not example.strict})

    @property
    def judging(self) -> list[bool]:
        """(n,) which examples may judge a model: the strict ones. Where they are too few (:func:`can_judge`), all of them,
        for there is nothing better: a project that learns from imported labels alone would otherwise keep its first model.
        """
        enough = can_judge([example for example in self.examples if example.strict])
        return [example.strict or not enough for example in self.examples]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the sorted lines ``<image hash> <class key>``."""
        keys = {each.id: each.key for each in self.classes}
        lines = sorted(f"{example.sha256} {keys[example.class_id]}\n" for example in self.examples)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def without(self, hashes: Collection[str]) -> TrainingSet:
        """The same without the photos of these image hashes."""
        kept = tuple(example for example in self.examples if example.sha256 not in hashes)
        present = {example.class_id for example in kept}
        return replace(
            self, examples=kept, classes=tuple(each for each in self.classes if each.id in present)
        )


def can_judge(examples: Sequence[Example]) -> bool:
    """Whether they say more of a model than chance does: ``LEAST_JUDGING``, of two classes."""
    return len(examples) >= LEAST_JUDGING and len({example.class_id for example in examples}) >= 2


def training_set(project: Project) -> TrainingSet:
    """All that the project could train on: merged classes count as their survivor, retired ones not."""
    resolution = class_resolution(project)
    rows = (
        GroundTruth.objects.trainable()
        .filter(project=project)
        # A near-duplicate of a gold question would give its answer away to the model.
        .exclude(item__twins_of__in=_groups_of_gold(project))
        .values_list(
            "id",
            "item_id",
            "item__image__sha256",
            "label_class_id",
            "item__audit_drawn_at",
            "draw",
            "item__twins_of",
            "origin",
        )
    )
    examples = []
    for truth_id, item_id, sha256, class_id, audit_drawn_at, draw, twins_of, origin in rows:
        survivor = resolution.get(class_id)
        if survivor is not None:
            # What people saw with the prediction beside it trains, and is no part of the unbiased sample.
            strict = origin not in {Origin.ASSISTED, Origin.IMPORTED}
            audited = audit_drawn_at is not None and draw != Draw.SWEEP and strict
            examples.append(Example(truth_id, item_id, sha256, survivor, audited, twins_of, strict))
    examples.sort(key=lambda example: example.sha256)
    present = {example.class_id for example in examples}
    return TrainingSet(
        guideline_id=current_guideline(project).pk,
        classes=tuple(
            TrainingClass(definition.label_class_id, definition.label_class.key, definition.name)
            for definition in active_classes(project)
            if definition.label_class_id in present
        ),
        examples=tuple(examples),
    )


def size(project: Project) -> int:
    """How many examples :func:`training_set` has, without reading them."""
    given_away = GroundTruth.objects.trainable().filter(
        project=project, item__twins_of__in=_groups_of_gold(project)
    )
    return readiness(project).total - given_away.count()


def _groups_of_gold(project: Project) -> QuerySet[Gold, tuple[int | None]]:
    return Gold.objects.filter(project=project, item__twins_of__isnull=False).values_list("item__twins_of")


@dataclass(frozen=True)
class ClassCount:
    key: str
    name: str
    count: int


@dataclass(frozen=True)
class Readiness:
    """Whether a training is possible; if not, ``reason`` says what is missing and what to do."""

    counts: tuple[ClassCount, ...]
    reason: str

    @property
    def total(self) -> int:
        return sum(each.count for each in self.counts)

    @property
    def can_train(self) -> bool:
        return not self.reason

    def has(self, classes: int, *, of: int) -> bool:
        """Whether so many ``classes`` have at least ``of`` ground truths each."""
        return sum(each.count >= of for each in self.counts) >= classes


def readiness(project: Project) -> Readiness:
    """Counts of trainable ground truths per active class, and what a training still needs."""
    resolution = class_resolution(project)
    found: Counter[int] = Counter()
    for each in truths(project):
        survivor = resolution.get(each.class_id) if each.class_id is not None else None
        trains = each.origin != Origin.GOLD and (each.origin != Origin.ASSISTED or project.train_on_assisted)
        if survivor is not None and trains:
            found[survivor] += each.n
    counts = tuple(
        ClassCount(each.label_class.key, each.name, found[each.label_class_id])
        for each in active_classes(project)
    )
    return Readiness(counts, _what_is_missing(counts))


def _what_is_missing(counts: tuple[ClassCount, ...]) -> str:
    enough = [each for each in counts if each.count >= LEAST_A_CLASS]
    if len(enough) >= 2:
        return ""
    total = sum(each.count for each in counts)
    missing = [
        _("%(class)s has %(n)d") % {"class": each.name, "n": each.count}
        for each in counts
        if each.count < LEAST_A_CLASS
    ]
    if len(missing) > NAMED:
        missing = [*missing[:NAMED], _("%(n)d others have too few too") % {"n": len(missing) - NAMED}]
    if total == 0:
        now = _("No photo is settled as a class yet.")
    elif len(enough) == 1:
        now = _("So far only “%(class)s” has enough (%(n)d); %(missing)s.") % {
            "class": enough[0].name,
            "n": enough[0].count,
            "missing": ", ".join(missing),
        }
    else:
        now = _("So far %(missing)s.") % {"missing": ", ".join(missing)}
    return " ".join(
        [
            _("Training needs at least two classes with %(least)d ground truths each.")
            % {"least": LEAST_A_CLASS},
            now,
            _("Label more photos of the others, or settle open reviews, then train.")
            if total
            else _("Label photos of each class, then train."),
        ]
    )
