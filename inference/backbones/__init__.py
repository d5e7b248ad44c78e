"""Frozen feature extractors behind one registry.

A family is one module with ``architectures() -> list[str]`` and ``load(name, weights) -> Backbone``, and one line
in ``FAMILIES``; one whose publisher offers weights also has ``published(name) -> Published``. Families are imported when
first asked for, so parsing a name costs no torch.

Knows nothing of photos as files, of stores or of heads.
"""

from __future__ import annotations

import importlib
import threading
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

from inference.backbones.base import Backbone, UnknownBackbone, WeightsError
from inference.backbones.names import Name, parse
from inference.backbones.published import Published
from inference.photo import DEFAULT_LEVELS

__all__ = [
    "FAMILIES",
    "Backbone",
    "Published",
    "UnknownBackbone",
    "WeightsError",
    "available",
    "load",
    "published",
]

#: Family -> module that loads it. Names of the first family are written without it.
FAMILIES: dict[str, str] = {
    "efficientnet_lite": "inference.backbones.efficientnet_lite",
    "torchvision": "inference.backbones.torchvision_zoo",
    "timm": "inference.backbones.timm_zoo",
    "clip": "inference.backbones.clip",
    "domain": "inference.domain.family",
    "onnx": "inference.brought_in.family",
}


class _Family(Protocol):
    def architectures(self) -> list[str]: ...

    def load(self, name: Name, weights: Path | None, /) -> Backbone: ...


#: Families whose backbones are kept in folders, each made for somebody's own photos.
KEPT = ("domain", "onnx")

#: Such backbones kept in memory, each a network of its own: a project's, its champion's, and the candidates of a training.
#: Each adaptation and fine-tuning makes another one, and a worker runs for months.
MOST_DOMAIN = 4

_loaded: dict[tuple[str, str | None], Backbone] = {}
_keeping = threading.Lock()


def available() -> list[str]:
    """Names that ``load`` takes, sorted, without suffixes. Imports every family, so it takes seconds."""
    return sorted(
        str(Name(family, architecture))
        for family in FAMILIES
        for architecture in _family(family).architectures()
    )


def load(name: str, *, weights: Path | None = None) -> Backbone:
    """The backbone called ``name``; the same object for the same arguments within a process.

    Of domain backbones only the ``MOST_DOMAIN`` asked for last are kept.

    Args:
        name: a family's architecture, with suffixes as ``inference.backbones.names`` says.
        weights: a ``.safetensors`` file, a torch state dict, or a folder that holds one under the architecture's name.
            Without it: the package's own weights, else the folder named by HILLTOP_WEIGHTS_DIR, else a download.

    Raises:
        UnknownBackbone: no such name.
        WeightsError: weights are missing or do not fit the architecture.
    """
    asked = _asked(name)
    shown = replace(asked, tiles=0, flips="", levels=DEFAULT_LEVELS)
    if asked.family in KEPT and asked != shown:
        raise UnknownBackbone(
            "What a backbone of one's own looks at was settled when it was fitted or brought in: ask without views."
        )
    key = (str(asked), None if weights is None else str(weights.resolve()))
    backbone = _loaded.get(key)
    if backbone is None:
        backbone = _family(asked.family).load(shown, weights)
        if asked != shown:
            backbone = backbone.with_views(
                name=str(asked), tiles=asked.tiles, flips=asked.flips, levels=asked.levels
            )
    return _kept(key, backbone)


def published(name: str) -> Published:
    """The weights that the publisher of a network offers; suffixes of ``name`` do not matter.

    Raises:
        UnknownBackbone: no such name, or nobody publishes it: its weights come with a package or from this Hilltop.
        WeightsError: its publisher offers no weights of it.
    """
    asked = _asked(name)
    offers = getattr(_family(asked.family), "published", None)
    if offers is None:
        raise UnknownBackbone(f"{name} needs no fetching: its weights are here already.")
    return cast(Published, offers(asked))


def _asked(name: str) -> Name:
    asked = parse(name)
    if asked.family not in FAMILIES:
        raise UnknownBackbone(
            f"No family of backbones called {asked.family!r}. Known: {', '.join(FAMILIES)}."
        )
    return asked


def _kept(key: tuple[str, str | None], backbone: Backbone) -> Backbone:
    """What is there already, if another thread was faster. The one asked for last comes last."""
    with _keeping:
        backbone = _loaded.pop(key, backbone)
        _loaded[key] = backbone
        domains = [each for each in _loaded if each[0].partition(":")[0] in KEPT]
        for oldest in domains[:-MOST_DOMAIN]:
            del _loaded[oldest]
        return backbone


def _family(name: str) -> _Family:
    return cast(_Family, importlib.import_module(FAMILIES[name]))
