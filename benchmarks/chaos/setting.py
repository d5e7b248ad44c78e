"""People and projects of an empty Hilltop, made in a process of its own: whoever disturbs and checks it knows no table.

Reads ``{"name": role}`` from its input and prints ``{"name": token}``; ``root`` is a superuser.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from benchmarks.bench_project import CLASSES, set_up_django
from benchmarks.chaos.people import MAJORITY, STRICT
from config.database import ROOT

_COMMON = {
    "gold_rate": 0.05,
    "audit_rate": 0.1,
    "certifying_answers": 0,
    "min_view_ms": 0,
    "retrain_every": 0,
}
SETTINGS = {
    STRICT: {**_COMMON, "answers_per_image": 2, "rule": "unanimous", "sweep_allowed": True},
    MAJORITY: {**_COMMON, "answers_per_image": 3, "rule": "k_of_n", "agreement_k": 2},
}


def make(url: str, var: str, roles: dict[str, str]) -> dict[str, str]:
    """Bring the database at ``url`` up to date and fill it. Returns tokens by name."""
    environment = os.environ | {"DATABASE_URL": url, "HILLTOP_VAR": var}
    environment.pop("HILLTOP_EMBEDDED", None)
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos.setting"],
        cwd=ROOT, env=environment, input=json.dumps(roles), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    tokens: dict[str, str] = json.loads(made.stdout.splitlines()[-1])
    return tokens


def main() -> None:
    set_up_django()
    from labeling.catalog.services import create_project, set_role
    from labeling.people.models import User
    from labeling.people.services import make_token

    roles: dict[str, str] = json.load(sys.stdin)
    root = User.objects.create_superuser("root", password=None)
    people = {name: User.objects.create_user(name, password=None) for name in roles}
    for slug, settings in SETTINGS.items():
        project = create_project(
            slug=slug, name=slug.title(), question="Is it defective?", classes=CLASSES, by=root, **settings
        )
        for name, user in people.items():
            set_role(project=project, user=user, role=roles[name], by=root)
    print(
        json.dumps(
            {name: make_token(user=user, name="chaos")[1] for name, user in {**people, "root": root}.items()}
        )
    )


if __name__ == "__main__":
    main()
