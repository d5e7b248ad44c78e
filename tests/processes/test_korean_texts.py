"""The Korean texts: whole, with the same placeholders, and in use."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po
from django.test import Client

from config.database import ROOT
from config.translations import compile_translations

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?\w+>")


def test_every_text_has_its_korean_with_the_same_placeholders() -> None:
    with (ROOT / "locale/ko/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file)
    for message in catalog:
        if not message.id:
            continue
        plural = isinstance(message.id, tuple)
        english = message.id[-1] if plural else message.id
        korean = message.string[0] if plural else message.string
        assert korean.strip(), f"not translated: {english}"
        assert not message.fuzzy, english
        assert sorted(PLACEHOLDER.findall(korean)) == sorted(PLACEHOLDER.findall(english)), english


@pytest.mark.django_db
def test_a_korean_browser_gets_korean_pages() -> None:
    compile_translations()
    page = Client().get("/login", headers={"accept-language": "ko"}).content.decode()
    assert '<html lang="ko"' in page and "로그인" in page
