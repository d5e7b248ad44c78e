"""What a photo is like before any model looks at it: brightness, contrast and sharpness.

Brightness and sharpness are measured as at intake, so that numbers from both may be compared.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

NAMES = ("brightness", "contrast", "sharpness")


def measure(luma: npt.NDArray[np.uint8]) -> tuple[float, float, float]:
    """Brightness, contrast and sharpness of one photo.

    Args:
        luma: (height, width), 0 to 255.

    Returns:
        The mean and the standard deviation of luma, and the variance of its Laplacian (four neighbours), which is near 0
        for a blurred or empty photo (Pech-Pacheco et al. 2000); 0 for photos narrower than three pixels.
    """
    values = luma.astype(np.float32)
    sharpness = 0.0
    if min(luma.shape) >= 3:
        middle = -4.0 * values[1:-1, 1:-1]
        laplacian = middle + values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:]
        sharpness = float(laplacian.var())
    return float(values.mean()), float(values.std()), sharpness
