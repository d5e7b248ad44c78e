"""As in a worker; stores and models live in the test's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

import labeling.learning.tasks
import labeling.serving.tasks  # noqa: F401  (both register their handlers)


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    for name in ("EMBEDDINGS", "MODELS", "BACKBONES", "BUNDLES"):
        setattr(settings, f"{name}_DIR", tmp_path / name.lower())
