"""Maps made once for many seeds give what each seed's own run gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.photo_files import png
from benchmarks.shared_maps import shared_maps
from inference import backbones, domain
from inference.embed import Embedder


@pytest.mark.parametrize("flips", ["", "flip", "flips"])
def test_statistics_and_vectors_are_those_without_sharing(flips: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    files = {f"photo{i:02}": png(rng.integers(0, 255, (64, 64), dtype=np.uint8)) for i in range(48)}
    keys, pool = list(files), list(files)[3:]
    backbone = backbones.load("tiny:net")
    with shared_maps(backbone, keys, files, flips=flips, folder=tmp_path, threads=1) as shared:
        found = domain.fit(
            backbone, pool, files.__getitem__, flips=flips, modes=2, seed=3, threads=1, maps_of=shared.of
        )
        vectors = shared.vectors(found)
    own = domain.fit(backbone, pool, files.__getitem__, flips=flips, modes=2, seed=3, threads=1)
    np.testing.assert_allclose(found.mean, own.mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.scale, own.scale, rtol=1e-4, atol=1e-5)
    fitted = domain.domain_backbone(backbone, own, name="domain:test")
    embedded = np.concatenate([each.vectors for each in Embedder(fitted, threads=1).embed(files.items())])
    assert vectors.shape == (48, fitted.dim)
    np.testing.assert_allclose(vectors, embedded, rtol=1e-3, atol=1e-3)
    assert not list(tmp_path.glob(".maps-*"))
