"""Which of the ELPV cells come into the demo's second project, and when; none comes twice."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from functools import cache
from itertools import islice

from PIL import Image

from labeling.catalog import demo
from labeling.catalog.elpv import Cell, clear_cells, elpv_cells

SEED = 2019
#: In the usual deliveries one cell in so many is one on which the experts were not sure.
UNSURE = 12
#: Brightness of the last delivery, under a lamp that fades, and how its files' names begin.
DIM_LIGHT, DIM = 0.7, "dim-"


@dataclass(frozen=True)
class Sizes:
    """Photos of each delivery; random photos: early ones, both certifications', what these plan with; answers a day."""

    first: int = 1200
    hard: int = 49
    more: int = 350
    usual: int = 80
    dim: int = 60
    sample: int = 200
    planned: int = 150
    early: int = 90
    sample_again: int = 200
    planned_again: int = 130
    answers: int = 36
    in_a_hurry: int = 140


@cache
def usual() -> list[Cell]:
    """Cells in the order in which they come: neither gold nor exemplars, and one in ``UNSURE`` hard to judge."""
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
    """Which cells come when; none comes twice.

    The hard ones have fine cracks, so that the experts lean to "defective" without being sure.
    """
    coming = iter(usual())
    hard = sorted((cell for cell in elpv_cells() if 0.5 < cell.probability < 1), key=lambda cell: cell.kind)
    return {
        "first": list(islice(coming, sizes.first)),
        "more": list(islice(coming, sizes.more)),
        "usual": list(islice(coming, sizes.usual)),
        "dim": list(islice(coming, sizes.dim)),
        "hard": hard[: sizes.hard],
    }


def lit(cell: Cell, light: float) -> bytes:
    """The photo's bytes, or those of one that is so much darker."""
    if light == 1.0:
        return cell.path.read_bytes()
    buffer = io.BytesIO()
    with Image.open(cell.path) as photo:
        photo.convert("L").point([round(light * level) for level in range(256)]).save(buffer, "PNG")
    return buffer.getvalue()
