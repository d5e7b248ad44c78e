"""Small made-up photos of cells, each another: a functional one is bright, a defective one has a dark patch."""

from __future__ import annotations

import hashlib
import io
import threading

import numpy as np
from PIL import Image

SIDE = 48


class Pictures:
    """Makes photos, and knows of each what it shows."""

    def __init__(self, seed: int) -> None:
        self._dice = np.random.default_rng(seed)
        self._shows: dict[str, str] = {}
        self._lock = threading.Lock()

    def more(self, count: int) -> dict[str, bytes]:
        """File names and PNG files."""
        with self._lock:
            return dict(self._one() for _ in range(count))

    def class_of(self, sha256: str) -> str:
        return self._shows[sha256]

    def _one(self) -> tuple[str, bytes]:
        number = len(self._shows)
        cell = self._dice.normal(170, 18, (SIDE, SIDE))
        cell += np.outer(np.linspace(-25, 25, SIDE) * self._dice.uniform(-1, 1), np.ones(SIDE))
        class_ = "defective" if self._dice.random() < 0.4 else "functional"
        if class_ == "defective":
            x, y = self._dice.integers(0, SIDE - 20, 2)
            cell[x : x + 20, y : y + 20] -= 110
        file = io.BytesIO()
        Image.fromarray(cell.clip(0, 255).astype(np.uint8)).save(file, "PNG")
        self._shows[hashlib.sha256(file.getvalue()).hexdigest()] = class_
        return f"{number:05}.png", file.getvalue()


def multipart(files: dict[str, bytes], field: str = "files") -> tuple[bytes, str]:
    """A form's body with these files, and its content type."""
    parts = b"".join(
        b'--part\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n\r\n%b\r\n'
        % (field.encode(), name.encode(), data)
        for name, data in files.items()
    )
    return parts + b"--part--\r\n", "multipart/form-data; boundary=part"
