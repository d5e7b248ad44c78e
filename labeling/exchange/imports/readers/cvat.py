"""CVAT for images 1.1: ``annotations.xml`` with tags, which name the class of a whole image.

https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/. Shapes (boxes, polygons) say where something is, not what
the photo is, and are no labels here. Read without a document type, entities or anything outside, however it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from labeling.exchange.imports.package import Package
from labeling.exchange.imports.photo_names import path_of
from labeling.exchange.imports.reader import Columns, Reader, Said, Unreadable

_LOOKED_AT = 4096
_DEEPEST = 20


def recognises(package: Package) -> bool:
    return bool(_files(package))


def _files(package: Package) -> list[str]:
    found = []
    for name in package.ending_in(".xml"):
        with package.open(name) as file:
            if b"<annotations" in file.read(_LOOKED_AT):
                found.append(name)
    return found


def read(package: Package, _columns: Columns) -> Iterator[Said]:
    for name in _files(package):
        try:
            with package.open(name) as file:
                yield from _images(package, iterparse(file, events=("start", "end"), forbid_dtd=True))
        except (ParseError, DefusedXmlException, UnicodeDecodeError) as error:
            raise Unreadable(
                f"{name} is no whole XML text that can be read safely ({error}). Export it again."
            ) from None


def _images(package: Package, events: Iterator[tuple[str, Any]]) -> Iterator[Said]:
    open_elements: list[Any] = []
    for event, element in events:
        if event == "start":
            open_elements.append(element)
            if len(open_elements) > _DEEPEST:
                raise Unreadable("Its elements stand in each other too deep for labels. Export it again.")
            continue
        open_elements.pop()
        if len(open_elements) != 1:
            continue
        if element.tag == "image" and (said := _said(package, element)):
            yield said
        open_elements[0].clear()  # what was read is not kept


def _said(package: Package, image: Any) -> Said | None:
    """``None`` of an image without tags: nobody said what it is."""
    photo = image.get("name", "")
    tags = tuple(dict.fromkeys(tag.get("label", "").strip() for tag in image.iter("tag")))
    if not tags:
        return None
    return Said(
        place=f"image {image.get('id', photo)}",
        photo=path_of(photo),
        labels=tuple(filter(None, tags)),
        sha256=package.hash_of(photo),
        fault="" if photo else "no_photo_named",
    )


READER = Reader("CVAT for images 1.1", recognises, read)
