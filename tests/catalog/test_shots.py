"""What a file's name says of the shot."""

from __future__ import annotations

import pytest

from labeling.catalog.shots import folder_of, shot_type


@pytest.mark.parametrize(
    ("name", "folder", "shot"),
    [
        ("inspection-17/front.jpg", "inspection-17", "front"),
        ("2026/03/17_Front.JPG", "03", "front"),
        ("inspection-17_detail left.jpeg", None, "left"),
        ("front/0017.jpg", "front", None),
        ("cell0001.png", None, None),
        ("현장_정면.jpg", None, "정면"),
        ("front", None, "front"),
        ("17_front2.jpg", None, None),
        (".jpg", None, "jpg"),
        ("", None, None),
    ],
)
def test_folder_and_shot_are_read_from_the_name(name: str, folder: str | None, shot: str | None) -> None:
    assert (folder_of(name), shot_type(name)) == (folder, shot)
