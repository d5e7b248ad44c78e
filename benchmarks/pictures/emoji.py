"""Emoji in eight of Unicode's nine groups: without flags, nearly all of which are sequences, and without skin tones.

Noto Color Emoji is under the SIL Open Font License 1.1, the table of groups under the Unicode License.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.pictures.base import NotInstalled, Pictures, collect, png

_FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
_TABLE = Path("/usr/share/unicode/emoji/emoji-test.txt")
# The one size at which the font's pictures lie, and a canvas that they fit on.
_SIZE, _CANVAS = 109, (136, 128)
_PAPER = (255, 255, 255)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_VARIATION = 0xFE0F
_LEFT_OUT = "Flags"


def load() -> Pictures:
    if not (_FONT.exists() and _TABLE.exists()):
        raise NotInstalled("emoji", "apt-get install fonts-noto-color-emoji unicode-data")
    found = list(_listed(_TABLE.read_text(encoding="utf-8")))
    font = ImageFont.truetype(str(_FONT), _SIZE)
    drawn = ((group, _draw(signs, font)) for group, signs in found)
    return collect("emoji", list(dict.fromkeys(group for group, _ in found)), drawn)


def _listed(table: str) -> Iterator[tuple[str, str]]:
    """(group, sign) of each emoji that is one sign of the font: no sequences, which need shaping."""
    group = ""
    for line in table.splitlines():
        if line.startswith("# group:"):
            group = line.partition(":")[2].strip()
        points, _, rest = line.partition(";")
        if not rest.strip().startswith("fully-qualified"):
            continue
        signs = [code for point in points.split() if (code := int(point, 16)) != _VARIATION]
        if len(signs) == 1 and signs[0] not in _SKIN_TONES and group != _LEFT_OUT:
            yield group, chr(signs[0])


def _draw(sign: str, font: ImageFont.FreeTypeFont) -> bytes:
    canvas = Image.new("RGB", _CANVAS, _PAPER)
    ImageDraw.Draw(canvas).text((0, 0), sign, font=font, embedded_color=True)
    return png(np.asarray(canvas))
