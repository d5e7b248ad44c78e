"""Which of the ELPV cells come into the demo's second project, and when; none comes twice."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from functools import cache
from itertools import islice

from PIL import Image, ImageDraw

from labeling.catalog import demo
from labeling.catalog.elpv import Cell, clear_cells, elpv_cells

SEED = 2019
#: In the usual deliveries one cell in so many is one on which the experts were not sure.
UNSURE = 12
#: Brightness of the last delivery, under a lamp that fades.
DIM_LIGHT = 0.6
#: Lines over the photo, as shares of its width and height, their grey level and width in pixels: like cracks, to the model.
CABLES, CABLE_GREY, CABLE_WIDTH = (
    (
        ((0, 0.2), (1, 0.8)),
        ((0.15, 1), (0.75, 0)),
        ((0, 0.75), (1, 0.3)),
    ),
    12,
    10,
)


@dataclass(frozen=True)
class Sizes:
    """Photos of each delivery; random photos: early ones, the certification's, what its plan counts on; answers a day: at
    first, usually, and while random photos wait.

    ``cabled`` are too few to be told apart from the pool (``frontier.arrivals.LEAST``), so that the machine decides them.
    """

    first: int = 1350
    cabled: int = 45
    more: int = 100
    usual: int = 250
    dim: int = 60
    sample: int = 450
    planned: int = 350
    early: int = 200
    answers_at_first: int = 80
    answers: int = 40
    in_a_hurry: int = 260


@cache
def usual() -> list[Cell]:
    """Cells in the order in which they come: neither gold nor exemplars, easier than the data set (above)."""
    known = {
        cell.path
        for defective in (False, True)
        for cell in clear_cells(count=demo.GOLD_A_CLASS + demo.EXEMPLARS_A_CLASS, defective=defective)
    }
    cells = [cell for cell in elpv_cells() if cell.path not in known]
    random.Random(SEED).shuffle(cells)
    unsure = iter([cell for cell in cells if 0 < cell.probability < 0.5])
    certain = [cell for cell in cells if cell.probability in (0, 1)]
    return [next(unsure, cell) if number % UNSURE == 0 else cell for number, cell in enumerate(certain)]


@cache
def deliveries(sizes: Sizes) -> dict[str, list[Cell]]:
    """Which cells come when; none comes twice. Those behind cables are sound."""
    coming = usual()
    cabled = [cell for cell in reversed(coming) if cell.probability == 0][: sizes.cabled]
    others = iter([cell for cell in coming if cell not in cabled])
    return {
        "first": list(islice(others, sizes.first)),
        "more": list(islice(others, sizes.more)),
        "usual": list(islice(others, sizes.usual)),
        "dim": list(islice(others, sizes.dim)),
        "cabled": cabled,
    }


def dim(photo: Image.Image) -> Image.Image:
    """Under a lamp that fades."""
    return photo.point([round(DIM_LIGHT * level) for level in range(256)])


def cabled(photo: Image.Image) -> Image.Image:
    """Behind cables that hang before the camera. The cells are as before; to the model the lines look like cracks."""
    draw = ImageDraw.Draw(photo)
    for (left, top), (right, bottom) in CABLES:
        ends = (left * photo.width, top * photo.height, right * photo.width, bottom * photo.height)
        draw.line(ends, fill=CABLE_GREY, width=CABLE_WIDTH)
    return photo


#: What becomes of a delivery's photos on the way; their files' names begin with its name.
CHANGED = {"dim": dim, "cabled": cabled}


def photo_of(cell: Cell, lot: str = "") -> bytes:
    """The file's bytes, as the package has it or as it came in that delivery."""
    if lot not in CHANGED:
        return cell.path.read_bytes()
    buffer = io.BytesIO()
    with Image.open(cell.path) as photo:
        CHANGED[lot](photo.convert("L")).save(buffer, "PNG")
    return buffer.getvalue()
