"""``python -m inference.selfsup PHOTOS OUT [--epochs N] [--device cuda]``: a folder of photos to a domain backbone.

Trains the backbone's last layers on the photos below PHOTOS (``diet``), then takes the pool's statistics under the new
weights (``inference.domain``), and writes the folder OUT, which the registry finds as ``domain:<its name>`` once it lies in
HILLTOP_BACKBONES_DIR. Begun again after a stop, it goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from inference import backbones, domain
from inference.domain.folder import NAME
from inference.selfsup.augment import Augmentation
from inference.selfsup.diet import Recipe, train

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"}


def main(arguments: Sequence[str] | None = None) -> int:
    usual = Recipe()
    parser = argparse.ArgumentParser(prog="python -m inference.selfsup", description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--backbone", default="efficientnet_lite0", help="with the feature stages alone")
    parser.add_argument("--epochs", type=int, default=usual.epochs)
    parser.add_argument("--batch-size", type=int, default=usual.batch_size)
    parser.add_argument("--lr", type=float, default=usual.lr)
    parser.add_argument(
        "--share", type=float, default=usual.share, help="of the weights, from the end, to train"
    )
    parser.add_argument(
        "--flips", choices=("", "flip", "flips"), default="", help="mirror images that say the same"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--weights-only", action="store_true", help="without the pool's statistics")
    chosen = parser.parse_args(arguments)
    # Before hours of training, not after them.
    if not NAME.fullmatch(chosen.out.name):
        parser.error(
            f"OUT becomes part of a backbone's name: small letters, digits, - and _; not {chosen.out.name!r}"
        )
    if chosen.out.exists():
        parser.error(f"{chosen.out} exists, and a stored backbone is never overwritten")
    if not chosen.photos.is_dir():
        parser.error(f"{chosen.photos} is no folder")
    files: dict[str, Path] = {
        str(path.relative_to(chosen.photos)): path
        for path in sorted(chosen.photos.rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file()
    }
    base = backbones.load(chosen.backbone)
    state = chosen.out.with_name(f".{chosen.out.name}.state")
    recipe = Recipe(
        epochs=chosen.epochs,
        batch_size=chosen.batch_size,
        lr=chosen.lr,
        share=chosen.share,
        seed=chosen.seed,
        augmentation=Augmentation(flips=chosen.flips),
    )
    started = said = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said > 5 or done == total:
            said = time.monotonic()
            sys.stderr.write(f"{done} of {total}\n")

    def read(key: str) -> bytes:
        return files[key].read_bytes()

    made = train(
        base,
        list(files),
        read,
        folder=state,
        recipe=recipe,
        device=chosen.device,
        threads=chosen.threads,
        on_progress=report,
    )
    told = domain.save_trained(
        chosen.out,
        base,
        made.state,
        list(files),
        read,
        flips=chosen.flips,
        seed=chosen.seed,
        device=chosen.device,
        threads=chosen.threads,
        statistics=not chosen.weights_only,
        told={"method": "selfsup", "photos": made.photos, "losses": made.losses},
        on_progress=report,
    )
    shutil.rmtree(state, ignore_errors=True)
    sys.stdout.write(
        json.dumps(
            {
                "out": str(chosen.out),
                "photos": made.photos,
                "first_loss": made.losses[0],
                "last_loss": made.losses[-1],
                "modes": (told.get("statistics") or {}).get("counts"),
                "seconds": round(time.monotonic() - started, 1),
            }
        )
        + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
