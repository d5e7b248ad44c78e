"""Two projects that ask, a protocol of eight shots, and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bench_project import Member
from benchmarks.inspections.calls import SHOTS

if TYPE_CHECKING:
    from labeling.catalog.models import Project

OUTSIDE = SHOTS[:4]
CLASSES = {"wash": ("foam", "machine", "plain"), "damage": ("none", "dent")}
RULES = [
    {"outcome": "failed", "when": [{"project": "damage", "shots": [], "of": "any", "is": ["dent"]}]},
    {
        "outcome": "passed",
        "when": [
            {"project": "wash", "shots": list(OUTSIDE), "of": "any", "is": ["foam"]},
            {"project": "wash", "shots": list(OUTSIDE), "of": "every", "is": ["plain"], "not": True},
        ],
    },
    {
        "outcome": "passed",
        "when": [
            {"project": "wash", "shots": ["interior-front", "interior-rear"], "of": "any", "is": ["machine"]},
            {"project": "damage", "shots": [], "of": "every", "is": ["none"]},
        ],
    },
]


def setting() -> tuple[Member, dict[str, Project]]:
    from labeling.catalog.services import create_project
    from labeling.inspections.services import create_protocol
    from labeling.people.models import User
    from labeling.people.services import make_token

    root = User.objects.create_superuser("root", password=None)
    _row, token = make_token(user=root, name="benchmark")
    projects = {
        slug: create_project(
            slug=slug,
            name=slug,
            question=f"{slug}?",
            by=root,
            audit_rate=0.0,  # whoever is drawn at random waits for people, and none are here
            classes=[{"key": key, "name": key} for key in keys],
        )
        for slug, keys in CLASSES.items()
    }
    create_protocol(
        by=root,
        slug="washes",
        name="Washes",
        rules=RULES,
        shots=[
            {
                "key": key,
                "name": key,
                "required": key != "wheel",
                "min_brightness": 30,
                "checks": ["wash", *(["damage"] if key in OUTSIDE else [])],
            }
            for key in SHOTS
        ],
    )
    return Member(root, token), projects
