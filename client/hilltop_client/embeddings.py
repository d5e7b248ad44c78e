"""The feature store's rows: a vector a photo, as Arrow, pandas, NumPy or torch's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilltop_client.rows import ArrowRows

if TYPE_CHECKING:
    import numpy
    import pandas


@dataclass(frozen=True)
class Matrix:
    """``vectors`` (n, d) float32, of the photos ``sha256`` (n). ``backbones``: whose columns stand side by side."""

    sha256: list[str]
    vectors: numpy.ndarray
    backbones: list[dict[str, Any]]
    version: int | None


class Embeddings(ArrowRows):
    def matrix(self) -> Matrix:
        table = self.arrow()
        told = {name.decode(): json.loads(value) for name, value in (table.schema.metadata or {}).items()}
        vectors = table.column("vector").combine_chunks()
        flat = vectors.flatten().to_numpy(zero_copy_only=False)
        return Matrix(
            table.column("sha256").to_pylist(),
            flat.reshape(len(table), table.schema.field("vector").type.list_size),
            told["backbones"],
            told["version"],
        )

    def pandas(self) -> pandas.DataFrame:
        """A column a dimension, the photos' SHA-256 as the index."""
        import pandas

        matrix = self.matrix()
        return pandas.DataFrame(matrix.vectors, index=pandas.Index(matrix.sha256, name="sha256"))
