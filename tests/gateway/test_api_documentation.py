"""What docs/api.md promises to be whole is whole."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from config.database import ROOT
from labeling.catalog.photos import ADVICE

PAGE = (ROOT / "docs" / "api.md").read_text()


def refusals() -> Iterator[tuple[Path, str | None]]:
    """Every ``Refused(…)`` of the app with its code; ``None`` where the code is computed."""
    for path in (Path(ROOT) / "labeling").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
                code = node.args[0] if node.args else None
                yield path, str(code.value) if isinstance(code, ast.Constant) else None


def test_every_code_of_a_refusal_is_named() -> None:
    found = list(refusals())
    codes = {code for _path, code in found if code}
    assert len(codes) > 40
    listed = PAGE[PAGE.index("## Refusals") : PAGE.index("## Pages of a list")]
    named = set(re.findall(r"`([a-z_]+)`", listed))
    assert sorted((codes | set(ADVICE)) - named) == []
    assert {path.name for path, code in found if code is None} == {"errors.py"}, "codes are written out"


def test_no_code_is_named_that_nothing_raises() -> None:
    table = PAGE[PAGE.index("| status |") : PAGE.index("Rationed are")]
    named = {code for row in table.splitlines() for code in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", row)}
    source = "\n".join(path.read_text() for path in (Path(ROOT) / "labeling").rglob("*.py"))
    framework = {"method_not_allowed", "unsupported_media_type"}
    assert sorted(code for code in named - framework if f'"{code}"' not in source) == []


def test_every_address_is_named() -> None:
    from labeling.gateway.api.urls import urlpatterns

    last_parts = {
        part
        for pattern in urlpatterns
        for part in re.findall(r"[a-z][a-z-]+", re.sub(r"<[^>]*>", " ", str(pattern.pattern)))
    }
    assert sorted(part for part in last_parts if not re.search(rf"\b{part}\b", PAGE)) == []
