"""The templates that come with Hilltop: a file each in ``ready_made/``, in the order of their names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from labeling.catalog.project_templates.files import parse
from labeling.catalog.project_templates.shapes import Wrong
from labeling.catalog.project_templates.template import ProjectTemplate, check

FOLDER = Path(__file__).parent / "ready_made"


@cache
def _contents() -> dict[str, dict]:
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        wrong: Wrong = {}
        content = check(parse(path.read_bytes()), "", wrong)
        assert not wrong, f"{path.name}: {wrong}"
        found[content["key"]] = content
    return found


def ready_made() -> list[ProjectTemplate]:
    return [ProjectTemplate(content) for content in _contents().values()]
