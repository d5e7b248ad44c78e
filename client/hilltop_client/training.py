"""Heads that are trained here, with Hilltop's own library, and go back as challengers.

``inference`` is not part of this package: it comes with Hilltop, needs torch, and is imported when a head is trained.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilltop_client.examples import Examples
from hilltop_client.project import Project


@dataclass(frozen=True)
class Trained:
    """``head``: of ``inference.heads``. ``metrics``: cross-validated, on what it learned from. ``seed``: of its folds."""

    head: Any
    metrics: dict[str, Any]
    learned: Examples
    seed: int

    def accuracy(self, on: Examples) -> float:
        """The share of photos on which the head is right."""
        said = self.head.predict(on.vectors)
        return float((said == on.labels).mean()) if len(on) else float("nan")


def train_head(learned: Examples, *, seed: int = 0, kinds: tuple[str, ...] = ("auto",)) -> Trained:
    """A head on ``learned``, as the server trains one. The same examples and seed give the same head.

    Raises :class:`ImportError` without ``inference``; ``inference.heads.TooFewLabels`` with fewer than two classes.
    """
    from inference.train import train_head as train

    made = train(learned.vectors, learned.labels, learned.classes, seed=seed, kinds=kinds)
    return Trained(made.head, made.metrics, learned, seed)


def register(project: Project, trained: Trained, *, timeout: float = 600.0) -> dict[str, Any]:
    """Send the head; the version that the server made of it, judged on what it has not learned from.

    Raises :class:`~hilltop_client.HilltopError` where it is refused: at once, or as ``job_failed``.
    """
    from inference.artifacts import save_head

    if len(trained.learned.backbones) != 1:
        raise ValueError("A head from outside stands on one backbone: name it, as in examples(backbone=…).")
    said = {
        "backbone_hash": trained.learned.backbones[0]["backbone_hash"],
        "seed": trained.seed,
        "trained_on": trained.learned.sha256,
    }
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "head"
        save_head(made, trained.head, said)
        sent = {
            "head": ("head.safetensors", (made / "head.safetensors").read_bytes()),
            "manifest": ("manifest.json", (made / "manifest.json").read_bytes()),
        }
    job = project.connection.send("POST", f"projects/{project.slug}/versions", files=sent).json()
    ended = project.connection.finished(project.slug, job, timeout=timeout)
    return project.model(ended["result"]["model"])
