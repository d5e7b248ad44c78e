"""What ``collectstatic`` makes for HILLTOP_STATIC=hashed: names that change with their content, in imports too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings

HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    hashed = {"staticfiles": {"BACKEND": "config.static.HashedStaticFilesStorage"}}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=hashed):
        call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path / "js"


def test_modules_with_hashed_names_import_modules_with_hashed_names(collected: Path) -> None:
    modules = [path for path in collected.rglob("*.js") if HASHED.search(path.name)]
    imported = [
        (path.parent / name).resolve()
        for path in modules
        for name in re.findall(r'\bimport(?: .* from |\()"(\.[^"]+)"', path.read_text())
    ]
    assert not {collected / "screen" / name for name in ("outbox.js", "finder.js")} & set(imported)
    assert any(path.name.startswith("finder.") for path in imported)
    assert len(imported) > 20
    assert not [path for path in imported if not HASHED.search(path.name) or not path.is_file()]
