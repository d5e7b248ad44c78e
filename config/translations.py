"""Compiles the translations with Babel, so that no system's gettext tools are needed."""

from __future__ import annotations

from pathlib import Path

from config.database import ROOT


def compile_translations(folder: Path = ROOT / "locale") -> list[Path]:
    """Write a ``.mo`` beside each ``.po`` that is newer than it; return the ones written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        with source.open("rb") as file:
            catalog = read_po(file)
        with target.open("wb") as file:
            write_mo(file, catalog)
        written.append(target)
    return written


if __name__ == "__main__":
    for path in compile_translations():
        print(f"compiled {path.relative_to(ROOT)}")
