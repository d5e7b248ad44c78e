"""A protocol of two shots, and what somebody with a link does."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image as PillowImage
from PIL import ImageFilter

from labeling.catalog.models import Project
from labeling.inspections.capture.links import make_link, token_of
from labeling.inspections.models import CaptureLink, Protocol
from labeling.inspections.services import create_protocol
from tests.factories import make_project, make_user, photo_bytes

KEY = "5b0a6a1e-6c1b-4d47-9a52-0d3b6a3f8f10"
SHOTS: list[dict[str, Any]] = [
    {
        "key": "front",
        "name": "Front",
        "outline": "car-front",
        "advice": "Step back until both wheels are inside.",
    },
    {"key": "rear", "name": "Rear", "outline": "car-rear"},
]


def make_protocol(
    project: Project | None = None, *, shots_project: Project | None = None, **shot: Any
) -> Protocol:
    """``shot``: what all its shots have beside."""
    project = project or make_project()
    admin = make_user(is_superuser=True)
    return create_protocol(
        by=admin,
        slug=f"wash-{project.pk}",
        name="Car wash",
        shots=[{"min_sharpness": 50.0, "checks": [project.slug], **each, **shot} for each in SHOTS],
        shots_project=shots_project,
    )


def make(protocol: Protocol, **said: Any) -> CaptureLink:
    given = {"identifier": "12가 3456", "event": "wash", "expires_at": timezone.now() + timedelta(hours=1)}
    return make_link(protocol=protocol, by=protocol.created_by, **(given | said))


def address(link: CaptureLink, what: str = "api-capture") -> str:
    return reverse(what, args=[token_of(link)])


def send(link: CaptureLink, shot: str, data: bytes, client: Client | None = None, **more: Any) -> Any:
    file = io.BytesIO(data)
    file.name = "photo.jpg"
    body = {"shot": shot, "photo": file, "key": KEY} | more.pop("fields", {})
    return (client or Client()).post(address(link, "api-capture-photos"), body, **more)


def blurred(seed: int = 0) -> bytes:
    picture = PillowImage.open(io.BytesIO(photo_bytes(seed))).convert("RGB")
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(6)).save(out, "PNG")
    return out.getvalue()


def saved_anew(data: bytes) -> bytes:
    out = io.BytesIO()
    PillowImage.open(io.BytesIO(data)).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()
