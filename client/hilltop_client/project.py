"""A project: its photos, labels, scores and embeddings, and what goes back into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hilltop_client.connection import Connection
from hilltop_client.deciding import Answer, decide
from hilltop_client.embeddings import Embeddings
from hilltop_client.examples import Examples, in_force
from hilltop_client.rows import ArrowRows, Rows
from hilltop_client.uploading import Upload, upload


class Project:
    """``told``: what the API says of it. A moment without a zone is of this machine's."""

    def __init__(self, connection: Connection, slug: str, told: dict[str, Any]) -> None:
        self.connection, self.slug, self.told = connection, slug, told

    @property
    def classes(self) -> list[str]:
        """Keys of the active classes, in the guideline's order."""
        return list(self.told["classes"])

    def photos(self, **filters: Any) -> Rows:
        """Those that the filters find, as ``items`` of the API takes them: ``status="open"``, ``q="front"``."""
        return Rows(self.connection, self._at("items"), **filters)

    def photo(self, sha256: str, variant: str = "screen") -> bytes:
        """The picture that people see, as WebP: ``screen`` or ``thumb``."""
        return self.connection.send("GET", self._at(f"photos/{sha256}/{variant}.webp")).content

    def labels(self, as_of: datetime | None = None) -> Rows:
        """Ground truths that are a class, one a photo: those in force, now or at that moment. Gold ones are none of them."""
        keep = in_force(as_of)
        return Rows(self.connection, self._at("ground-truths"), keep=keep, current=str(as_of is None).lower())

    def answers(self) -> Rows:
        """Every answer with who, when, for how long and what came of it."""
        return Rows(self.connection, self._at("annotations"))

    def scores(self, version: int | None = None, as_of: datetime | None = None) -> ArrowRows:
        """Of the version in service. Those of others are not kept: ``not_kept``."""
        return ArrowRows(self.connection, self._at("scores"), version=version, as_of=moment(as_of))

    def embeddings(
        self,
        *,
        version: int | None = None,
        backbone: str | None = None,
        as_of: datetime | None = None,
        photos: Sequence[str] | None = None,
    ) -> Embeddings:
        """Vectors by a version's backbones or by one; else by the champion's, at ``as_of``. ``photos``: up to 100 hashes."""
        return Embeddings(
            self.connection,
            self._at("embeddings"),
            version=version,
            backbone=backbone,
            as_of=moment(as_of),
            sha256=None if photos is None else ",".join(photos),
        )

    def examples(
        self, *, as_of: datetime | None = None, version: int | None = None, backbone: str | None = None
    ) -> Examples:
        """Labels beside vectors, each as it was known at ``as_of``: nothing that came later looks back into them."""
        vectors = self.embeddings(version=version, backbone=backbone, as_of=as_of).matrix()
        return Examples.joined(vectors, self.labels(as_of), self.classes)

    def models(self) -> Rows:
        return Rows(self.connection, self._at("models"))

    def model(self, number: int) -> dict[str, Any]:
        """One version with its figures, its manifest and the labels that it doubts."""
        told: dict[str, Any] = self.connection.get(self._at(f"models/{number}"))
        return told

    def upload(
        self,
        photos: Path | Iterable[Path],
        *,
        journal: Path | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        timeout: float = 3600.0,
    ) -> Upload:
        """Send a folder's photos, or these; broken off, the same call goes on where it was. See ``uploading``."""
        return upload(
            self.connection, self.slug, photos, journal=journal, on_progress=on_progress, timeout=timeout
        )

    def decide(
        self,
        photo: Path | bytes | str,
        *,
        deadline: float = 30.0,
        strict: bool = False,
        callback: str = "",
    ) -> Answer:
        """Who decides a photo (a file, its bytes, or the SHA-256 of one that the project holds). See ``deciding``."""
        return decide(self.connection, self.slug, photo, deadline=deadline, strict=strict, callback=callback)

    def train(self, *, seed: int = 0, timeout: float = 3600.0) -> dict[str, Any]:
        """Have the server train a version, and return it."""
        job = self.connection.post(self._at("train"), {"seed": seed})
        return self.model(self.connection.finished(self.slug, job, timeout=timeout)["result"]["model"])

    def promote(self, number: int, reason: str = "") -> dict[str, Any]:
        told: dict[str, Any] = self.connection.post(self._at(f"models/{number}/promote"), {"reason": reason})
        return told

    def review(self, number: int, photos: Sequence[str]) -> int:
        """Put labels that a version doubts before a reviewer; how many went there just now."""
        told = self.connection.post(self._at(f"models/{number}/review"), {"photos": list(photos)})
        return int(told["sent"])

    def _at(self, address: str) -> str:
        return f"projects/{self.slug}/{address}"


def moment(time: datetime | None) -> datetime | None:
    """With a zone: this machine's, where it has none."""
    return time if time is None or time.tzinfo else time.astimezone()
