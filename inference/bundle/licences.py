"""Under which licence the weights of a backbone are, as its publisher states it."""

from __future__ import annotations

from inference import backbones
from inference.backbones import UnknownBackbone, WeightsError
from inference.backbones.names import parse

#: Of weights that come in packages, from the notices of their publishers.
_PACKAGED = {"efficientnet_lite": "Apache-2.0"}


def licence_of(name: str) -> str:
    """Of a backbone of the registry, by name; says so where nobody states one. A domain backbone has its base's."""
    family = parse(name).family
    if family in _PACKAGED:
        return _PACKAGED[family]
    try:
        return backbones.published(name).licence
    except (UnknownBackbone, WeightsError):
        return "not stated: ask whoever made these weights"
