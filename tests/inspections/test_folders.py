"""Inspections that lie in a folder come in once, and what cannot be used stops nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from labeling.inspections.models import Inspection, InspectionPhoto
from tests.inspections.conftest import Yard, picture


@pytest.fixture
def lay() -> object:
    def write(name: str, data: bytes) -> None:
        file = Path(settings.INTAKE_ROOTS[0]) / "washes" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    return write


def look(yard: Yard, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[str, str]:
    call_command(
        "inspect_folder", "walk-round", "washes", "--by", yard.clerk.username, "--event", "wash", *more
    )
    said = capsys.readouterr()
    return said.out, said.err


def test_a_folder_is_taken_in_once_and_then_what_came_since(yard: Yard, lay, capsys) -> None:
    lay("12가 3456/W-1/front.jpg", picture(1))
    lay("12가 3456/W-1/rear.jpg", picture(2))
    lay("12가 3456/W-1/roof.jpg", picture(3))
    lay("12가 3456/W-2/front.jpg", b"no photo")
    lay("stray.jpg", picture(4))
    out, _err = look(yard, capsys)
    assert "W-1: " in out and not Inspection.objects.exists(), "they may still be written"
    out, err = look(yard, capsys, "--still", "0")
    assert "12가 3456/W-1: 2 photos." in out
    assert err.count("\n") == 3 and "roof.jpg" in err and "stray.jpg" in err and "W-2/front" in err
    first = Inspection.objects.get(external_id="W-1")
    assert (first.asset.identifier, first.event, first.origin) == ("12가 3456", "wash", "folder")
    newest = max(os.stat(path).st_ctime for path in Path(settings.INTAKE_ROOTS[0]).rglob("W-1/[fr]*.jpg"))
    assert abs(first.happened_at.timestamp() - newest) < 1
    rows = InspectionPhoto.objects.count()
    out, _err = look(yard, capsys, "--still", "0")
    assert out == "" and InspectionPhoto.objects.count() == rows
    lay("12가 3456/W-2/front-2.jpg", picture(5))
    look(yard, capsys, "--still", "0")
    assert list(InspectionPhoto.objects.current().values_list("inspection__external_id", "number")) == [
        ("W-1", 1),
        ("W-1", 1),
        ("W-2", 2),
    ]
    lay("99나 1/W-1/front.jpg", picture(6))
    _out, err = look(yard, capsys, "--still", "0")
    assert "99나 1/W-1" in err and Inspection.objects.count() == 2


def test_only_who_may_record_and_only_open_folders(yard: Yard) -> None:
    for by, folder in ((yard.wash.created_by.username, "washes"), (yard.clerk.username, "/etc")):
        with pytest.raises(CommandError):
            call_command("inspect_folder", "walk-round", folder, "--by", by)
