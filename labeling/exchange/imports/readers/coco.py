"""COCO: ``images``, ``categories`` and ``annotations`` that join them (https://cocodataset.org/#format-data).

A photo with annotations of several categories has several labels here. Nothing in it says who annotated.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from labeling.exchange.imports.package import Package
from labeling.exchange.imports.photo_names import path_of
from labeling.exchange.imports.reader import Columns, Reader, Said, text

_OF_IMAGE = "SELECT category FROM said WHERE image = ? ORDER BY rowid"


def recognises(package: Package) -> bool:
    return bool(_files(package))


def _files(package: Package) -> list[str]:
    found = []
    for name in package.ending_in(".json"):
        kind, names = package.begins(name)
        if kind == "map" and names & {"images", "annotations"}:
            found.append(name)
    return found


def read(package: Package, _columns: Columns) -> Iterator[Said]:
    for name in _files(package):
        yield from _read(package, name)


def _read(package: Package, name: str) -> Iterator[Said]:
    names = {
        _id(each.get("id")): text(each.get("name")) for each in _objects(package, name, "categories.item")
    }
    # Joined on the disk: a file may annotate photos in any order, and in memory each takes half a kilobyte.
    with closing(sqlite3.connect("", isolation_level=None, check_same_thread=False)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE TABLE said (image BLOB, category BLOB, UNIQUE (image, category))")
        database.execute("BEGIN")
        database.executemany(
            "INSERT INTO said VALUES (?, ?) ON CONFLICT DO NOTHING",
            (
                (_id(each.get("image_id")), _id(each.get("category_id")))
                for each in _objects(package, name, "annotations.item")
            ),
        )
        for image in _objects(package, name, "images.item"):
            key = (_id(image.get("id")),)
            found = database.execute(_OF_IMAGE, key).fetchall()
            if not found:  # not annotated
                continue
            database.execute("DELETE FROM said WHERE image = ?", key)
            photo = text(image.get("file_name"))
            attributes = image.get("attributes")
            sha256 = text(attributes.get("sha256")) if isinstance(attributes, dict) else ""
            known = tuple(names[each] for (each,) in found if names.get(each))
            yield Said(
                place=f"image {text(image.get('id'))}",
                photo=path_of(photo),
                labels=known,
                sha256=package.hash_of(photo, stated=sha256),
                fault="no_photo_named" if not photo else "" if known else "no_label",
            )
        for (key,) in database.execute("SELECT image FROM said GROUP BY image ORDER BY min(rowid)"):
            yield Said(f"image {key.decode(errors='replace')}", fault="no_photo_named")


def _id(value: Any) -> bytes:
    """As what it is looked up by; a text of JSON may hold halves of letters, which are no text elsewhere."""
    return text(value).encode(errors="surrogatepass")


def _objects(package: Package, name: str, prefix: str) -> Iterator[dict[str, Any]]:
    return (each for each in package.items(name, prefix) if isinstance(each, dict))


READER = Reader("COCO", recognises, read)
