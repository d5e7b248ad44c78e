"""What a photo is called where labels were made, as the file that it was: addresses and paths of labeling tools."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from labeling.text.plain import composed

ENDINGS = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".webp",
    ".avif",
    ".heic",
    ".heif",
    ".tif",
    ".tiff",
    ".bmp",
    ".gif",
)
#: Label Studio puts eight hexadecimal digits in front of the name of each upload.
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")
_SHA256 = re.compile(r"^[0-9a-fA-F]{64}$")


def is_photo(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def is_sha256(value: str) -> bool:
    return _SHA256.match(value) is not None


def path_of(address: str) -> str:
    """The relative path that an address, an absolute path or a name means, with forward slashes.

    https://labelstud.io/guide/tasks: ``/data/upload/PROJECT/…`` are uploads, ``/data/local-files/?d=PATH`` files that stayed
    where they were; ``s3://``, ``gs://``, ``azure-blob://`` and ``http(s)://`` are as everywhere.
    """
    path = address.strip().replace("\\", "/")
    if path.startswith("/data/local-files/") and "?" in path:
        path = parse_qs(urlsplit(path).query).get("d", [""])[0]
    elif "://" in path:
        parts = urlsplit(path)
        path = unquote(parts.path)
    if "/data/upload/" in f"/{path}":
        _folder, _slash, name = unquote(path).rpartition("/")
        path = _UPLOADED.sub("", name)
    if re.match(r"^[A-Za-z]:/", path):
        path = path[3:]
    return composed("/".join(part for part in path.split("/") if part not in ("", ".", "..")))
