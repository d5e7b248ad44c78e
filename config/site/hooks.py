"""What mkdocs is told beside ``mkdocs.yml``: the pages that are made while the site is built, and where links lead."""

from __future__ import annotations

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from config.database import ROOT
from config.site import decisions, links, reference

#: Pages whose text lies elsewhere in the repository.
BROUGHT = {"client.md": "client/README.md", "changelog.md": "CHANGELOG.md"}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    made = {"decisions/index.md": decisions.index(), **reference.pages()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for name, source in BROUGHT.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    logo = "img/hilltop.svg"
    files.append(File.generated(config, logo, abs_src_path=str(ROOT / "static" / logo)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    return links.led(markdown, BROUGHT.get(page.file.src_uri, f"docs/{page.file.src_uri}"), BROUGHT)


def on_post_page(output: str, *, page: Page, **_: Any) -> str:
    return (
        output.replace('<html lang="en"', '<html lang="ko"', 1)
        if page.file.src_uri.startswith("ko/")
        else output
    )
