"""A photo is sent to find those like it. It comes into no project: a worker embeds it, and its bytes are gone."""

from __future__ import annotations

import hashlib
import uuid

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog import erased
from labeling.catalog.intake.handing_in import sent_name
from labeling.catalog.models import Item, Project
from labeling.catalog.name_encodings import kept_path, read
from labeling.catalog.photos import PhotoRefused, judge_header
from labeling.explorer.models import AskedPhoto
from labeling.explorer.spaces import current_space
from labeling.jobs.services import enqueue
from labeling.learning.features import embedding_failed
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.store import on_disk
from labeling.store.folders import STAGING

JOB_KIND = "like"
STAGED = "asked-"
FILE = "photo"
#: Somebody waits for it.
SOON = 5


def ask_alike(*, project: Project, by: User, photo: File[bytes] | None) -> str:
    """The SHA-256 under which photos like the sent one are searched from now on, once a worker has embedded it.

    Raises :class:`Refused`: ``nothing_sent`` (422), ``not_ready`` (409) where the project's photos have no places yet, and
    what a photo at intake is refused for by its first bytes (422, ``too_large`` 413).
    """
    if photo is None:
        raise Refused.invalid("photo", _("No photo was sent. Choose one."), code="nothing_sent")
    if photo.size > settings.INTAKE_MAX_BYTES:
        raise PhotoRefused("too_large")
    data = photo.read()
    judge_header(data)
    sha256 = hashlib.sha256(data).hexdigest()
    if Item.objects.filter(project=project, image__sha256=sha256).exists():
        return sha256
    if erased.listed(project, [sha256]):  # its name and hash would be kept for a week
        raise PhotoRefused(erased.REASON)
    space = current_space(project)
    if space is None:
        failed = embedding_failed(project)
        raise Refused(
            "not_ready",
            failed
            or _("The photos of this project have no embeddings to compare with yet. Look again later."),
        )
    earlier = AskedPhoto.objects.filter(space=space, sha256=sha256).select_related("job").first()
    if earlier is not None and (earlier.vector or earlier.job.is_live):
        return sha256
    staged = f"{STAGED}{uuid.uuid4()}"
    on_disk.write(STAGING.root / staged / FILE, data)
    STAGING.hand_over(staged)
    with transaction.atomic():
        job = enqueue(
            kind=JOB_KIND,
            project_id=project.pk,
            args={"staged": staged, "space": space.pk, "sha256": sha256},
            requested_by=by,
            priority=SOON,
        )
        AskedPhoto.objects.update_or_create(
            space=space,
            sha256=sha256,
            defaults={"name": _named(photo) or sha256[:12], "job": job, "created_by": by},
        )
    return sha256


def _named(photo: File[bytes]) -> str:
    return kept_path(read(sent_name(photo), "utf-8")).rpartition("/")[2][:400]
