"""Handwritten digits of 8 x 8 pixels, ten classes of equal size: what no backbone has ever been trained for.

Of scikit-learn (Alpaydin and Kaynak 1998, *Optical Recognition of Handwritten Digits*; CC BY 4.0).
"""

import numpy as np
from sklearn.datasets import load_digits

from benchmarks.pictures.base import Pictures, collect, png

# Larger than what intake would call too small to see.
_ENLARGED = 8


def load() -> Pictures:
    digits = load_digits()
    grey = np.round(255.0 - digits.images * (255.0 / 16.0)).astype(np.uint8)
    large = grey.repeat(_ENLARGED, axis=1).repeat(_ENLARGED, axis=2)
    return collect(
        "digits",
        [str(digit) for digit in range(10)],
        ((str(label), png(image)) for label, image in zip(digits.target.tolist(), large, strict=True)),
    )
