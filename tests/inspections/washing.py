"""A car wash whose inspections are made of rows alone, so that each figure of theirs is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from labeling.catalog.models import Image, Project
from labeling.inspections.models import (
    Asset,
    Check,
    Inspection,
    InspectionPhoto,
    Protocol,
    ProtocolVersion,
    Shot,
    Verdict,
)
from labeling.people.models import User
from tests.factories import make_items, make_project

MACHINE = {"shot": "front", "project": "foam", "by": "machine"}
PERSON = {"shot": "rear", "project": "foam", "by": "people"}


class Wash:
    """A protocol with two shots, of which one project asks. Inspections are an hour apart, the newest first made."""

    def __init__(self, slug: str = "wash") -> None:
        self.project: Project = make_project(slug="foam") if slug == "wash" else make_project()
        self.by: User = self.project.created_by
        self.protocol = Protocol.objects.create(slug=slug, name="Car wash", created_by=self.by)
        self.version = ProtocolVersion.objects.create(
            protocol=self.protocol,
            number=1,
            passed_name="Certified",
            held_name="On hold",
            failed_name="Rejected",
            otherwise="held",
            created_by=self.by,
        )
        self.shots = [
            Shot.objects.create(version=self.version, position=place, key=key, name=key.capitalize())
            for place, key in enumerate(("front", "rear"))
        ]
        for shot in self.shots:
            Check.objects.create(shot=shot, project=self.project)
        self.images = iter([item.image for item in make_items(self.project, 12)])
        self.hours = 0

    def inspect(self, plate: str = "12가3456", *, submitted: bool = True, **fields: Any) -> Inspection:
        asset, _created = Asset.objects.get_or_create(kind="car", identifier=plate)
        self.hours += 1
        at = timezone.now() - timedelta(minutes=self.hours)
        return Inspection.objects.create(
            protocol=self.protocol,
            version=self.version,
            external_id=f"{self.protocol.slug}-{self.hours}",
            asset=asset,
            happened_at=at,
            submitted_at=at if submitted else None,
            origin="api",
            **{"event": "wash", "site": "Gangnam", "photographer": "Minsu"} | fields,
        )

    def judge(self, of: Inspection, outcome: str, minutes: float = 0, **told: Any) -> None:
        """So many minutes after it was handed in."""
        verdict = Verdict.objects.create(
            inspection=of,
            number=of.verdicts.count() + 1,
            outcome=outcome,
            version=self.version,
            by=told.pop("by", None),
            told={"parts": [], "unknown": [], "missing": []} | told,
        )
        # The database says when a verdict was given, and lets nobody change it: the photographer was done before.
        held_for = [*verdict.told["unknown"], *([shot, "", ""] for shot in verdict.told["missing"])]
        Inspection.objects.filter(pk=of.pk).update(
            verdict=verdict, held_for=held_for if outcome == "held" else []
        )
        if outcome != "held":
            done = verdict.created_at - timedelta(minutes=minutes)
            Inspection.objects.filter(pk=of.pk).update(submitted_at=done)

    def photo(self, of: Inspection, shot: int, *faults: str) -> Image | None:
        image = None if faults else next(self.images)
        n = of.photos.filter(shot=self.shots[shot]).count() + 1
        InspectionPhoto.objects.create(
            inspection=of, shot=self.shots[shot], number=n, image=image, faults=list(faults)
        )
        return image
