"""What a version must reach: from a TOML file, from options, or not asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


class BadLimits(ValueError):
    """A file or an option that names no limit, or gives it no number; the text says which there are."""


@dataclass(frozen=True)
class Limits:
    """``None``: what is measured is told, and judged by nothing.

    Attributes:
        accuracy: at least, cross-validated, 0 to 1.
        audit_accuracy: at least, on ground truths that were drawn at random, cross-validated, 0 to 1.
        recall, precision: at least, of every class, cross-validated, 0 to 1.
        slice_accuracy: at least, of every slice of its photos that is large enough to be told, 0 to 1.
        certified: at least so many classes have a certificate in force.
        parity: at most by so much a score in ONNX, from the photo's file on, differs from the one that is stored.
        latency_ms: at most, p99 of one photo from its file to its scores, milliseconds on this machine.
        photos: so many are scored for parity and latency.
    """

    accuracy: float | None = None
    audit_accuracy: float | None = None
    recall: float | None = None
    precision: float | None = None
    slice_accuracy: float | None = None
    certified: float | None = None
    parity: float | None = 1e-4
    latency_ms: float | None = None
    photos: float = 50

    @classmethod
    def read(cls, text: str, given: Mapping[str, float]) -> Self:
        """Of a TOML file's table ``gate``, or of its top level; ``given`` takes the place of what it says.

        Raises :class:`BadLimits`.
        """
        try:
            told: Any = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise BadLimits(f"The limits are no TOML: {error}") from error
        told = told.get("gate", told)
        if not isinstance(told, dict):
            raise BadLimits("“gate” must be a table: [gate], and a limit a line.")
        values: dict[str, Any] = {**told, **given}
        known = [each.name for each in fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise BadLimits(f"There is no limit called {', '.join(unknown)}. There are: {', '.join(known)}.")
        wrong = [
            name
            for name, value in values.items()
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0
        ]
        if wrong:
            raise BadLimits(f"A limit is a number that is not negative: {', '.join(wrong)}.")
        if values.get("photos", 1) < 1:
            raise BadLimits("At least one photo must be scored: photos = 1 or more.")
        return cls(**values)
