"""Links as they are in the repository, led to where their targets are on the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from config.database import ROOT

_FENCED = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])+)\]\((?P<target>[^)\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:|#|/")


def led(markdown: str, source: str, brought: Mapping[str, str]) -> str:
    """``source``: the page's path in the repository. ``brought``: pages of the site whose text lies outside ``docs/``.

    A folder is its index, and a file that the site does not have is named and not linked. What is nowhere stays as it
    is, so that a strict build fails at it.
    """
    parts, end = [], 0
    for block in _FENCED.finditer(markdown):
        parts += [_leading(markdown[end : block.start()], source, brought), block[0]]
        end = block.end()
    return "".join([*parts, _leading(markdown[end:], source, brought)])


def _leading(text: str, source: str, brought: Mapping[str, str]) -> str:
    places = {path: f"docs/{page}" for page, path in brought.items()}
    here = posixpath.dirname(source if source.startswith("docs/") else places[source])

    def lead(link: re.Match[str]) -> str:
        if _ELSEWHERE.match(link["target"]):
            return link[0]
        target, hash_, anchor = link["target"].partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if any((ROOT / path).glob("*.md")):
            path += "/index.md"
        path = places.get(path, path)
        if not path.startswith("docs/") or (ROOT / path).is_dir():
            return link["text"] if (ROOT / path).exists() else link[0]
        return f"[{link['text']}]({posixpath.relpath(path, here)}{hash_}{anchor})"

    return _LINK.sub(lead, text)
