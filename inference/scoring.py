"""Probabilities of many rows under many heads, in one pass over the embeddings.

Reading embeddings costs more than a linear head's arithmetic, so all linear heads of a backbone are stacked into one
matrix: a chunk of rows is read once and multiplied once, in float32, however many projects ask. Their standardisation and
temperature are part of that matrix. Heads that are not linear are asked one by one, chunk by chunk.

Knows nothing of projects or where rows lie; anything that gives rows by slice will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

CHUNK = 16_384

Floats = npt.NDArray[np.float32]


class Rows(Protocol):
    """(n, d) embeddings that are read by slice: an array, a memory map, or a store's rows."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: slice, /) -> npt.NDArray[Any]: ...


class Scorer(Protocol):
    """What scoring needs of a fitted head; a linear one also has ``coef_``, ``intercept_`` and ``temperature_``.

    A head whose ``link`` is "sigmoid" answers k independent questions; otherwise its k columns are one softmax.
    """

    classes_: npt.NDArray[Any]

    @property
    def n_features_in_(self) -> int: ...

    def predict_proba(self, X: npt.NDArray[Any], /) -> npt.NDArray[Any]: ...


def score_many(
    heads: Sequence[Scorer], X: Rows, chunk: int = CHUNK
) -> Iterator[tuple[int, int, list[Floats]]]:
    """Each chunk's probabilities under every head, as soon as they are known.

    Args:
        heads: fitted heads of one backbone, of any kinds.
        X: (n, d) rows.
        chunk: rows read and multiplied at a time; memory is about chunk * d * 4 bytes.

    Yields:
        (start, stop, probabilities): for rows start .. stop - 1, one float32 (rows, k) array a head, columns as the
        head's ``classes_``. Chunks come in order and cover all rows.

    Raises:
        ValueError: no positive chunk, or a head for rows of another length.
    """
    if chunk < 1:
        raise ValueError(f"A chunk has at least one row; got {chunk}.")
    widths = {int(head.n_features_in_) for head in heads}
    if len(widths) > 1:
        raise ValueError(f"Heads of one backbone take rows of one length; these take {sorted(widths)}.")
    weights, bias, columns = _stack(heads)
    for start in range(0, len(X), chunk):
        stop = min(start + chunk, len(X))
        raw = X[start:stop]
        if widths and raw.shape[1] not in widths:
            raise ValueError(f"These heads take rows of {widths.pop()} features; got {raw.shape}.")
        rows = np.asarray(raw, dtype=np.float32)
        logits = rows @ weights + bias if weights.shape[1] else None
        probabilities: list[Floats] = []
        for head, place in zip(heads, columns, strict=True):
            if place is None or logits is None:
                probabilities.append(np.asarray(head.predict_proba(rows), dtype=np.float32))
            elif getattr(head, "link", "softmax") == "sigmoid":
                probabilities.append(_sigmoid(logits[:, place]))
            elif len(head.classes_) == 2:
                # Two classes need one column, the difference of their logits.
                second = _sigmoid(logits[:, place])
                probabilities.append(np.concatenate([1.0 - second, second], axis=1))
            else:
                probabilities.append(_softmax(logits[:, place]))
        yield start, stop, probabilities


def score(head: Scorer, X: Rows, *, chunk: int = CHUNK) -> Floats:
    """(n, k) probabilities of rows (n, d), a chunk at a time, so that ``X`` may be larger than memory."""
    out = np.empty((len(X), len(head.classes_)), dtype=np.float32)
    for start, stop, (part,) in score_many([head], X, chunk):
        out[start:stop] = part
    return out


def _stack(heads: Sequence[Scorer]) -> tuple[Floats, Floats, list[slice | None]]:
    """(d, columns) weights and (columns,) intercepts of all linear heads, and where each head's columns lie."""
    weights: list[npt.NDArray[np.float64]] = []
    biases: list[npt.NDArray[np.float64]] = []
    places: list[slice | None] = []
    at = 0
    for head in heads:
        coef = getattr(head, "coef_", None)
        if coef is None:
            places.append(None)
            continue
        temperature = np.atleast_1d(np.asarray(getattr(head, "temperature_", 1.0), dtype=np.float64))
        scaled = np.asarray(coef, dtype=np.float64) / temperature[:, None]
        bias = np.asarray(getattr(head, "intercept_"), dtype=np.float64) / temperature  # noqa: B009
        if len(scaled) == 2 and getattr(head, "link", "softmax") == "softmax":
            scaled, bias = scaled[1:] - scaled[:1], bias[1:] - bias[:1]
        weights.append(scaled)
        biases.append(bias)
        places.append(slice(at, at + len(scaled)))
        at += len(scaled)
    if not weights:
        return np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=np.float32), places
    stacked = np.ascontiguousarray(np.concatenate(weights).T, dtype=np.float32)
    return stacked, np.concatenate(biases).astype(np.float32), places


def _sigmoid(logits: Floats) -> Floats:
    # Through tanh: no overflow at either end.
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits), dtype=np.float32)


def _softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
