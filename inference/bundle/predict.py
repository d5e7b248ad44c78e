"""Scores of photos, a JSON line each: python predict.py PHOTO ... Needs onnxruntime, numpy and pillow."""

import json
import sys
from pathlib import Path

from inference.bundle.model import Model


def _load_pyfunc(folder: str) -> Model:
    """What MLflow asks for."""
    return Model(Path(folder))


if __name__ == "__main__":
    model = Model(Path(__file__).parent)
    for photo in sys.argv[1:]:
        print(json.dumps(model.told(photo), ensure_ascii=False))
