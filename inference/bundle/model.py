"""A bundle's networks and head on photos: what ``predict.py`` runs, with onnxruntime, numpy and pillow alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession

from inference.backbones.preprocessing import Preprocessing
from inference.photo.pixels import decode_rgb


class Model:
    """``predict`` takes files' names or bytes, in a list or a table's first column; (n, k), columns as ``classes``."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        self.classes, self.head = config["classes"], InferenceSession(folder / "head.onnx")
        self.networks = [
            (Preprocessing(**each["preprocessing"]), InferenceSession(folder / each["file"]))
            for each in config["networks"]
        ]

    def predict(self, photos: Any, params: Any = None) -> Any:
        photos = photos.iloc[:, 0] if hasattr(photos, "iloc") else photos
        return np.array([self.scores(each) for each in photos], np.float32).reshape(-1, len(self.classes))

    def scores(self, photo: Any) -> Any:
        data, vectors = photo if isinstance(photo, bytes) else Path(photo).read_bytes(), []
        for see, network in self.networks:
            rgb = decode_rgb(data, max_pixels=10**8, min_side=see.min_side, levels=see.levels)
            vectors += network.run(None, {"pixels": see.pixels(rgb)})
        return self.head.run(None, {"vectors": np.concatenate(vectors, axis=1)})[0][0]

    def told(self, photo: str) -> dict[str, Any]:
        """Its scores by class; of one that cannot be read the ``error``, as one bad photo stops no other."""
        try:
            scores = dict(zip(self.classes, self.scores(photo).tolist(), strict=True))
        except Exception as error:
            return {"photo": photo, "error": str(error)}
        return {"photo": photo, "scores": scores}
