"""What Hilltop is made of is listed whole, with a licence each; what may not be used, or nobody knows, stops the command."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any, cast

import pytest

from config.components import LEFT_OPEN, REFUSED, Part, bill, licence_of, parts
from config.database import ROOT


def test_every_locked_component_has_a_licence_that_may_be_used() -> None:
    found, _elsewhere = parts(ROOT / "requirements.lock")
    bad = {part.name: part.licence for part in found if not part.licence or REFUSED.search(part.licence)}
    assert bad == {}
    listed = json.loads(bill(found))
    assert {each["purl"] for each in listed["components"]} >= {"pkg:pypi/django@" + _version(found, "django")}
    assert len(listed["components"]) == len(found) > 100
    assert set(LEFT_OPEN) <= {part.name for part in found}, "what the lock does not bring needs no word"


def _version(found: list[Part], name: str) -> str:
    return next(part.version for part in found if part.name == name)


@pytest.mark.parametrize(
    ("said", "licence", "usable"),
    [
        ({"License-Expression": "MIT"}, "MIT", True),
        ({"License": "AGPL-3.0-or-later"}, "AGPL-3.0-or-later", False),
        ({"License-Expression": "MIT OR AGPL-3.0-only"}, "MIT OR AGPL-3.0-only", False),
        ({"License": "all kinds", "Classifier": "License :: OSI Approved :: MIT License"}, "MIT", True),
        ({"Classifier": "License :: OSI Approved :: GNU Affero General Public License v3"}, "", False),
        ({"License": "UNKNOWN"}, "", False),
        ({}, "", False),
    ],
)
def test_a_licence_is_what_the_metadata_says_or_unknown(
    said: dict[str, str], licence: str, usable: bool
) -> None:
    message = Message()
    for field, value in said.items():
        message[field] = value
    part = Part("a-package", "1", licence_of("a-package", cast(Any, message)), "1")
    assert (part.licence, not part.trouble) == (licence, usable)
