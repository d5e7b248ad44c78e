"""A labeler in a process of their own: claims and answers until nothing is left, some requests sent twice.

Run by test_many_labelers_at_once; prints one JSON object: the keys of the acknowledged answers.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from uuid import uuid4


def main(project_slug: str, username: str, seed: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["HILLTOP_DB_POOL"] = "2"
    import django

    django.setup()
    from labeling.catalog.models import Project
    from labeling.people.models import User
    from labeling.queue import services
    from labeling.refusals import Refused
    from labeling.truth.services import Answer

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
    print(json.dumps(sorted(set(keys))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
