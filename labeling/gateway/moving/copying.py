"""Files from one store to another, each compared with what arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import IO, NamedTuple, TypeVar

from labeling.gateway.moving import CannotMove
from labeling.gateway.moving.stores import Store

#: Files under way at once: a store answers each late, and many together.
AT_ONCE = 16
_BATCH = 1000
Given = TypeVar("Given")
Made = TypeVar("Made")


class Content(NamedTuple):
    """What tells one file's bytes from another's."""

    size: int
    sha256: str


class Carried(NamedTuple):
    name: str
    content: Content
    #: Not there before.
    new: bool


def content_of(file: IO[bytes]) -> Content:
    seen, size = hashlib.sha256(), 0
    while part := file.read(2**20):
        seen.update(part)
        size += len(part)
    return Content(size, seen.hexdigest())


def content_at(store: Store, name: str) -> Content:
    """Raises :class:`FileNotFoundError`."""
    with store.open(name) as file:
        return content_of(file)


def carry(source: Store, name: str, target: Store, to: str = "", expected: Content | None = None) -> Carried:
    """Copy a file, to the name ``to`` (default: the same), and read it back. One that is there already is only compared.

    Raises :class:`CannotMove`: another one is there, what arrived is not what was sent, or what was to be sent is not
    ``expected``. Raises :class:`FileNotFoundError`: there is nothing to send.
    """
    to = to or name
    with source.open(name) as file:
        content = content_of(file)
        if expected is not None and content != expected:
            raise CannotMove(f"{name} is damaged: {content.size} bytes with the hash {content.sha256}.")
        if target.size(to) is not None:
            if content_at(target, to) != content:
                raise CannotMove(f"Another {to} is there already. Choose a place that is empty.")
            return Carried(name, content, new=False)
        put(target, to, file, content)
    return Carried(name, content, new=True)


def put(target: Store, name: str, file: IO[bytes], content: Content) -> None:
    """Write the file from its beginning, and read it back. Raises :class:`CannotMove` where that is not ``content``."""
    file.seek(0)
    target.write(name, file)
    if content_at(target, name) != content:
        raise CannotMove(
            f"{name} did not arrive as it was sent. Start again; if it happens again, look at the store."
        )


def at_once(do: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """Results in order, with many under way at a time. The first error ends it."""
    left = iter(given)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="moving") as pool:
        while batch := list(islice(left, _BATCH)):
            yield from pool.map(do, batch)
