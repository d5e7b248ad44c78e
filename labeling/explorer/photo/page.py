"""What the page of one photo shows, and its address in the API tells."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.catalog.metadata.values import Value, of_photo
from labeling.catalog.models import Item, Project, Role
from labeling.catalog.permissions import ALLOWED, Action
from labeling.catalog.selectors import class_names, current_guideline
from labeling.explorer.photo.history import Moment, history
from labeling.explorer.search.pairs import having
from labeling.explorer.search.wanted import Wanted
from labeling.frontier.told import Standing, standing, telling
from labeling.learning.models import ModelVersion, Score
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.truth.models import Annotation, GroundTruth

#: Near-duplicates and projects that are shown beside a photo.
MOST_BESIDE = 24


@dataclass(frozen=True)
class Scored:
    """What the champion says of a photo; ``shares``: class id, its name and its probability, in the version's order."""

    version: ModelVersion
    score: Score
    shares: list[tuple[int, str, float]]


@dataclass(frozen=True)
class Elsewhere:
    """Another project that holds the photo; ``item_id`` only where the person may look at its photos."""

    project: Project
    item_id: int | None


@dataclass(frozen=True)
class PhotoPage:
    """``called``: what the photo is called by whoever settled it; empty where that is not told. ``untouched``: nobody has
    answered it, so it may become gold. ``metadata``: name, value, and the search for photos that have it, too."""

    item: Item
    standing: Standing
    called: str
    truth: GroundTruth | None
    moments: list[Moment]
    scored: Scored | None
    twins: list[Item]
    elsewhere: list[Elsewhere]
    untouched: bool
    metadata: list[tuple[str, Value, str]]


def item_of(project: Project, item_id: int) -> Item | None:
    return Item.objects.filter(project=project, pk=item_id).select_related("image", "metadata").first()


def photo_page(project: Project, item: Item, user: User) -> PhotoPage:
    item.project = project
    stands = standing(project, [item.pk], user)[item.pk]
    names = class_names(current_guideline(project))
    truth = GroundTruth.objects.filter(pk=stands.truth_id).first() if stands.truth_id else None
    return PhotoPage(
        item=item,
        standing=stands,
        called=names.get(stands.class_id, "?") if stands.class_id is not None else "",
        truth=truth,
        moments=history(project, item, told=stands.told, gold=telling(project, user)["gold"]),
        scored=_scored(project, item, names) if stands.told else None,
        twins=twins_of(item),
        elsewhere=elsewhere(item, user),
        untouched=not Annotation.objects.filter(item=item).exists(),
        metadata=[
            (name, value, Wanted(metadata=having({name: value})).query)
            for name, value in of_photo(item).items()
        ],
    )


def _scored(project: Project, item: Item, names: dict[int, str]) -> Scored | None:
    version = champion(project)
    score = Score.objects.filter(model_version=version, item=item).first() if version else None
    if version is None or score is None:
        return None
    shares = zip(version.classes, score.probabilities, strict=True)
    return Scored(version, score, [(each, names.get(each, "?"), share) for each, share in shares])


def twins_of(item: Item) -> list[Item]:
    """Photos of the project that are nearly the same, oldest first."""
    if item.twins_of is None:
        return []
    group = Item.objects.filter(project=item.project_id, twins_of=item.twins_of).exclude(pk=item.pk)
    return list(group.select_related("image").order_by("pk")[:MOST_BESIDE])


def elsewhere(item: Item, user: User) -> list[Elsewhere]:
    """Other projects that hold the same bytes, of those that ``user`` may see."""
    visible = Project.objects.for_member(user).exclude(pk=item.project_id or 0)
    held = Item.objects.filter(image=item.image_id, project__in=visible).select_related("project")
    found = list(held.order_by("project__name", "pk")[:MOST_BESIDE])
    roles = dict(
        user.memberships.filter(project__in=[each.project_id for each in found]).values_list(
            "project", "role"
        )
    )
    return [
        Elsewhere(
            each.project,
            each.pk if Action.REVIEW in ALLOWED[_role(user, roles.get(each.project.pk))] else None,
        )
        for each in found
        if each.project is not None  # narrows the type
    ]


def _role(user: User, role: str | None) -> str:
    return Role.ADMIN if user.is_superuser else role or Role.VIEWER
