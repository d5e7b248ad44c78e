"""The demo project: real photos of solar cells, judged by experts, out of an installed package.

ELPV (Deitsch et al.): 2,624 electroluminescence photos. The experts' probability that a cell is defective is 0,
1/3, 2/3 or 1. The photos are licensed CC BY-NC-SA 4.0: they are read where the package put them.
"""

from __future__ import annotations

import importlib.util
import random
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from labeling.catalog.images import add_image, add_items
from labeling.catalog.guidelines import amend_guideline
from labeling.catalog.intake import start_intake
from labeling.catalog.models import IntakeKind, Item, Project
from labeling.catalog.projects import create_project
from labeling.jobs.models import Job
from labeling.people.models import User
from labeling.refusals import Refused

SLUG = "cells"
SOURCE = "ELPV dataset"
GOLD_A_CLASS = 15
EXEMPLARS_A_CLASS = 3

CLASSES = [
    {
        "key": "functional",
        "name": "Functional",
        "criteria": (
            "The whole cell glows. Even grey areas, soft brightness gradients and the regular dark lines of the "
            "busbars and fingers belong to every cell.\n"
            "Grain of a multicrystalline cell (cloudy or angular dark patches with soft edges that follow the "
            "crystals) is no defect.\n"
            "Dark corners of a monocrystalline cell are its cut shape, no defect."
        ),
        "checklist": [
            "No sharp dark line crosses the grain or the fingers",
            "No area is dark up to a sharp edge",
        ],
    },
    {
        "key": "defective",
        "name": "Defective",
        "criteria": (
            "Some of the cell gives no power. Any one of these is enough:\n"
            "a crack: a thin dark line with a sharp edge that does not follow fingers or grain, often forked;\n"
            "a dead area: dark up to a sharp edge, often between a crack and the cell's border;\n"
            "interrupted fingers: several neighbouring fingers dark over the same stretch;\n"
            "a soldering fault or material fault: a dark spot at a busbar with a clear outline.\n"
            "If you would have to guess between grain and crack, hold the photo."
        ),
        "checklist": [
            "I can point at the crack, the dead area or the dark fingers",
            "It is not the grain of the crystal",
        ],
    },
]


@dataclass(frozen=True, slots=True)
class Cell:
    """One photo of the package. ``probability``: how sure the experts are that it is defective, 0 to 1."""

    path: Path
    probability: float
    kind: str


def elpv_folder() -> Path:
    """The folder of the package's photos. Refuses when the package is not installed."""
    spec = importlib.util.find_spec("elpv_dataset")
    if spec is None or spec.origin is None:
        raise Refused(
            "no_demo_photos", "The demo's photos are not installed. Run `make demo`, or pip install elpv-dataset."
        )
    return Path(spec.origin).parent / "data" / "images"


def elpv_cells() -> list[Cell]:
    """All photos with the experts' judgement, in the package's order."""
    folder = elpv_folder()
    cells = []
    for line in (folder.parent / "labels.csv").read_text().splitlines():
        if parts := line.split():
            cells.append(Cell(folder.parent / parts[0], float(parts[1]), parts[2]))
    return cells


def clear_cells(*, count: int, defective: bool, skip: int = 0) -> list[Cell]:
    """``count`` photos on which the experts were certain, the same ones each time, ``skip`` of them left out."""
    wanted = 1.0 if defective else 0.0
    certain = [cell for cell in elpv_cells() if cell.probability == wanted]
    return random.Random(2019).sample(certain, skip + count)[skip:]


@transaction.atomic
def create_demo_project(*, by: User) -> Project:
    """The project, its criteria, and exemplar photos for each class."""
    project = create_project(
        slug=SLUG,
        name="Solar cells",
        question="Is this cell defective?",
        classes=CLASSES,
        by=by,
        description="Electroluminescence photos of solar cells (ELPV dataset, CC BY-NC-SA 4.0).",
    )
    exemplars = {}
    for key, defective in (("functional", False), ("defective", True)):
        cells = clear_cells(count=EXEMPLARS_A_CLASS, defective=defective, skip=GOLD_A_CLASS)
        images = [(add_image(data=cell.path.read_bytes())[0], cell.path.name) for cell in cells]
        add_items(project=project, images=images, source=SOURCE)
        exemplars[key] = [image.sha256 for image, _name in images]
    amend_guideline(project=project, by=by, note="Exemplars for both classes", exemplars=exemplars)
    return project


def gold_items(*, project: Project) -> list[tuple[Item, str]]:
    """Photos to ask blind, with the class key that the experts were certain of."""
    found = []
    for key, defective in (("functional", False), ("defective", True)):
        cells = clear_cells(count=GOLD_A_CLASS, defective=defective)
        images = [(add_image(data=cell.path.read_bytes())[0], cell.path.name) for cell in cells]
        add_items(project=project, images=images, source=SOURCE)
        items = Item.objects.filter(project=project, image__in=[image for image, _name in images])
        found += [(item, key) for item in items.order_by("id")]
    return found


def start_demo_intake(*, project: Project, by: User) -> Job:
    """Take the package's photos in, as a job."""
    folder = elpv_folder()
    _batch, job = start_intake(
        project=project, by=by, kind=IntakeKind.FOLDER, source=SOURCE, folder=folder, roots=[folder]
    )
    return job
