"""The demo project: its question, criteria, exemplars, gold and photos (see :mod:`labeling.catalog.elpv`)."""

from __future__ import annotations

from django.db import transaction

from labeling.catalog.elpv import clear_cells, elpv_folder
from labeling.catalog.guidelines import amend_guideline
from labeling.catalog.images import add_image, add_items
from labeling.catalog.intake.handing_in import start_intake
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
            "- a crack: a thin dark line with a sharp edge that does not follow fingers or grain, often forked;\n"
            "- a dead area: dark up to a sharp edge, often between a crack and the cell's border;\n"
            "- interrupted fingers: several neighbouring fingers dark over the same stretch;\n"
            "- a soldering fault or material fault: a dark spot at a busbar with a clear outline.\n"
            "If you would have to guess between grain and crack, hold the photo."
        ),
        "checklist": [
            "I can point at the crack, the dead area or the dark fingers",
            "It is not the grain of the crystal",
        ],
    },
]


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
    add_exemplars(project=project, by=by)
    return project


@transaction.atomic
def add_exemplars(*, project: Project, by: User) -> None:
    """Photos that show each class, on which the experts were certain."""
    exemplars = {}
    for key, defective in (("functional", False), ("defective", True)):
        cells = clear_cells(count=EXEMPLARS_A_CLASS, defective=defective, skip=GOLD_A_CLASS)
        images = [(add_image(data=cell.path.read_bytes())[0], cell.path.name) for cell in cells]
        add_items(project=project, images=images, source=SOURCE)
        exemplars[key] = [image.sha256 for image, _name in images]
    amend_guideline(project=project, by=by, note="Exemplars for both classes", exemplars=exemplars)


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
    try:
        folder = elpv_folder()
    except FileNotFoundError as error:
        raise Refused("no_demo_photos", str(error)) from None
    _batch, job = start_intake(
        project=project, by=by, kind=IntakeKind.FOLDER, source=SOURCE, folder=folder, roots=[folder]
    )
    return job
