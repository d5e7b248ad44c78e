"""82 %, 12 h and 3 ms are read at one glance: no line breaks between a number and its unit, in either language."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from config.translations import compile_translations
from tests.overview.test_one_figure_one_value import addresses, seen

pytestmark = pytest.mark.django_db

PARTED = re.compile(r"\d[ \t\r\n]+(?:%(?![\w(])|(?:ms|s|min|h|px|MB|GB)\b)")
#: Said to screen readers, on hover, or by a script.
SAID = re.compile(r'(?:title|alt|aria-\w+|data-said[\w-]*)="([^"]*)"')
UNREAD = re.compile(r"<(script|style|textarea)\b.*?</\1>", re.S)
INLINE = re.compile(r"</?(?:a|b|bdi|em|i|span|strong)\b[^>]*>")


def parted(page: str) -> list[str]:
    """Each such place with what is around it; what people typed into a field is left out."""
    page = UNREAD.sub("", page)
    runs = [*SAID.findall(page), *re.split(r"<[^>]*>", INLINE.sub("", page))]
    return [
        run[max(at.start() - 40, 0) : at.end() + 10]
        for run in map(unescape, runs)
        for at in PARTED.finditer(run)
    ]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_page_parts_a_number_from_its_unit(language: str) -> None:
    compile_translations()
    living = seen().living
    client = Client(headers={"accept-language": language})
    client.force_login(living.admin)
    found: dict[str, list[str]] = {}
    for address in ("/", *addresses()):
        response = client.get(address.replace("<slug:slug>", living.project.slug))
        if response.status_code == 200 and response["content-type"].startswith("text/html"):
            found[address] = parted(response.content.decode())
    assert len(found) > 20
    assert {address: places for address, places in found.items() if places} == {}


def test_a_page_with_a_parted_number_would_be_found() -> None:
    page = (
        '<main title="12 h"><p>on <b>82</b> %, at least 80&nbsp;% of 3\u00a0ms</p><td>7</td><td>s</td></main>'
    )
    assert parted(page) == ["12 h", "on 82 %, at least"]
