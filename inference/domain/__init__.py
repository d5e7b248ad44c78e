"""A backbone fitted to a company's own photos: the *domain backbone*.

The first and cheapest kind needs no gradient: the statistics of the unlabeled pool's feature maps, per place and channel
(``statistics``), by which every photo's maps are standardised before they are pooled (``network``). Where the pool holds
several appearances, each gets its own (``modes``).

``fit`` makes them, ``domain_backbone`` puts them on a backbone, ``save`` and ``load`` keep them in a folder, and
``inference.backbones.load("domain:NAME")`` finds them there. Knows nothing of labels: none is ever asked for.
"""

from inference.domain.fitting import LEAST_PHOTOS, MOST_PHOTOS, TooFewPhotos, fit
from inference.domain.folder import (
    DomainFolderError,
    load,
    load_statistics,
    read_manifest,
    save,
    save_trained,
)
from inference.domain.network import VERSION, NoMaps, domain_backbone, map_shapes
from inference.domain.statistics import DomainStatistics
from inference.domain.weights import with_weights

__all__ = [
    "LEAST_PHOTOS",
    "MOST_PHOTOS",
    "VERSION",
    "DomainFolderError",
    "DomainStatistics",
    "NoMaps",
    "TooFewPhotos",
    "domain_backbone",
    "fit",
    "load",
    "load_statistics",
    "map_shapes",
    "read_manifest",
    "save",
    "save_trained",
    "with_weights",
]
