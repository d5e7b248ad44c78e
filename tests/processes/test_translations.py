"""Translations are compiled without the system's tools, and only when they changed."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

from config.translations import compile_translations

PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Hold"
msgstr "보류"
"""


def test_a_catalog_is_compiled_once_and_again_when_it_changed(tmp_path: Path) -> None:
    source = tmp_path / "ko" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(PO)
    [compiled] = compile_translations(tmp_path)
    with compiled.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Hold") == "보류"
    assert compile_translations(tmp_path) == []

    source.write_text(PO.replace("보류", "나중에"))
    later = compiled.stat().st_mtime + 5
    os.utime(source, (later, later))
    assert compile_translations(tmp_path) == [compiled]
    with compiled.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Hold") == "나중에"
