"""Embedding in a Ray cluster: what the job ``embed`` does, for tens of millions of photos at once.

A block's vectors are a shard, written by whoever computed them. What remains is the job's, which is asked for at the end: it
finds nothing missing but what cannot be read, tells the rooms above, and looks for near-duplicates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inference import backbones
from labeling.catalog.models import Project
from labeling.jobs import on_ray
from labeling.jobs.on_ray import ClusterTrouble, Outcome
from labeling.learning.compute import sharing
from labeling.learning.compute.embedding import Tally, embed_all
from labeling.learning.compute.stores import Shipper, device, embedder_for, load_backbone, store_of, tidy
from labeling.learning.services import request_embedding


class Embedding:
    """In each process of the cluster: a backbone, and one block of photos after the other into shards.

    ``backbone_hash`` and ``dtype``: what they are where the work was asked for.
    """

    def __init__(self, *, backbone: str, backbone_hash: str, dtype: str, threads: int | None) -> None:
        self._embedder = embedder_for(backbone, device(), threads)
        found = self._embedder.backbone
        if found.content_hash != backbone_hash:
            raise ClusterTrouble(
                f"This machine has other weights of {backbone} than where the work was asked for."
            )
        self._shards = Shipper(found.content_hash, found.dim, dtype)

    def __call__(self, hashes: Sequence[str], /) -> list[Outcome]:
        """``reason`` and ``message`` of those that cannot be read."""
        tally = Tally(named=len(hashes))
        embed_all(
            append=self._shards.append,
            embedder=self._embedder,
            hashes=hashes,
            tally=tally,
            report=lambda: None,
        )
        embedded: list[Outcome] = [{"sha256": each} for each in hashes if each not in tally.failed_hashes]
        return embedded + [dict(each) for each in tally.failures]


def embed(project: Project, name: str) -> tuple[int, Iterator[list[Outcome]]]:
    """How many photos of a project have no vector of a backbone, and what becomes of them, as it is iterated over.

    Raises :class:`ClusterTrouble`, also where there is no such backbone.
    """
    try:
        backbone = load_backbone(name)
    except (backbones.UnknownBackbone, backbones.WeightsError) as error:
        raise ClusterTrouble(str(error)) from error
    store = store_of(backbone)

    def missing() -> Iterator[str]:
        for part in sharing.parts(project):
            yield from store.missing(part.hashes)

    def going() -> Iterator[list[Outcome]]:
        given = {"backbone": name, "backbone_hash": backbone.content_hash, "dtype": store.dtype.name}
        yield from on_ray.outcomes(missing(), f"{__name__}.Embedding", given, gpus=True)
        tidy(store)
        request_embedding(project=project)

    return sum(1 for _each in missing()), going()
