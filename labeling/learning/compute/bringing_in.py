"""A classifier that was trained elsewhere becomes a model version: the first scorer of a project without labels.

It is a version like any other but for where it comes from: scored by the same jobs, compared and promoted by the same rules,
certified by the same random labels. What it learned from is not known, so it has no figures of its own making: they come
with the labels, and so does its calibration, as each training has a head on its logits compete.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from inference import metrics
from inference.backbones import Backbone
from inference.brought_in import Asked, NotTaken, bring
from inference.brought_in.preprocessor import read
from inference.heads import GivenHead
from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, current_guideline
from labeling.catalog.services import log_activity
from labeling.jobs.models import Job
from labeling.learning import services
from labeling.learning.columns import refuse_unknown
from labeling.learning.compute import artifact
from labeling.learning.compute.stores import load_backbone
from labeling.learning.models import BROUGHT_IN, BROUGHT_IN_FAMILY, ModelVersion, Snapshot
from labeling.learning.selectors import champion
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.store.folders import BACKBONES


def bring_in(
    *,
    project: Project,
    model: Path,
    classes: Sequence[str],
    preprocessor: Mapping[str, Any],
    given: Mapping[str, Any],
    says: Literal["auto", "logits", "probabilities"] = "auto",
    licence: str = "",
    by: User | None,
    file: str = "",
    job: Job | None = None,
) -> ModelVersion:
    """The version, promoted where the project has no champion yet; a job embeds what it has to score.

    Args:
        model: an ONNX file, untrusted.
        classes: the project's class key of each of its columns, in their order; several may be one class, and a column
            without a key is left out.
        preprocessor, given: as :func:`inference.brought_in.preprocessor.read`.
        says, licence: as :class:`inference.brought_in.Asked`.
        file: by which name it is known; by default the file's own.
        job: that does it, if one does.

    Raises :class:`Refused`: ``invalid`` (422) for classes that the project does not ask about; ``not_taken`` (422) for a
    file or a preprocessing that is not taken; ``same_model`` (409) for one that is there. :class:`OSError`: no such file.
    """
    known = {each.label_class.key: each.label_class_id for each in active_classes(project)}
    refuse_unknown(project, classes)
    try:
        asked = Asked(tuple(classes), read(preprocessor, given), says, licence)
        folder = bring(model, BACKBONES.root, asked)
    except NotTaken as error:
        raise Refused("not_taken", str(error), status=422) from error
    BACKBONES.put(folder)
    backbone = load_backbone(f"{BROUGHT_IN_FAMILY}{folder}")
    there = ModelVersion.objects.filter(project=project, backbone_hash=backbone.content_hash)
    if (same := there.filter(manifest__origin=BROUGHT_IN).first()) is not None:
        raise Refused(
            "same_model", _("Version %(number)d is this very classifier.") % {"number": same.number}
        )
    relative = f"{project.slug}/{uuid.uuid4()}"
    k = len(asked.kept)
    manifest = artifact.save(
        relative,
        GivenHead.of(asked.kept),
        artifact.OutOfFold(np.zeros(0, dtype=np.int64), np.zeros((0, k))),
        _provenance(project, backbone, file or model.name, asked),
    )
    made: ModelVersion | None = None
    try:
        made = _store(project, relative, manifest, [known[key] for key in asked.kept], asked, by, job)
    finally:
        if made is None:
            artifact.discard(relative)
    return made


def _provenance(project: Project, backbone: Backbone, file: str, asked: Asked) -> dict[str, Any]:
    return {
        "project": project.slug,
        "origin": BROUGHT_IN,
        "licence": asked.licence,
        "file": file,
        **({"columns": list(asked.classes)} if asked.kept != asked.classes else {}),
        "backbone": backbone.name,
        "backbone_hash": backbone.content_hash,
        "backbones": [
            {"backbone": backbone.name, "backbone_hash": backbone.content_hash, "dim": backbone.dim}
        ],
        "seed": 0,
        "ground_truths": 0,
        "unusable_photos": 0,
    }


@transaction.atomic
def _store(
    project: Project,
    relative: str,
    manifest: dict[str, Any],
    class_ids: list[int],
    asked: Asked,
    by: User | None,
    job: Job | None,
) -> ModelVersion:
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # numbers go up by one
    nothing = np.zeros(0, dtype=np.int64)
    snapshot = Snapshot.objects.create(
        project=project,
        guideline=current_guideline(project),
        ground_truth_ids=[],
        digest=hashlib.sha256().hexdigest(),
        counts=dict.fromkeys(asked.kept, 0),
    )
    newest = ModelVersion.objects.filter(project=project).aggregate(newest=Max("number"))["newest"] or 0
    made = ModelVersion.objects.create(
        project=project,
        number=newest + 1,
        snapshot=snapshot,
        job=job,
        backbone=manifest["backbone"],
        backbone_hash=manifest["backbone_hash"],
        classes=class_ids,
        artifact=relative,
        manifest=manifest,
        metrics={
            "order": list(asked.kept),
            "cross_validated": metrics.evaluate(np.zeros((0, len(class_ids))), nothing, asked.kept),
            "audit": None,
            "backbones": None,
        },
        created_by=by,
    )
    log_activity(
        project=project, kind="model_brought_in", actor=by, number=made.number, file=manifest["file"]
    )
    services.request_embedding(project=project, by=by)
    if champion(project) is None:
        services.promote(model_version=made, by=by, reason=_("The first scorer, brought in"))
    return made
