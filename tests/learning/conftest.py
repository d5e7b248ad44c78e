"""The learning room's jobs are loaded as in a worker; stores and models live in the test's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

import labeling.learning.tasks  # noqa: F401  (registers the handlers)


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS_DIR = tmp_path / "embeddings"
    settings.MODELS_DIR = tmp_path / "models"
    settings.BACKBONES_DIR = tmp_path / "backbones"
