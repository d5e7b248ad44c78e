"""Do people and model see the same photo, the right way up, how fast and in how much memory? And with two decoders, before?

``python -m benchmarks.pixels [--quick]``

Photos of every format, turned in all eight ways that EXIF (also as a long number) and XMP know, with profiles, with 16 bits
and with what is see-through. ``wrongly_turned`` counts people's and the model's pixels, ``largest_difference`` is the
greatest of any channel between the two at full size, before anything is encoded. Speed: decoded for the screen (1,600
pixels) and for a network (256), the mean over both and all files, one thread. Memory: the peak of one decoding, also of a
PNG that packs 800 MB into 778 kB.

``before`` is the same on the tree of the commit that still had two decoders, from this repository; without it, ``null``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.embed import _made_jpeg, elpv_photos
from benchmarks.photo_files import FORMATS, cmyk_profile, encoded, png, seen, tiff, turned
from inference.photo.colour import ADOBE_RGB

ROOT = Path(__file__).resolve().parent.parent
BEFORE = "399f242"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a smaller bomb and smaller photos")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hilltop-pixels-") as place:
        photos, tree = Path(place) / "photos", Path(place) / "before"
        photos.mkdir()
        files = make(photos, quick=chosen.quick)
        print(f"{len(files)} photos made", flush=True)
        told = measured(ROOT, photos, "now")
        before = measured(tree, photos, "before") if has_tree(tree) else None
    count = sum(purpose in ("compare", "turned") for purpose in files.values())
    print(json.dumps({"photos": count, **told, "device": "cpu, one thread", "before": before}))
    return 0


def make(folder: Path, *, quick: bool) -> dict[str, str]:
    """Files into the folder; name -> "turned", "compare", "speed" or "peak"."""
    files: dict[str, tuple[str, bytes]] = {}
    for format in FORMATS:
        for by in ("exif",) if format == "AVIF" else ("exif", "long", "xmp"):
            for way in range(1, 9):
                files[f"{format}, {by} {way}"] = ("turned", turned(format, way, by))
    for path in sorted((ROOT / "tests/inference/heic").glob("*-[1-8].heic")):
        files[f"HEIC, {path.stem}"] = ("turned", path.read_bytes())
    for name, data in compared().items():
        files[name] = ("compare", data)
    side = 1200 if quick else 4000
    large = Image.open(BytesIO(_made_jpeg(1))).resize((side, side * 3 // 4))
    files["large JPEG"] = ("speed", encoded(large, "JPEG", quality=90))
    files["large PNG"] = ("speed", encoded(large, "PNG", compress_level=3))
    files["large WebP"] = ("speed", encoded(large, "WEBP", lossless=False, quality=85, method=2))
    files["cell, grey PNG"] = ("speed", elpv_photos(1)[0][1])
    bomb = 2_000 if quick else 10_000
    files["bomb, PNG"] = ("peak", png(np.zeros((bomb, bomb, 4), np.uint16)))
    for name, (_purpose, data) in files.items():
        (folder / name).write_bytes(data)
    np.save(folder / "upright.npy", np.asarray(seen()))
    purposes = {name: purpose for name, (purpose, _data) in files.items()}
    (folder / "files.json").write_text(json.dumps(purposes))
    return purposes


def compared() -> dict[str, bytes]:
    """Depths, profiles and what is see-through, in the formats that have them."""
    rng = np.random.default_rng(0)
    made: dict[str, bytes] = {}
    for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK"):
        bands = {"L": 1, "P": 1, "1": 1, "LA": 2, "RGB": 3}.get(mode, 4)
        noise = np.kron(rng.integers(0, 256, (8, 12, bands), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
        image = Image.fromarray(
            noise[:, :, 0] if bands == 1 else noise, {1: "L", 2: "LA"}.get(bands, mode)
        ).convert(mode)
        for format in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "BMP"):
            profiles = {
                "RGB": (b"", ADOBE_RGB),
                "RGBA": (b"", ADOBE_RGB),
                "CMYK": (b"", cmyk_profile((199, 41, 46))),
            }
            for profile in profiles.get(mode, (b"",)):
                try:
                    data = encoded(image, format, **({"icc_profile": profile} if profile else {}))
                except (OSError, KeyError):
                    continue  # that format has no such pixels
                made[f"{format}, {mode}{', profile' if profile else ''}"] = data
    for bits in (8, 10, 12, 14, 16):
        ramp = np.tile(np.linspace(0, 2**bits - 1, 96).astype(np.uint16), (64, 1))
        made |= {f"PNG, {bits} of 16 bits": png(ramp), f"TIFF, {bits} of 16 bits": tiff(ramp)}
        colour = np.stack([ramp, ramp[:, ::-1], ramp // 2], axis=2)
        made |= {
            f"PNG, {bits} of 16 bits, colour": png(colour),
            f"TIFF, {bits} of 16 bits, colour": tiff(colour),
        }
    made["TIFF, floats"] = tiff(np.linspace(-1, 1, 6144, dtype=np.float32).reshape(64, 96))
    return made


def has_tree(folder: Path) -> bool:
    """Whether the tree with two decoders could be laid there."""
    archive = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode != 0:
        return False
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return True


def measured(tree: Path, photos: Path, which: str) -> dict[str, Any]:
    script = Path(__file__).with_name("pixel_measure.py")
    command = [sys.executable, "-P", str(script), str(photos), which]
    run = subprocess.run(
        command,
        cwd=tree,
        env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(run.stdout)
    return told


if __name__ == "__main__":
    sys.exit(main())
