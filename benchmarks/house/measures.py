"""What is read off the code without running it."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
#: The halves and their bridge; tests and migrations are no part of the house.
CODE = ("labeling", "inference", "config")
ALL = (*CODE, "templates", "static")
ENDINGS = (".py", ".html", ".js", ".css")


def cycles() -> list[list[str]]:
    """Groups of modules that import each other in a circle, imports inside functions too, annotations' not."""
    graph = grimp.build_graph(*CODE, exclude_type_checking_imports=True)
    below = {name: graph.find_upstream_modules(name) for name in graph.modules}
    groups = {
        tuple(sorted({name, *(other for other in below[name] if name in below[other])})) for name in below
    }
    return sorted(list(group) for group in groups if len(group) > 1)


def _sources() -> list[Path]:
    told = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *CODE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [Path(path) for path in told if path.endswith(".py") and _counts(path) and (ROOT / path).is_file()]


def _counts(path: str) -> bool:
    return path.endswith(ENDINGS) and "/migrations/" not in path


def largest_files(most: int = 5) -> list[tuple[str, int]]:
    """(path, lines) of the largest files, the largest first."""
    sizes = [(str(path), len((ROOT / path).read_text().splitlines())) for path in _sources()]
    return sorted(sizes, key=lambda each: -each[1])[:most]


def longest_functions(most: int = 5) -> list[tuple[str, int]]:
    """(path:function, lines with its docstring) of the longest functions, the longest first."""
    sizes = [
        (f"{path}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for path in _sources()
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return sorted(sizes, key=lambda each: -each[1])[:most]


def lines_at(commit: str | None) -> dict[str, int]:
    """Lines by ending and in all, of a commit or (``None``) of the working tree."""
    told = subprocess.run(
        ["git", "grep", "--count", *(["", commit] if commit else ["--untracked", ""]), "--", *ALL],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines: Counter[str] = Counter()
    for row in told.splitlines():
        path, _colon, count = row.removeprefix(f"{commit}:").rpartition(":")
        if _counts(path):
            lines[Path(path).suffix.removeprefix(".")] += int(count)
    return {**lines, "all": lines.total()}
