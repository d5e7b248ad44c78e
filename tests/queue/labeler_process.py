"""Labelers in a process each: they claim and answer until nothing is left, some requests sent twice.

Run by test_many_labelers_at_once; prints one JSON list: the keys of the acknowledged answers. Django is loaded once, and the
labelers' processes are copies of that one, made before it has talked to the database.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
from typing import Any
from uuid import uuid4

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["HILLTOP_DB_POOL"] = "2"

import django

django.setup()

from labeling.catalog.models import Project  # noqa: E402
from labeling.people.models import User  # noqa: E402
from labeling.queue import services  # noqa: E402
from labeling.refusals import Refused  # noqa: E402
from labeling.truth.services import Answer  # noqa: E402


def label(project_slug: str, username: str, seed: int, acknowledged: Any) -> None:
    dice = random.Random(seed)
    project = Project.objects.get(slug=project_slug)
    labeler = User.objects.get(username=username)
    keys, idle = [], 0
    while idle < 8:  # what others hold at this moment may come free
        held = services.claim(project=project, labeler=labeler, count=2, dice=dice)
        idle = 0 if held else idle + 1
        time.sleep(0 if held else 0.1)
        for slot in held:
            lot = dice.random()
            if lot < 0.05:
                services.release(project=project, labeler=labeler, lease=slot.pk)
                continue
            key = uuid4()
            for _ in range(2 if lot < 0.2 else 1):
                try:
                    services.submit(
                        project=project,
                        labeler=labeler,
                        lease=slot.pk,
                        key=key,
                        answer=Answer(kind="class", class_key="functional"),
                        view_ms=300,
                    )
                except Refused as refusal:
                    assert refusal.code in {"lease_expired", "already_answered"}, refusal.code
                else:
                    keys.append(str(key))
    acknowledged.put(sorted(set(keys)))


def main(project_slug: str, usernames: list[str]) -> None:
    copies = multiprocessing.get_context("fork")
    acknowledged = copies.SimpleQueue()
    labelers = [
        copies.Process(target=label, args=(project_slug, username, seed, acknowledged))
        for seed, username in enumerate(usernames)
    ]
    for labeler in labelers:
        labeler.start()
    for labeler in labelers:
        labeler.join()
    assert [labeler.exitcode for labeler in labelers] == [0] * len(labelers)
    print(json.dumps([key for _ in labelers for key in acknowledged.get()]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
