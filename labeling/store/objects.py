"""One file of the store, by its name: whole and lasting when a write returns. Many are asked for side by side."""

from __future__ import annotations

import mimetypes
import posixpath
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage

from labeling.store import on_disk

Given = TypeVar("Given")
Made = TypeVar("Made")

#: Requests on their way at once: as many lines as boto3 keeps open.
AT_ONCE = 10


class StoreAway(Exception):
    """The store does not answer, or refuses. No :class:`OSError`: no file is known to be lost, and no photo is at fault."""


def is_remote() -> bool:
    """Whether the store is elsewhere, so that this machine's folders are copies."""
    return not isinstance(default_storage, FileSystemStorage)


def read(name: str) -> bytes:
    """Raises :class:`FileNotFoundError`, :class:`StoreAway`."""
    with _trouble(name):
        if bucket := _bucket():  # as a file it would be asked for three times
            return bytes(bucket.Object(_key(name)).get(**_key_of_the_bytes(name))["Body"].read())
        with default_storage.open(name, "rb") as file:
            return bytes(file.read())


def write(name: str, data: bytes, *, at_once: bool = True) -> None:
    """Also in the place of another one. Of files: not ``at_once``: lasting after the next ``on_disk.sync_disk``."""
    if bucket := _bucket():  # what saves files large and small takes twice as long for the small ones
        with _trouble(name):
            bucket.Object(_key(name)).put(Body=data, **_parameters(name))
    elif is_remote():
        _save(name, ContentFile(data))
    else:
        on_disk.write(Path(default_storage.path(name)), data, at_once=at_once)


def upload(name: str, path: Path) -> None:
    """A file of this machine, however large."""
    with path.open("rb") as file:
        _save(name, File(file))


def download(name: str, path: Path) -> None:
    """Into a file of this machine, however large. Raises as :func:`read` does."""
    with _trouble(name), path.open("wb") as out:
        if bucket := _bucket():
            found = bucket.Object(_key(name)).get(**_key_of_the_bytes(name))
            shutil.copyfileobj(found["Body"], out, 2**20)
        else:
            with default_storage.open(name, "rb") as file:
                shutil.copyfileobj(file, out, 2**20)


def delete(names: Iterable[str]) -> None:
    def one(name: str) -> None:
        with _trouble(name):
            default_storage.delete(name)

    side_by_side(one, names)


def listing(folder: str) -> tuple[list[str], list[str]]:
    """Names of the folders and of the files in it; none where there is no such."""
    with _trouble(folder):
        try:
            folders, files = default_storage.listdir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return [], []
    return list(folders), list(files)


def side_by_side(do: Callable[[Given], Made], given: Iterable[Given]) -> list[Made]:
    """Results in the order of ``given``. The first error is raised when all have ended."""
    some = list(given)
    if len(some) < 2:
        return [do(each) for each in some]
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="store") as pool:
        return list(pool.map(do, some))


def ahead(do: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """Results in order. Of a store elsewhere the next ones are asked for while one is used."""
    if not is_remote():
        yield from map(do, given)
        return
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="store") as pool:
        try:
            for each in given:
                waiting.append(pool.submit(do, each))
                if len(waiting) == AT_ONCE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                left.cancel()


def _save(name: str, content: File[Any]) -> None:
    with _trouble(name):
        saved = default_storage.save(name, content)
        if saved != name:  # a store that is told to overwrite nothing gives what comes again another name
            default_storage.delete(saved)
            default_storage.delete(name)
            content.seek(0)
            default_storage.save(name, content)


def _bucket() -> Any:
    """boto3's, where the store is one of its kind."""
    bucket = getattr(default_storage, "bucket", None)
    return bucket if hasattr(bucket, "Object") else None


def _parameters(name: str) -> dict[str, Any]:
    """As django-storages gives them: those of OPTIONS, and what kind of file it is."""
    store: Any = default_storage
    kind = mimetypes.guess_type(name)[0] or store.default_content_type
    acl = {"ACL": store.default_acl} if store.default_acl else {}
    return {"ContentType": kind, **acl, **store.get_object_parameters(name)}


def _key_of_the_bytes(name: str) -> dict[str, Any]:
    """Where the bucket keeps no key of its own to what it holds, it is asked for with ours."""
    given: dict[str, Any] = default_storage.get_object_parameters(name)  # type: ignore[attr-defined]
    return {each: value for each, value in given.items() if each.startswith("SSECustomer")}


def _key(name: str) -> str:
    return posixpath.join(default_storage.location, name)  # type: ignore[attr-defined]


@contextmanager
def _trouble(name: str) -> Iterator[None]:
    """Whatever library speaks to the store, its errors are told apart by what they mean here."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        if not is_remote():
            raise
        answer = getattr(error, "response", None)
        if isinstance(answer, dict) and answer.get("Error", {}).get("Code") in ("404", "NoSuchKey"):
            raise FileNotFoundError(name) from error
        raise StoreAway(f"the store did not answer for {name}: {error}") from error
