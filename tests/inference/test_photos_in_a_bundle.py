"""Small JPEGs come out of the decoder at scales that any libjpeg has, so that a bundle's Pillow gives what was stored."""

from __future__ import annotations

import pytest

from inference.photo import pixels
from tests.factories import photo_bytes

LEAST = 64


@pytest.mark.parametrize(
    ("side", "comes_out"),
    [(40, 40), (64, 64), (73, 73), (127, 127), (128, 64), (171, 86), (255, 128), (256, 64), (700, 88)],
)
def test_jpegs_are_halved_as_often_as_leaves_enough(side: int, comes_out: int) -> None:
    data = photo_bytes(size=(side + 9, side), format="JPEG", subsampling=2)
    assert pixels.decode_pixels(data, max_pixels=10**6, min_side=LEAST).shape[0] == comes_out
