"""What Dawid and Skene's model makes of the answers: what each photo probably shows, and how each person errs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.people.models import User
from labeling.truth.models import AnswerKind
from labeling.truth.quality.agreement import estimates


@dataclass(frozen=True)
class EstimatedPhoto:
    item: Item
    estimate: str
    probability: float
    truth: str


@dataclass(frozen=True)
class Confusion:
    """One labeler's estimated behaviour: for each true value, how often each value is answered."""

    labeler: str
    accuracy: float
    answers: int
    rows: list[tuple[str, list[float]]]


@dataclass(frozen=True)
class DawidSkeneView:
    at: datetime | None
    n_photos: int
    n_disagreeing: int
    values: list[str]
    priors: list[tuple[str, float]]
    disagreeing: list[EstimatedPhoto]
    unsure: list[EstimatedPhoto]
    confusions: list[Confusion]


def dawid_skene(project: Project) -> DawidSkeneView | None:
    """The newest Dawid-Skene estimates, with names put to their ids; None before a worker made any."""
    newest = estimates(project)
    found = newest.result.get("dawid_skene")
    if not found or newest.latest is None:
        return None
    names = _value_names(project)

    def name(value: str) -> str:
        return names.get(value, value)

    photos = [*found["disagreeing"], *found["unsure"]]
    items = Item.objects.filter(project=project).select_related("image").in_bulk([p["item"] for p in photos])
    people = User.objects.in_bulk([row["labeler"] for row in found["labelers"]])

    def listed(rows: list[dict[str, Any]]) -> list[EstimatedPhoto]:
        return [
            EstimatedPhoto(
                item=items[row["item"]],
                estimate=name(row["estimate"]),
                probability=row["probability"],
                truth=name(row["truth"]) if row.get("truth") else "",
            )
            for row in rows
            if row["item"] in items
        ]

    return DawidSkeneView(
        at=newest.latest.finished_at,
        n_photos=found["n_photos"],
        n_disagreeing=found["n_disagreeing"],
        values=[name(v) for v in found["values"]],
        priors=[(name(v), p) for v, p in zip(found["values"], found["priors"], strict=True)],
        disagreeing=listed(found["disagreeing"]),
        unsure=listed(found["unsure"]),
        confusions=[
            Confusion(
                labeler=str(people.get(row["labeler"], row["labeler"])),
                accuracy=row["accuracy"],
                answers=row["answers"],
                rows=[(name(v), row["errors"][v]) for v in found["values"]],
            )
            for row in found["labelers"]
        ],
    )


def _value_names(project: Project) -> dict[str, str]:
    """Names for the values of answers: class keys, ``hold`` and ``unusable`` (prefixed, as a key may be one)."""
    named = class_names_by_key(current_guideline(project))
    return {f"class:{key}": name for key, name in named.items()} | {
        AnswerKind.HOLD.value: str(AnswerKind.HOLD.label),
        AnswerKind.UNUSABLE.value: str(AnswerKind.UNUSABLE.label),
    }
