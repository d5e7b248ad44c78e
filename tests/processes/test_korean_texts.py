"""The Korean texts: whole, with the same placeholders, as a Korean data team writes them, and in use."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation.template import templatize

from config.database import ROOT
from config.translations import compile_translations
from labeling.frontier.bands import BandState
from labeling.people.templatetags.look import when
from labeling.text.percentage import percentage
from tests.gateway.test_units import PARTED

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?\w+>")

#: A particle that could not decide: 이(가), 을(를), (으)로, (이)라고. The sentence is turned round instead.
OPEN_PARTICLE = re.compile(r"[이가을를은는과와]\([이가을를은는과와]\)|\((?:으|이)\)")

#: A particle after something that is not known here: right after one name or number and wrong after the next. What follows
#: a unit or a noun of ours is known, and 의, 에, 도, 입니다 fit anything.
LOOSE_PARTICLE = re.compile(
    r"(?:%\(\w+\)[\d.]*[sdf]|\{\w+\})[”’]?(?:이|가|을|를|은|는|과|와|으로|로|이라고|라고)(?![가-힣])"
)

#: What docs/korean.md replaces, and by what.
RETIRED = {
    "반입": "사진 등록",
    "스윕": "일괄 확인",
    "검수": "검토",
    "지침": "라벨링 기준",
    "가이드라인": "라벨링 기준",
    "기계": "모델",
    "감사": "점검",
    "무작위 점검": "표본 점검",
    "챔피언": "운영 모델",
    "승격": "채택",
    "떼어 둔": "홀드아웃",
    "대여": "배정",
    "스냅숏": "스냅샷",
    "열지도": "히트맵",
    "세요": "십시오",
}


def texts() -> Iterator[tuple[str, str]]:
    """Each text in English and in Korean."""
    with (ROOT / "locale/ko/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file)
    for message in catalog:
        if message.id:
            plural = isinstance(message.id, tuple)
            assert not message.fuzzy, message.id
            yield (message.id[-1], message.string[0]) if plural else (message.id, message.string)
    yield from _of_templates()


def _of_templates() -> Iterator[tuple[str, str]]:
    """Those of the shipped templates, which hold both languages: each text has both, a list as many lines in each."""

    def pairs(content: Any) -> Iterator[tuple[str, str]]:
        if isinstance(content, dict) and content.keys() & {"en", "ko"}:
            assert content.keys() == {"en", "ko"}, content
            both = [each if isinstance(each, list) else [each] for each in (content["en"], content["ko"])]
            yield from zip(*both, strict=True)
        elif isinstance(content, dict | list):
            for each in content.values() if isinstance(content, dict) else content:
                yield from pairs(each)

    for path in (ROOT / "labeling").rglob("ready_made/*.toml"):
        yield from pairs(tomllib.loads(path.read_text()))


def test_every_text_has_its_korean_with_the_same_placeholders() -> None:
    for english, korean in texts():
        assert korean.strip() or not english.strip(", "), f"not translated: {english}"
        assert sorted(PLACEHOLDER.findall(korean)) == sorted(PLACEHOLDER.findall(english)), english


#: What asks for a text, and where in its arguments the text stands (``c``: its context).
ASKING: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    "npgettext": ((1, "c"), 2, 3),
}


def asked_for() -> Iterator[tuple[str, str, str | None]]:
    """Where, and with which context, code and pages ask for which text. Of a plural its singular."""
    for path in [*(ROOT / "labeling").rglob("*.py"), *(ROOT / "templates").rglob("*.html")]:
        text, how = path.read_text(), "python"
        if path.suffix == ".html":
            # Django makes calls of a template's tags, and noise of all else: no Python, but tokens.
            text, how = re.sub(r"\bu(?=['\"])", "", templatize(text, origin=str(path))), "javascript"
        for line, found, _comments, context in extract(how, BytesIO(text.encode()), keywords=ASKING):
            if said := found if isinstance(found, str) else found[0]:
                yield f"{path.relative_to(ROOT)}:{line}", said, context


def test_every_text_of_code_and_pages_is_in_the_catalog() -> None:
    with (ROOT / "locale/ko/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file)
    asked = list(asked_for())
    assert len(asked) > 4000, "else it reads too little of them"
    assert [each for each in asked if catalog.get(each[1], each[2]) is None] == []


def test_no_particle_is_left_open() -> None:
    assert [korean for _english, korean in texts() if OPEN_PARTICLE.search(korean)] == []
    assert [korean for _english, korean in texts() if LOOSE_PARTICLE.search(korean)] == []


def test_one_word_for_one_thing() -> None:
    glossary = (ROOT / "docs/korean.md").read_text()
    for retired, word in RETIRED.items():
        assert f"~~{retired}~~" in glossary and word in glossary, f"{retired} is not in docs/korean.md"
    assert {korean: word for _english, korean in texts() for word in RETIRED if word in korean} == {}


def test_a_per_cent_sign_touches_its_number() -> None:
    assert [korean for _english, korean in texts() if re.search(r"[\dsdf})] %(?![(\w])", korean)] == []


def test_no_number_is_parted_from_its_unit_in_either_language() -> None:
    """The space between them, where there is one, does not break."""
    filled = [re.sub(r"%\(\w+\)[-\d.]*[a-z]|\{\w+\}", "0", text) for pair in texts() for text in pair]
    assert [text for text in filled if PARTED.search(text.replace("%%", "%"))] == []


def test_every_state_of_a_band_has_its_word_where_a_script_says_it() -> None:
    panel = (ROOT / "templates/overview/dashboard/_panel.html").read_text()
    assert [state.value for state in BandState if f'data-word="{state.value}"' not in panel] == []


def test_a_moment_is_said_as_in_korea() -> None:
    now = timezone.now()
    compile_translations()
    with translation.override("ko"):
        assert "3분 전" in when(now - timedelta(minutes=3, seconds=2))
        assert "5시간 전" in when(now - timedelta(hours=5, seconds=2))
        assert "3주 1일 전" in when(now - timedelta(days=22, seconds=2))
        assert re.search(r'title="\d{4}년 \d{1,2}월 \d{1,2}일 \d\d:\d\d"', when(now))
        assert percentage(0.824) == "82%"


@pytest.mark.django_db
def test_a_korean_browser_gets_korean_pages() -> None:
    compile_translations()
    page = Client().get("/login", headers={"accept-language": "ko"}).content.decode()
    assert '<html lang="ko"' in page and "로그인" in page
