"""docs/security.md answers every requirement of OWASP ASVS 5.0.0, level 2, and every test that it names is in the suite."""

from __future__ import annotations

import ast
import re
from functools import cache

from config.database import ROOT

#: The numbers of the standard's requirements of levels 1 and 2: section, then its requirements.
NUMBERS = """
1.1: 1 2;
1.2: 1 2 3 4 5 6 7 8 9;
1.3: 1 2 3 4 5 6 7 8 9 10 11;
1.4: 1 2 3;
1.5: 1 2
2.1: 1 2 3;
2.2: 1 2 3;
2.3: 1 2 3 4;
2.4: 1
3.2: 1 2;
3.3: 1 2 3 4;
3.4: 1 2 3 4 5 6;
3.5: 1 2 3 4 5;
3.7: 1 2
4.1: 1 2 3;
4.2: 1;
4.3: 1 2;
4.4: 1 2 3 4
5.1: 1;
5.2: 1 2 3;
5.3: 1 2;
5.4: 1 2 3
6.1: 1 2 3;
6.2: 1 2 3 4 5 6 7 8 9 10 11 12;
6.3: 1 2 3 4;
6.4: 1 2 3 4;
6.5: 1 2 3 4 5;
6.6: 1 2 3;
6.8: 1 2 3 4
7.1: 1 2 3;
7.2: 1 2 3 4;
7.3: 1 2;
7.4: 1 2 3 4 5;
7.5: 1 2;
7.6: 1 2
8.1: 1 2;
8.2: 1 2 3;
8.3: 1;
8.4: 1
9.1: 1 2 3;
9.2: 1 2 3 4
10.1: 1 2;
10.2: 1 2;
10.3: 1 2 3 4;
10.4: 1 2 3 4 5 6 7 8 9 10 11;
10.5: 1 2 3 4 5;
10.6: 1 2;
10.7: 1 2 3
11.1: 1 2;
11.2: 1 2 3;
11.3: 1 2 3;
11.4: 1 2 3 4;
11.5: 1;
11.6: 1
12.1: 1 2 3;
12.2: 1 2;
12.3: 1 2 3 4
13.1: 1;
13.2: 1 2 3 4 5;
13.3: 1 2;
13.4: 1 2 3 4 5
14.1: 1 2;
14.2: 1 2 3 4;
14.3: 1 2 3
15.1: 1 2 3;
15.2: 1 2 3;
15.3: 1 2 3 4 5 6 7
16.1: 1;
16.2: 1 2 3 4 5;
16.3: 1 2 3 4;
16.4: 1 2 3;
16.5: 1 2 3
17.1: 1;
17.2: 1 2 3 4;
17.3: 1 2
"""
ANSWERS = {"met", "partly", "**not met**", "n/a"}


def rows() -> list[list[str]]:
    page = (ROOT / "docs/security.md").read_text()
    found = [
        [cell.strip() for cell in row.strip("|").split(" | ")]
        for row in page.splitlines()
        if row.startswith("| ")
    ]
    return [cells for cells in found if re.match(r"\d+\.\d+\.\d+", cells[0])]


def wanted() -> list[str]:
    sections = (each.split(": ") for each in re.split(r";\s*|\n", NUMBERS.strip()) if each)
    return [f"{section}.{number}" for section, numbers in sections for number in numbers.split()]


@cache
def _tests_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_requirement_of_level_2_is_answered_once() -> None:
    answered = [number for cells in rows() for number in cells[0].split(", ")]
    assert len(wanted()) == 253
    assert sorted(answered) == sorted(wanted())
    assert {cells[2] for cells in rows()} == ANSWERS


def test_the_page_counts_its_answers() -> None:
    page = (ROOT / "docs/security.md").read_text()
    said = re.search(r"Of the (\d+): (\d+) met, (\d+) partly, (\d+) not met, (\d+) that do not apply", page)
    assert said is not None
    counted = [
        sum(len(cells[0].split(", ")) for cells in rows() if cells[2] == answer)
        for answer in ("met", "partly", "**not met**", "n/a")
    ]
    assert [int(each) for each in said.groups()] == [sum(counted), *counted]


def test_every_test_that_it_names_is_in_the_suite_and_what_is_met_has_one_or_says_why() -> None:
    for number, what, answer, held in rows():
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", held)
        for file, test in named:
            assert test in _tests_of(file), f"{number}: {file}::{test}"
        assert held, f"{number} {what} ({answer}) says neither a test nor why"
    assert sum("::" in cells[3] for cells in rows()) > 80
