"""Folders of the store: several files that belong together, written once, whole or not there.

A folder is known by its area and its name there, and has the same name in the bucket as under ``var/``. It is made on this
machine's disk, finished, and *put*; whoever needs it *gets* it. In a bucket each file appears whole, and the sums last.
"""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from labeling.store import copies, objects, sums

logger = logging.getLogger(__name__)


class Damaged(FileNotFoundError):
    """The store's folder is there, and is not what was written: as good as lost."""


@dataclass(frozen=True)
class Area:
    """Folders of one kind. ``name``: what they lie in, in the store; ``setting``: what names where they are here.

    ``last``: the file that is put after the others, so that a folder which has it is whole; its sums follow, if it is not
    older than sums are. Without one nobody asks for a folder before it is whole, and whoever reads it has better sums.
    ``depth``: how many names lead to a folder.
    """

    name: str
    setting: str
    last: str = ""
    depth: int = 1

    @property
    def root(self) -> Path:
        return Path(getattr(settings, self.setting))

    def put(self, relative: str, made: Path | None = None) -> None:
        """Give a finished folder to the store: the one at its place here, or ``made``, which is moved there next.

        It is for all machines when this returns; nothing of it is ever changed. Doing it twice changes nothing.
        """
        folder = made or self.root / relative
        if self.last:
            sums.seal(folder)
        if not objects.is_remote():
            return
        _folders, there = objects.listing(self._in_store(relative))
        here = [file.name for file in sums.files(folder)]
        if {*here, *([sums.NAME] if self.last else [])} - set(there):
            self._upload(relative, folder)
        copies.mark(folder)

    def get(self, relative: str) -> Path:
        """The folder, here. One that is a copy is whole.

        Raises:
            FileNotFoundError: the store has no such folder (of files: not raised, whoever opens them will see).
            Damaged: it is not what was written.
            StoreAway: the store does not answer.
        """
        folder = self.root / relative
        if not objects.is_remote():
            return folder
        if folder.is_dir():
            if not copies.is_copy(folder):
                self.put(relative)  # of a time when folders were not in the store
            if not self.last or not sums.wrong_now(folder):
                copies.use(folder)
                return folder
            copies.remove(folder)
        self._fetch(relative, folder)
        copies.trim([(area.root, area.depth) for area in AREAS if area.last])
        return folder

    def hand_over(self, relative: str) -> None:
        """Put a folder that is not needed here any more."""
        self.put(relative)
        if objects.is_remote():
            copies.remove(self.root / relative)

    def drop(self, relative: str) -> None:
        """Remove it from the store, and here."""
        shutil.rmtree(self.root / relative, ignore_errors=True)
        if objects.is_remote():
            place = self._in_store(relative)
            there = objects.listing(place)[1]
            for name in {self.last, sums.NAME} & set(there):  # without them it is not there any more
                objects.delete([f"{place}/{name}"])
            objects.delete(f"{place}/{name}" for name in there if name not in (self.last, sums.NAME))

    def drop_file(self, relative: str, name: str) -> None:
        """Remove one file of a folder that has no sums, from the store and here."""
        (self.root / relative / name).unlink(missing_ok=True)
        if objects.is_remote():
            objects.delete([f"{self._in_store(relative)}/{name}"])

    def names(self, within: str = "") -> set[str]:
        """Of the folders in the store: all of this area, or those of one folder within it."""
        if not objects.is_remote():
            return self.here(within)
        found = objects.listing(self._in_store(within) if within else self.name)[0]
        return {name for name in found if not name.startswith(".")}

    def here(self, within: str = "") -> set[str]:
        """As :meth:`names`, of this machine's folders."""
        return {each.name for each in copies.folders(self.root / within, 1)}

    def all(self) -> list[str]:
        """Names of all folders in the store, ``depth`` parts each."""
        found = [""]
        for _level in range(self.depth):
            found = [f"{each}/{name}".lstrip("/") for each in found for name in sorted(self.names(each))]
        return found

    def is_sound(self, relative: str) -> bool:
        """Whether the store's folder is there and what was written. Reads it all, past this machine's copy.

        Raises :class:`~labeling.store.objects.StoreAway`.
        """
        if not objects.is_remote():
            return not sums.wrong(self.root / relative)
        place = (self.root / relative).with_name(f".new-{uuid.uuid4().hex}")
        try:
            self._download(relative, place)
        except FileNotFoundError:
            return False
        shutil.rmtree(place, ignore_errors=True)
        return True

    def heal(self, relative: str) -> bool:
        """Put this machine's copy in the place of a folder that is damaged in the store; whether there is a sound one."""
        folder = self.root / relative
        if not objects.is_remote() or not copies.is_copy(folder) or sums.wrong(folder):
            return False
        logger.warning(
            "%s was damaged in the store; this machine's copy was put there", self._in_store(relative)
        )
        self._upload(relative, folder)
        return True

    def _upload(self, relative: str, folder: Path) -> None:
        def upload(name: str) -> None:
            objects.upload(f"{self._in_store(relative)}/{name}", folder / name)

        objects.side_by_side(upload, (file.name for file in sums.files(folder) if file.name != self.last))
        for name in (self.last, sums.NAME) if self.last else ():
            upload(name)

    def _fetch(self, relative: str, folder: Path) -> None:
        hidden = folder.with_name(f".new-{uuid.uuid4().hex}")
        self._download(relative, hidden)
        copies.mark(hidden)
        try:
            os.rename(hidden, folder)
        except OSError:  # another process was faster, and its copy is as good
            shutil.rmtree(hidden, ignore_errors=True)
            if not folder.is_dir():
                raise

    def _download(self, relative: str, place: Path) -> None:
        files = objects.listing(self._in_store(relative))[1]
        if not files or (self.last and self.last not in files):
            raise FileNotFoundError(f"{self._in_store(relative)} is not in the store")
        place.mkdir(parents=True)
        try:
            objects.side_by_side(
                lambda name: objects.download(f"{self._in_store(relative)}/{name}", place / name), files
            )
            if wrong := sums.wrong(place) if self.last else []:
                raise Damaged(f"{self._in_store(relative)} is damaged: {', '.join(wrong)}")
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise

    def _in_store(self, relative: str) -> str:
        return f"{self.name}/{relative}"


MODELS = Area("models", "MODELS_DIR", last="manifest.json", depth=2)
BACKBONES = Area("backbones", "BACKBONES_DIR", last="manifest.json")
VECTORS = Area("embeddings", "EMBEDDINGS_DIR", last="vectors.npy", depth=2)
BUNDLES = Area("bundles", "BUNDLES_DIR", last="manifest.json", depth=2)
STAGING = Area("staging", "STAGING_DIR")
AREAS = (MODELS, BACKBONES, VECTORS, BUNDLES, STAGING)


def carry_over() -> int:
    """Put what lies here and is not in the store: of a time when only photos were. Returns how many folders that were.

    What is being staged at this moment is its web process's to put.
    """
    if not objects.is_remote():
        return 0
    carried = 0
    for area in AREAS:
        for folder in copies.folders(area.root, area.depth):
            if area.last and (folder / area.last).is_file() and not copies.is_copy(folder):
                area.put(folder.relative_to(area.root).as_posix())
                carried += 1
    drop_copies_of_what_is_gone()
    return carried


def drop_copies_of_what_is_gone() -> None:
    """Remove this machine's copies of folders that the store has no more: done with, merged into others, or erased."""
    if not objects.is_remote():
        return
    for area in AREAS:
        here = list(
            copies.folders(area.root, area.depth)
        )  # before the look at the store, where each of them was first
        there = set(area.all()) if here else set()
        for folder in here:
            if folder.relative_to(area.root).as_posix() not in there and copies.is_copy(folder):
                copies.remove(folder)
