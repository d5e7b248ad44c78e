"""A head that was trained elsewhere comes in: looked through here, without arrays; read, judged and kept by a worker.

Nothing of it is believed but what it says it learned from, and that only where it is compared: for certificates it counts as
having learned from every ground truth that there was (see docs/decisions/0068-a-head-from-outside.md).
"""

from __future__ import annotations

import hashlib
import uuid

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes
from labeling.jobs.models import Job
from labeling.jobs.services import enqueue
from labeling.learning.features import known_parts
from labeling.learning.head_manifest import Told, read_manifest, wrong
from labeling.learning.models import ModelVersion, Part
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.store import on_disk
from labeling.store.folders import STAGING

JOB_KIND = "register"
#: Under such names heads wait for a worker, in the files that ``inference.artifacts`` reads.
STAGED = "head-"
WEIGHTS, MANIFEST = "head.safetensors", "manifest.json"
#: Bytes. A head is thousands of numbers; a manifest names each photo that it learned from.
MOST_WEIGHTS, MOST_MANIFEST = 64 * 2**20, 32 * 2**20


def register_head(*, project: Project, by: User, head: File[bytes], manifest: File[bytes]) -> Job:
    """The job that makes a model version of it, a challenger like any other; the one under way, if it was sent before.

    ``head``: safetensors, ``manifest``: JSON, both as ``inference.artifacts.save_head`` writes them.

    Raises :class:`Refused`: ``too_large`` (413), ``invalid`` and ``unknown_class`` (422), ``registered`` (409).
    """
    if head.size > MOST_WEIGHTS or manifest.size > MOST_MANIFEST:
        raise Refused(
            "too_large",
            _("A head may have %(head)d\u00a0MB, and its manifest %(manifest)d\u00a0MB.")
            % {"head": MOST_WEIGHTS >> 20, "manifest": MOST_MANIFEST >> 20},
            status=413,
        )
    said = manifest.read()
    told = read_manifest(said)
    _refuse_unfit(project, told)
    weights = head.read()
    if hashlib.sha256(weights).hexdigest() != told.weights_sha256:
        raise wrong("head", _("These are not the weights that the manifest names (weights_sha256)."))
    same = ModelVersion.objects.filter(project=project, manifest__registered=told.weights_sha256).first()
    if same is not None:
        raise Refused(
            "registered",
            _("Version %(number)d is this very head. Nothing was changed.") % {"number": same.number},
        )
    staged = f"{STAGED}{uuid.uuid4()}"
    on_disk.write(STAGING.root / staged / MANIFEST, said)
    on_disk.write(STAGING.root / staged / WEIGHTS, weights)
    STAGING.hand_over(staged)
    with transaction.atomic():
        job = enqueue(
            kind=JOB_KIND,
            queue="gpu",
            project_id=project.pk,
            args={"staged": staged},
            requested_by=by,
            dedupe=f"{JOB_KIND}:{project.pk}:{told.weights_sha256}",
            lock=f"train:{project.pk}",
        )
    if job.args["staged"] != staged:
        STAGING.drop(staged)
    return job


def part_of(project: Project, told: Told) -> Part | None:
    """The backbone on whose vectors the head stands, where it has embedded photos of the project."""
    parts = known_parts(project).values()
    return next((each for each in parts if each.backbone_hash == told.backbone_hash), None)


def sweep() -> None:
    """Drop what waits for no job: its worker was killed once too often."""
    awaited = set(Job.objects.live().filter(kind=JOB_KIND).values_list("args__staged", flat=True))
    for staged in STAGING.names() - awaited:
        if staged.startswith(STAGED):
            STAGING.drop(staged)


def _refuse_unfit(project: Project, told: Told) -> None:
    part = part_of(project, told)
    if part is None:
        known = ", ".join(known_parts(project)) or "–"
        raise wrong(
            "manifest",
            _("No photo of this project is embedded with the backbone of this head. Known: %(known)s.")
            % {"known": known},
        )
    if part.dim != told.dim:
        raise wrong(
            "manifest",
            _("The head takes rows of %(dim)d numbers, and %(backbone)s makes %(own)d.")
            % {"dim": told.dim, "backbone": part.backbone, "own": part.dim},
        )
    known_classes = [each.label_class.key for each in active_classes(project)]
    for key in told.classes:
        if key not in known_classes:
            raise Refused.invalid(
                "manifest",
                _("There is no class “%(key)s” in this project now. Use: %(known)s.")
                % {"key": key[:60], "known": ", ".join(known_classes)},
                code="unknown_class",
            )
