"""Real photos of solar cells, judged by experts, out of an installed package. Knows nothing of Django.

ELPV (Deitsch et al.): 2,624 electroluminescence photos. The experts' probability that a cell is defective is 0,
1/3, 2/3 or 1. The photos are licensed CC BY-NC-SA 4.0: they are read where the package put them.
"""

from __future__ import annotations

import importlib.util
import random
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cell:
    """One photo of the package. ``probability``: how sure the experts are that it is defective, 0 to 1."""

    path: Path
    probability: float
    kind: str


def elpv_folder() -> Path:
    """The folder of the package's photos. Raises :class:`FileNotFoundError` when it is not installed."""
    spec = importlib.util.find_spec("elpv_dataset")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "The demo's photos are not installed. Run `make demo`, or pip install elpv-dataset."
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
