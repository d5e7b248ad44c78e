"""A folder from a disk, dropped on the page or chosen: its photos come in under the names that they have in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from labeling.catalog.models import IntakeFile, Item, Project
from tests.factories import make_project, photo_bytes
from tests.stack import Stack

PageFor = Callable[..., Page]
EXPECTED = {"march/front/1.png", "march/front/2.png", "march/뒷면/1.png", "march/notes.txt"}

#: The browser's own entries, but that one file cannot be read: tests may run as root, whom no mode keeps out.
SPOILT = """
const spoilt = (entry) => new Proxy(entry, { get(target, name) {
  if (name === "file" && target.name === "2.png") return (_done, failed) => failed(new DOMException("gone"));
  if (name === "createReader") return () => {
    const reader = target.createReader();
    return { readEntries: (done, failed) => reader.readEntries((found) => done(found.map(spoilt)), failed) };
  };
  return typeof target[name] === "function" ? target[name].bind(target) : target[name];
}});
const real = DataTransferItem.prototype.webkitGetAsEntry;
DataTransferItem.prototype.webkitGetAsEntry = function () { return spoilt(real.call(this)); };
"""


@pytest.fixture
def project(live_stack: Stack) -> Project:
    return make_project()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos of one name in different folders, one name as a Mac writes it, clutter, and a file that is no photo."""
    march = tmp_path / "march"
    (march / "front").mkdir(parents=True)
    (march / "front" / "1.png").write_bytes(photo_bytes(1))
    (march / "front" / "2.png").write_bytes(photo_bytes(2))
    back = march / unicodedata.normalize("NFD", "뒷면")
    back.mkdir()
    (back / "1.png").write_bytes(photo_bytes(3))
    (march / ".DS_Store").write_bytes(b"x")
    (march / "notes.txt").write_bytes(b"bring milk")
    return march


def drop(page: Page, path: Path) -> None:
    """As a person drops it: the browser itself walks the disk."""
    box = page.locator("[data-drop-zone]").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 20}
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


@pytest.mark.parametrize("way", ["dropped", "chosen"])
def test_a_folder_comes_in_with_the_paths_below_it(
    project: Project, page_for: PageFor, live_stack: Stack, folder: Path, way: str
) -> None:
    live_stack.start_worker()
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/intake")
    if way == "dropped":
        drop(page, folder)
    else:
        page.get_by_label("Or a whole folder").set_input_files(folder)
    expect(page.get_by_text("4 files chosen")).to_be_visible()
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/intake/*")
    expect(page.get_by_role("row", name="march/notes.txt")).to_contain_text("This is not a photo")
    expect(page.locator(".dl")).to_contain_text("Added 3")
    assert set(IntakeFile.objects.values_list("name", flat=True)) == EXPECTED
    assert set(Item.objects.values_list("name", flat=True)) == EXPECTED - {"march/notes.txt"}


def test_what_cannot_be_read_in_a_dropped_folder_is_said_and_the_rest_is_sent(
    project: Project, page_for: PageFor, folder: Path
) -> None:
    page = page_for(project.created_by)
    page.add_init_script(SPOILT)
    page.goto(f"/p/{project.slug}/intake")
    drop(page, folder)
    expect(page.locator("[data-drop-status]")).to_have_text(
        "3 files chosen. 1 could not be read: march/front/2.png"
    )
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/intake/*")
    assert set(IntakeFile.objects.values_list("name", flat=True)) == EXPECTED - {"march/front/2.png"}


def test_the_buttons_that_open_the_browsers_choice_are_in_the_pages_language(
    project: Project, page_for: PageFor, tmp_path: Path
) -> None:
    page = page_for(project.created_by, locale="ko-KR")
    # A listener that stays: to intercept a chooser is told to the page's own process, a key to the browser's, and the key
    # came first once in some hundred times when each wait switched it on anew.
    page.on("filechooser", lambda _chooser: None)
    page.goto(f"/p/{project.slug}/intake")
    (tmp_path / "one.png").write_bytes(photo_bytes(1))
    for text, field in (("파일 선택", "#id_photos"), ("폴더 선택", "#id_folder_here")):
        native, ours = page.locator(field), page.get_by_text(text, exact=True)
        box = native.bounding_box()
        assert box is not None and box["width"] <= 1, "the browser's own button cannot be seen"
        with page.expect_file_chooser():
            ours.click()
        native.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(native).to_be_focused()
        assert ours.evaluate("each => getComputedStyle(each).outlineStyle") == "solid", "seen by keyboard"
        with page.expect_file_chooser():
            page.keyboard.press("Enter")
    page.locator("#id_photos").set_input_files(tmp_path / "one.png")
    expect(page.locator("[data-drop-status]")).to_have_text("파일 1개 선택됨")
