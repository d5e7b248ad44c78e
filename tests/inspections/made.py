"""A protocol of two questions, and inspections whose photos are rows only."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from labeling.catalog.models import Item, Project
from labeling.inspections.models import (
    Asset,
    Check,
    Inspection,
    InspectionPhoto,
    Protocol,
    ProtocolVersion,
    Shot,
)
from labeling.inspections.wanting import KIND, want_look
from labeling.jobs import runner
from labeling.jobs.models import Job, JobState
from labeling.queue.services import append_arrivals
from labeling.truth import events
from labeling.truth.models import Annotation, GroundTruth
from tests.factories import make_project
from tests.frontier.proving import Pool
from tests.kept import made_once

SHOTS = ("front", "rear")
_numbers = itertools.count(1)


def when(project: str, of: str, *classes: str, **more: Any) -> dict[str, Any]:
    return {"project": project, "shots": [], "of": of, "is": list(classes)} | more


#: A wash is "functional" here, as the pool's classes are called, and its absence "defective".
RULES = [
    {"outcome": "failed", "when": [when("damage", "any", "dent")]},
    {"outcome": "passed", "when": [when("wash", "any", "functional")]},
]


class Washes:
    """``wash`` is a pool with a champion; ``damage`` asks another question of the same photos."""

    def __init__(
        self, *, rules: list[Any] | None = None, otherwise: str = "failed", photos: int = 24
    ) -> None:
        self.pool = Pool(photos, slug="wash", strategy="arrival")
        self.admin = self.pool.admin
        self.wash, self.damage = (
            self.pool.project,
            make_project(slug="damage", classes=("none", "dent"), admin=self.pool.admin),
        )
        self.free = iter(self.pool.items)
        self.protocol = Protocol.objects.create(
            slug="car-wash", name="Car wash", asset_kind="car", created_by=self.admin
        )
        self.version = self.publish(RULES if rules is None else rules, otherwise)

    def publish(
        self, rules: list[Any], otherwise: str = "failed", *, optional: tuple[str, ...] = ()
    ) -> ProtocolVersion:
        version = ProtocolVersion.objects.create(
            protocol=self.protocol,
            number=self.protocol.versions.count() + 1,
            passed_name="Certified",
            held_name="Held",
            failed_name="Refused",
            otherwise=otherwise,
            rules=rules,
            note="As agreed",
            created_by=self.admin,
        )
        for position, key in enumerate(SHOTS):
            shot = Shot.objects.create(
                version=version,
                position=position,
                key=key,
                name=key.capitalize(),
                required=key not in optional,
            )
            for project in (self.wash, self.damage):
                Check.objects.create(shot=shot, project=project)
        return version

    def inspect(
        self,
        *,
        shots: tuple[str, ...] = SHOTS,
        happened_at: datetime | None = None,
        submitted: bool = True,
        asset: Asset | None = None,
    ) -> Inspection:
        number = next(_numbers)
        asset = asset or Asset.objects.create(kind="car", identifier=f"12가 {number:04}")
        inspection = Inspection.objects.create(
            protocol=self.protocol,
            version=self.protocol.current,
            external_id=f"wash-{number}",
            asset=asset,
            event="wash",
            happened_at=happened_at or timezone.now() - timedelta(minutes=10),
            origin="api",
            submitted_at=timezone.now() if submitted else None,
        )
        for key in shots:
            self.photograph(inspection, key)
        want_look([inspection.pk])
        return inspection

    def photograph(self, inspection: Inspection, key: str) -> dict[str, Item]:
        """The next free photo for this shot; its items, by project."""
        item = next(self.free)
        shot = Shot.objects.get(version=inspection.version_id, key=key)
        number = inspection.photos.filter(shot=shot).count() + 1
        InspectionPhoto.objects.create(
            inspection=inspection, shot=shot, number=number, image=item.image, sha256=item.image.sha256
        )
        other = Item.objects.create(project=self.damage, image=item.image, name=item.name, random_key=1.0)
        append_arrivals(project=self.damage, item_ids=[other.pk])
        return {"wash": item, "damage": other}

    def items(self, inspection: Inspection, key: str) -> dict[str, Item]:
        photo = InspectionPhoto.objects.current().get(inspection=inspection, shot__key=key)
        return {each.project.slug: each for each in Item.objects.filter(image=photo.image) if each.project}

    def say(self, item: Item, key: str | None, *, tell: bool = True, **fields: Any) -> GroundTruth:
        """As if people had settled it; ``None``: as unusable."""
        project = Project.objects.get(pk=item.project_id or 0)
        before = GroundTruth.objects.filter(item=item, superseded_by__isnull=True).first()
        truth = GroundTruth.objects.create(
            project=project,
            item=item,
            supersedes=before,
            guideline=project.guidelines.get(number=1),
            **(
                {
                    "kind": "class" if key else "unusable",
                    "label_class": project.label_classes.get(key=key) if key else None,
                    "origin": "agreement",
                }
                | fields
            ),
        )
        if tell:
            events.settled.send(sender=Annotation, project=project, item_ids=[item.pk])
        return truth

    def say_all(self, inspection: Inspection, wash: str, damage: str) -> None:
        for key in SHOTS:
            items = self.items(inspection, key)
            self.say(items["wash"], wash)
            self.say(items["damage"], damage)


make_washes = made_once(Washes)


def work() -> list[Job]:
    """Do the jobs that look at inspections, as a worker would."""
    done = []
    while job := Job.objects.filter(kind=KIND, state=JobState.QUEUED).order_by("created_at").first():
        runner.run(job.pk)
        job.refresh_from_db()
        done.append(job)
    return done
