"""Deliveries of names as old programs write them: which of them are read as they were meant, by encoding."""

from __future__ import annotations

import pytest

from labeling.catalog.name_encodings import ENCODINGS, reading_of

READ_RIGHT: dict[str, list[list[str]]] = {
    "cp949": [
        ["앞면.png"],
        ["검사 17/앞면.png", "검사 17/라벨_뒷면.png", "타이어 ①.png"],
        ["좌측 문짝_스크래치.jpg"],
        ["2024년 3월 검사.png"],
        ["똠방각하.png"],
    ],
    "cp932": [
        ["検査/正面.png", "検査/一覧表.png", "検査/ソ.png", "タイヤ（前）.png"],
        ["写真1.png"],
        ["ｶﾒﾗ.png"],
        ["ｷｽﾞ_001.png", "ﾍｺﾐ_002.png"],
        ["ｹﾝｻ 前面.png"],
    ],
    "euc_jp": [["タイヤ.png", "フロント.png"], ["きず.png"]],
    "gb18030": [["正面.png"], ["左前门划痕.jpg"], ["轮胎.png", "车门.png"], ["图片1.png"]],
    "big5": [["正面.png"], ["檢查/銘牌.png"], ["左前門刮痕.jpg"], ["圖片1.png"]],
    "cp850": [["Rückseite.png"], ["Größe.png"], ["Côté.png"], ["Ölstand.jpg", "Kühler.jpg"]],
    "cp437": [["Größe.png"], ["café.png"], ["Año.png"]],
    "cp1252": [["Größe.png"], ["été.png"], ["Année à vérifier.png"], ["São Paulo.png"], ["Ångström.png"]],
    "mac_roman": [["Größe.png"], ["Fenêtre côté.png"], ["Tür.png"], ["ÄÖ.png"]],
    "cp866": [["Фото.png"], ["Осмотр/перед.png", "Осмотр/зад.png"], ["царапина.jpg"]],
    "cp1251": [["Фото.png"], ["Осмотр/перед.png", "Осмотр/зад.png"], ["царапина.jpg"]],
    "utf-8": [
        ["앞면.png"],
        ["Größe.png"],
        ["Gro\u0308\u00dfe.png"],
        ["Фото.png"],
        ["写真1.png"],
        ["été 📷.png"],
    ],
}


@pytest.mark.parametrize("encoding", READ_RIGHT)
def test_names_are_read_as_they_were_meant(encoding: str) -> None:
    for names in READ_RIGHT[encoding]:
        raws = [name.encode(encoding) for name in names]
        reading = reading_of(raws)
        assert reading is not None
        assert [raw.decode(reading.encoding, "replace") for raw in raws] == names, reading


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1252", "ÄÖ.png"),
        ("cp850", "ÄÖ.png"),
        ("euc_jp", "写真.png"),
        ("cp852", "Příčná.png"),
        ("koi8_r", "Фото.png"),
    ],
)
def test_what_nothing_tells_apart_is_said_to_be_a_guess_and_can_be_chosen(encoding: str, name: str) -> None:
    reading = reading_of([name.encode(encoding)])
    assert reading is not None and reading.guessed
    assert encoding in ENCODINGS


def test_one_delivery_is_read_in_one_encoding() -> None:
    """What one name leaves open, its neighbours tell."""
    alone, beside = ["ÄÖ.png".encode("cp1252")], ["Vorderansicht_Tür.png".encode("cp1252")]
    assert reading_of(alone) != reading_of(alone + beside * 2)
    told = reading_of(alone + beside * 2)
    assert told is not None and told.encoding == "cp1252"
