"""Where Pillow stands alone, JPEGs are what simplejpeg makes of them, or it is said that they are not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from inference.photo import pixels
from tests.factories import photo_bytes

LEAST = 64


@pytest.mark.parametrize("side", [40, LEAST, 128, 150, 171, 255, 256, 512, 700])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_jpegs_are_the_same(side: int, subsampling: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = photo_bytes(size=(side + 9, side), format="JPEG", subsampling=subsampling)
    usual = pixels.decode_pixels(data, max_pixels=10**6, min_side=LEAST)
    monkeypatch.setattr(pixels, "simplejpeg", None)
    np.testing.assert_array_equal(pixels.decode_pixels(data, max_pixels=10**6, min_side=LEAST), usual)


def test_one_that_is_not_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "simplejpeg", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels.decode_pixels(photo_bytes(size=(60, 70), format="JPEG"), max_pixels=10**6, min_side=LEAST)
    with pytest.warns(UserWarning, match="simplejpeg"):
        decoded = pixels.decode_pixels(
            photo_bytes(size=(90, 100), format="JPEG"), max_pixels=10**6, min_side=LEAST
        )
    assert decoded.shape == (100, 90, 3)
