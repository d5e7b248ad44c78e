"""Known answers that a derived project takes as gold: files as people have them, and every wrong line by its number."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from labeling.catalog.models import Project
from labeling.jobs.models import Job
from labeling.learning.deriving import items_of, read_gold
from labeling.refusals import Refused
from labeling.truth.models import Origin
from tests.factories import make_items
from tests.learning.building import separable_project, settle
from tests.learning.test_deriving import CLASSES, FORM, derive, signed_in

pytestmark = pytest.mark.django_db

HASH = "ab" * 32


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("a.png,mono\n" + "x" * 200_000 + ",poly\n", 2),
        (b"a.png,mono\nb.png,poly\n\xb4\xdc.png,mono\n", 3),
        (b"a.png,mono\r\n\xff\xfe", 2),
        ("a.png,mono\nb\0.png,poly\n", 2),
        ('a.png,mono\n"b.png,poly\nc.png,mono\n', 2),
        ('a.png,mono\n\n"b\nc.png",poly\n', 3),
        ("photo,class\na.png,mono\na.png,mono\n", 3),
        ("a.png,mono\nb.png,mono\na.png,poly\n", 3),
        (f"{HASH},mono\n{HASH.upper()},poly\n", 2),
        ("a.png,mono,why\n", 1),
    ],
)
def test_a_wrong_line_is_named(given: str | bytes, line: int) -> None:
    with pytest.raises(Refused, match=rf"Line {line} ") as refusal:
        read_gold(given)
    assert refusal.value.status == 422 and set(refusal.value.fields) == {"gold"}


def test_files_of_a_spreadsheet_are_read_as_they_are() -> None:
    pairs = [("단면.png", "mono"), ("b.png", "poly")]
    text = "photo,class\r\n단면.png,mono\r\nb.png,poly\r\n"
    assert read_gold(text.encode("utf-8-sig")) == read_gold(text.encode()) == pairs
    assert read_gold("\ufeff" + text) == pairs
    assert read_gold(text.replace("\r\n", "\r")) == pairs
    assert read_gold(f"{HASH.upper()},mono") == [(HASH, "mono")]


def test_a_repeated_photo_is_told_with_both_lines() -> None:
    with pytest.raises(Refused, match=r"Line 3 names “a\.png” again, which line 1 does already"):
        read_gold("a.png,mono\nb.png,mono\na.png,poly\n")


@pytest.mark.parametrize("given", ["x" * 200_000 + ",mono", "a\0.png,mono", "a.png,poly", "a.png"])
def test_the_page_says_the_wrong_line_at_its_field(given: str) -> None:
    source, _items, _keys = separable_project(8)
    fields = FORM | {"gold": "\r\na.png,mono\r\n" + given}
    answer = signed_in(source).post(reverse("derive", args=[source.slug]), fields)
    assert answer.status_code == 422
    assert "Line 3 " in str(answer.context["form"].errors["gold"])
    assert Project.objects.count() == 1


def test_the_page_says_that_names_are_matched_exactly() -> None:
    source, _items, _keys = separable_project(8)
    page = signed_in(source).get(reverse("derive", args=[source.slug])).content.decode()
    assert "Names are matched exactly" in page


@pytest.mark.parametrize("content", [b"a.png,mono\n\xb4\xdc.png,mono\n", b"a.png,mono\n" + b"x" * 200_000])
def test_the_command_says_the_wrong_line(tmp_path: Path, content: bytes) -> None:
    source, _items, _keys = separable_project(8)
    file = tmp_path / "gold.csv"
    file.write_bytes(content)
    with pytest.raises(CommandError, match="Line 2 "):
        call_command(
            "derive", "--from", source.slug, "--slug", "kinds", "--name", "Kinds", "--question", "Mono or poly?",
            "--class", "mono=Mono", "--class", "poly=Poly", "--gold", str(file),
        )  # fmt: skip
    assert Project.objects.count() == 1


def test_the_command_takes_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    source, items, _keys = separable_project(8)
    file = tmp_path / "gold.csv"
    file.write_bytes(f"{items[0].name},mono\r\n".encode("utf-8-sig"))
    call_command(
        "derive", "--from", source.slug, "--slug", "kinds", "--name", "Kinds", "--question", "Mono or poly?",
        "--class", "mono=Mono", "--class", "poly=Poly", "--gold", str(file),
    )  # fmt: skip
    assert Job.objects.get(kind="derive").args["gold"] == [[items[0].name, "mono"]]


def test_gold_is_neither_counted_nor_taken_over_as_settled() -> None:
    source, items, keys = separable_project(8)
    settle(source, make_items(source, 3, seed=5), ["defective"] * 3, origin=Origin.GOLD)
    page = signed_in(source).get(reverse("derive", args=[source.slug])).content.decode()
    assert "Only those settled as “Defective” (4)" in page
    wanted = {item.pk for item, key in zip(items, keys, strict=True) if key == "defective"}
    assert set(items_of(source, "defective").values_list("pk", flat=True)) == wanted


def test_a_class_with_gold_alone_is_refused_as_empty() -> None:
    source, _items, _keys = separable_project(8, unlabeled=8)
    settle(source, make_items(source, 1, seed=5), ["defective"], origin=Origin.GOLD)
    with pytest.raises(Refused) as refusal:
        derive(source, only_class="defective", classes=CLASSES)
    assert refusal.value.code == "no_photos"
    assert Project.objects.count() == 1


def test_one_photo_called_by_its_name_and_its_hash_is_refused() -> None:
    source, items, _keys = separable_project(8)
    gold = [(items[0].name, "mono"), (items[1].name, "mono"), (items[1].image.sha256, "poly")]
    with pytest.raises(Refused, match="are the same photo") as refusal:
        derive(source, gold=gold)
    assert set(refusal.value.fields) == {"gold"} and items[1].name in refusal.value.message
    assert Project.objects.count() == 1


def test_a_class_without_settled_photos_is_refused_on_the_page() -> None:
    source, _items, _keys = separable_project(8, unlabeled=8)
    answer = signed_in(source).post(reverse("derive", args=[source.slug]), FORM | {"only_class": "defective"})
    assert answer.status_code == 422 and "No photo of this project is settled" in answer.content.decode()
