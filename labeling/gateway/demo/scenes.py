"""Drawn cars, for the demo's car wash: no photo of anybody's car, and no plate that is anybody's.

A scene is a shot of a car (front, rear, left, right or interior) and what happens to it: foam, a wash tunnel, or nothing.
Colour, place, size, light, background and dirt fall at random, so that no two scenes are alike but in what they show.
"""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 960, 720
SHOTS = ("front", "rear", "left", "right", "interior")
FOAM, TUNNEL, PLAIN = "foam", "tunnel", "plain"
Colour = tuple[int, int, int]
#: Left, top, right, bottom in pixels.
Box = tuple[float, float, float, float]

_PAINTS: tuple[Colour, ...] = (
    (178, 34, 34), (30, 60, 130), (70, 74, 80), (20, 22, 26), (40, 104, 72), (196, 140, 40), (120, 126, 134), (92, 40, 96),
)  # fmt: skip
_GLASS, _RUBBER, _METAL = (62, 78, 92), (24, 24, 26), (150, 154, 160)
_BRUSHES: tuple[Colour, ...] = ((30, 90, 200), (200, 40, 50), (20, 150, 90))


@dataclass(frozen=True)
class Car:
    """What stays the same in all shots of one car. ``dirt``: 0 to 1; ``dent``: whether a door has one."""

    plate: str
    paint: Colour
    dirt: float
    dent: bool


def any_car(dice: random.Random, number: int) -> Car:
    """``number`` makes the plate, of letters that no country begins a plate with."""
    return Car(f"DEMO {number:04d}", dice.choice(_PAINTS), dice.random() ** 2, dice.random() < 0.2)


def draw(
    car: Car, shot: str, shows: str, dice: random.Random, *, much: float = 1.0, shaken: bool = False
) -> bytes:
    """The scene as the bytes of a JPEG of 960 × 720 pixels. ``much``: of the usual foam, where it shows that; ``shaken``: by
    a hand that was not still."""
    scene = _Scene(car, dice, much)
    if shot == "interior":
        scene.interior(shows)
    else:
        scene.outside(shot, shows)
    return scene.developed(shaken)


class _Scene:
    def __init__(self, car: Car, dice: random.Random, much: float) -> None:
        self.car, self.dice, self.much = car, dice, much
        self.image = Image.new("RGB", (WIDTH, HEIGHT))
        self.pen = ImageDraw.Draw(self.image, "RGBA")

    # -- what is around the car ----------------------------------------------------------------------------------

    def street(self, box: Box = (0, 0, WIDTH, HEIGHT)) -> None:
        """Sky, houses or trees, and the ground, within the box."""
        left, top, right, bottom = box
        dice = self.dice
        ground = top + (bottom - top) * dice.uniform(0.5, 0.68)
        sky = dice.choice(((150, 180, 210), (176, 182, 190), (206, 190, 170), (110, 130, 160)))
        self.pen.rectangle((left, top, right, ground), sky)
        for _ in range(dice.randint(3, 7)):
            x, width = dice.uniform(left, right), dice.uniform(0.08, 0.28) * (right - left)
            high = ground - dice.uniform(0.1, 0.8) * (ground - top)
            shade = dice.randint(70, 170)
            house = (shade, shade - dice.randint(0, 30), shade - dice.randint(0, 45))
            if dice.random() < 0.6:
                self.pen.rectangle((x, high, min(x + width, right), ground), house)
            else:
                self.pen.ellipse((x, high, min(x + width, right), ground), (40, dice.randint(80, 130), 50))
        grey = dice.randint(80, 140)
        self.pen.rectangle((left, ground, right, bottom), (grey, grey, grey - dice.randint(0, 14)))
        for _ in range(dice.randint(4, 12)):
            y = dice.uniform(ground, bottom)
            self.pen.line((left, y, right, y + dice.uniform(-20, 20)), (grey - 24, grey - 24, grey - 26), 2)

    def tunnel(self, box: Box) -> None:
        """Brushes from the sides and from above, with water."""
        left, top, right, bottom = box
        dice = self.dice
        brush = dice.choice(_BRUSHES)
        reach = (right - left) * dice.uniform(0.16, 0.24)
        for side in (left, right - reach):
            for x in np.arange(side, side + reach, 7.0):
                self._bristle(float(x), top, bottom, brush)
        deep = top + (bottom - top) * dice.uniform(0.14, 0.24)
        for x in np.arange(left, right, 8.0):
            self._bristle(float(x), top, deep + dice.uniform(-14, 14), brush)
        for _ in range(260):
            x, y = dice.uniform(left, right), dice.uniform(top, bottom)
            self.pen.line((x, y, x + 3, y + dice.uniform(12, 40)), (225, 236, 245, 120), 2)

    def _bristle(self, x: float, top: float, bottom: float, colour: Colour) -> None:
        dark = self.dice.uniform(0.5, 1.1)
        shade = tuple(min(255, round(dark * part)) for part in colour)
        sway = self.dice.uniform(-12, 12)
        self.pen.line((x, top, x + sway, (top + bottom) / 2, x - sway, bottom), (*shade, 235), 6)

    def foam(self, box: Box, much: float = 1.0) -> None:
        """Bubbles in clouds over the box."""
        left, top, right, bottom = box
        dice = self.dice
        for _ in range(round(dice.uniform(18, 30) * much)):
            x, y = dice.uniform(left, right), top + (bottom - top) * dice.random() ** 1.2
            for _ in range(26):
                size = dice.uniform(4, 22)
                u, v = x + dice.gauss(0, 34), y + dice.gauss(0, 20)
                white = dice.randint(226, 255)
                self.pen.ellipse(
                    (u - size, v - size, u + size, v + size), (white, white, 255, dice.randint(120, 215))
                )

    # -- the car -------------------------------------------------------------------------------------------------

    def outside(self, shot: str, shows: str) -> None:
        self.street()
        dice = self.dice
        size, middle = dice.uniform(0.86, 1.04), WIDTH / 2 + dice.uniform(-40, 40)
        floor = HEIGHT * dice.uniform(0.82, 0.9)
        if shows == TUNNEL:
            self.tunnel((0, 0, WIDTH, HEIGHT))
        body = (
            self._side(middle, floor, size)
            if shot in ("left", "right")
            else self._end(shot, middle, floor, size)
        )
        self._dirt(body)
        if shot == "right":  # drawn as its left; the front is at the other edge
            self.image.paste(self.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
            body = (WIDTH - body[2], body[1], WIDTH - body[0], body[3])
        if shows == FOAM:
            self.foam(body, self.much)
        if shows == TUNNEL:
            self.foam(body, 0.15)

    def _end(self, shot: str, middle: float, floor: float, size: float) -> Box:
        """Front or rear."""
        wide, high = 290 * size, 400 * size
        left, right, top = middle - wide, middle + wide, floor - high
        belt = top + 0.45 * high
        self.pen.ellipse((left - 10, floor - 26, right + 10, floor + 26), (0, 0, 0, 110))
        for x in (left + 20, right - 90 * size):
            self.pen.rounded_rectangle((x, floor - 100 * size, x + 70 * size, floor + 8), 14, _RUBBER)
        self.pen.polygon(
            [
                (left + 0.16 * wide, belt),
                (left + 0.36 * wide, top),
                (right - 0.36 * wide, top),
                (right - 0.16 * wide, belt),
            ],
            self.car.paint,
        )
        self.pen.polygon(
            [
                (left + 0.25 * wide, belt),
                (left + 0.41 * wide, top + 18),
                (right - 0.41 * wide, top + 18),
                (right - 0.25 * wide, belt),
            ],
            _GLASS,
        )
        self.pen.rounded_rectangle((left, belt - 6, right, floor - 40 * size), 42, self.car.paint)
        self._shine((left, belt, right, belt + 30))
        lamps = (250, 246, 220) if shot == "front" else (206, 24, 30)
        for x in (left + 26, right - 26 - 104 * size):
            self.pen.rounded_rectangle(
                (x, belt + 44, x + 104 * size, belt + 44 + 52 * size), 20, lamps, (30, 30, 30), 3
            )
        if shot == "front":
            self.pen.rounded_rectangle(
                (middle - 120 * size, belt + 60, middle + 120 * size, belt + 60 + 62 * size), 12, (18, 18, 20)
            )
            for n in range(5):
                y = belt + 68 + 11 * n * size
                self.pen.line((middle - 112 * size, y, middle + 112 * size, y), _METAL, 3)
        else:
            self.pen.line((left + 30, belt + 20, right - 30, belt + 20), (0, 0, 0, 140), 4)
            self.pen.rounded_rectangle((middle - 70, belt + 30, middle + 70, belt + 44), 7, _METAL)
        self._plate(middle, floor - 92 * size, size)
        return left, top, right, floor - 40 * size

    def _side(self, middle: float, floor: float, size: float) -> Box:
        """The left side, its front at the left edge."""
        half, high = 400 * size, 270 * size
        left, right, top = middle - half, middle + half, floor - high
        belt = top + 0.46 * high
        self.pen.ellipse((left - 10, floor - 16, right + 10, floor + 22), (0, 0, 0, 110))
        roof = [
            (left + 0.5 * half, belt),
            (left + 0.78 * half, top),
            (left + 1.5 * half, top),
            (left + 1.82 * half, belt),
        ]
        self.pen.polygon(roof, self.car.paint)
        glass = [(x + math.copysign(14, middle - x), min(y + 14, belt)) for x, y in roof]
        self.pen.polygon(glass, _GLASS)
        post = left + 1.12 * half
        self.pen.rectangle((post - 8, top, post + 8, belt), self.car.paint)
        self.pen.rounded_rectangle((left, belt - 4, right, floor - 44 * size), 38, self.car.paint)
        self._shine((left + 20, belt + 4, right - 20, belt + 26))
        for x in (left + 0.56 * half, post, left + 1.68 * half):
            self.pen.line((x, belt, x, floor - 56 * size), (0, 0, 0, 120), 3)
        for x in (left + 0.92 * half, left + 1.46 * half):
            self.pen.rounded_rectangle((x, belt + 28, x + 44 * size, belt + 38), 5, _METAL)
        self.pen.ellipse(
            (left + 8, belt + 22, left + 66 * size, belt + 66 * size), (250, 246, 220), (30, 30, 30), 3
        )
        self.pen.rectangle((right - 34 * size, belt + 22, right - 6, belt + 66 * size), (206, 24, 30))
        for x in (left + 0.4 * half, left + 1.6 * half):
            self._wheel(x, floor - 46 * size, 62 * size)
        if self.car.dent:
            x, y = left + 1.3 * half, belt + 90 * size
            self.pen.ellipse((x - 40, y - 26, x + 40, y + 26), (0, 0, 0, 80))
            self.pen.arc((x - 40, y - 26, x + 40, y + 26), 20, 160, (255, 255, 255, 150), 4)
        return left, top, right, floor - 44 * size

    def _wheel(self, x: float, y: float, radius: float) -> None:
        self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), _RUBBER)
        self.pen.ellipse((x - 0.62 * radius, y - 0.62 * radius, x + 0.62 * radius, y + 0.62 * radius), _METAL)
        turn = self.dice.uniform(0, math.pi)
        for n in range(5):
            angle = turn + 2 * math.pi * n / 5
            self.pen.line(
                (x, y, x + 0.6 * radius * math.cos(angle), y + 0.6 * radius * math.sin(angle)),
                (70, 72, 76),
                8,
            )

    def _plate(self, x: float, y: float, size: float) -> None:
        self.pen.rectangle(
            (x - 92 * size, y - 20 * size, x + 92 * size, y + 20 * size), (240, 240, 232), (20, 20, 20), 3
        )
        self.pen.text((x, y), self.car.plate, (20, 20, 20), _font(), anchor="mm")

    def _shine(self, box: Box) -> None:
        self.pen.rounded_rectangle(box, 12, (255, 255, 255, self.dice.randint(30, 80)))

    def _dirt(self, body: Box) -> None:
        left, top, right, bottom = body
        for _ in range(round(500 * self.car.dirt)):
            x = self.dice.uniform(left, right)
            y = bottom - (bottom - top) * self.dice.random() ** 2 * 0.7
            size = self.dice.uniform(1, 7)
            self.pen.ellipse((x - size, y - size / 2, x + size, y + size / 2), (96, 76, 48, 130))

    # -- from a seat ---------------------------------------------------------------------------------------------

    def interior(self, shows: str) -> None:
        dice = self.dice
        sill = HEIGHT * dice.uniform(0.44, 0.54)
        window = (0, 0, WIDTH, sill)
        self.street(window)
        if shows == TUNNEL:
            self.tunnel(window)
            self.foam(window, dice.uniform(0.2, 0.6))
        trim = dice.choice(((44, 44, 48), (70, 60, 52), (54, 60, 70)))
        for slant in (-1, 1):
            x = WIDTH / 2 + slant * WIDTH * 0.42
            self.pen.polygon(
                [(x, 0), (x + slant * 60, 0), (x + slant * 130, sill), (x + slant * 60, sill)], trim
            )
        self.pen.rounded_rectangle((WIDTH / 2 - 90, 30, WIDTH / 2 + 90, 86), 18, (30, 30, 32))
        self.pen.polygon([(0, sill), (WIDTH, sill), (WIDTH, HEIGHT), (0, HEIGHT)], trim)
        self.pen.rectangle((0, sill, WIDTH, sill + 22), tuple(part + 22 for part in trim))
        x, y = WIDTH * dice.uniform(0.26, 0.34), HEIGHT * 0.78
        self.pen.rounded_rectangle((x - 130, sill + 30, x + 130, sill + 120), 30, (16, 18, 22))
        for n in (-1, 1):
            self.pen.ellipse(
                (x + n * 66 - 38, sill + 38, x + n * 66 + 38, sill + 114), (30, 34, 40), (200, 204, 210), 3
            )
        self.pen.ellipse((x - 170, y - 170, x + 170, y + 170), None, (26, 26, 28), 30)
        self.pen.line((x - 150, y, x + 150, y), (26, 26, 28), 26)
        screen = (WIDTH * 0.56, sill + 40, WIDTH * 0.78, sill + 170)
        self.pen.rounded_rectangle(screen, 10, (18, 40, 60), (90, 94, 100), 4)
        for n in range(4):
            self.pen.line(
                (screen[0] + 16, screen[1] + 24 + 26 * n, screen[2] - 40 * n - 16, screen[1] + 24 + 26 * n),
                (120, 190, 220),
                5,
            )
        self._dirt((0, sill + 20, WIDTH, HEIGHT))

    # -- as a camera takes it ------------------------------------------------------------------------------------

    def developed(self, shaken: bool) -> bytes:
        """With the camera's noise, light and blur, as a file."""
        soft = self.image.filter(ImageFilter.GaussianBlur(self.dice.uniform(0.4, 0.9) + 9 * shaken))
        level = 0.5 if shaken else self.dice.uniform(3, 7)
        sand = np.random.default_rng(self.dice.getrandbits(32))
        noise = np.float32(level) * sand.standard_normal((HEIGHT, WIDTH, 1), dtype=np.float32)
        tint = [self.dice.uniform(0.95, 1.05) for _ in range(3)]
        light = np.array(tint, dtype=np.float32) * np.float32(self.dice.uniform(0.85, 1.1))
        pixels = np.clip(np.asarray(soft, dtype=np.float32) * light + noise, 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=88)
        return buffer.getvalue()


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(28)
