"""The jobs of a model that was sent: what it is and says of photos; then, the version that it becomes."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Max, Min
from django.utils.translation import gettext_noop

from inference import brought_in
from inference.backbones.preprocessing import Preprocessing
from inference.brought_in import Asked, NotTaken
from inference.brought_in.folder import load
from inference.brought_in.preprocessor import read
from inference.embed import Embedder
from inference.heads import GivenHead
from labeling.catalog import storage
from labeling.catalog.class_names import meant
from labeling.catalog.models import Item, Project
from labeling.catalog.selectors import active_classes
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute.bringing_in import bring_in
from labeling.learning.compute.embedding import project_of
from labeling.learning.importing import services
from labeling.learning.importing.reasons import GONE
from labeling.learning.models import ModelVersion
from labeling.refusals import Refused
from labeling.store.folders import STAGING

#: Photos that a model is tried on.
PHOTOS = 12
_SHOWN = ("size", "resize", "squash", "mean", "std", "interpolation")


def look(progress: Progress) -> dict[str, Any]:
    """Returns {found: ``inference.brought_in.look``, asked: what is proposed or was said (a class is null where nothing
    speaks for one), tried: {classes, says, milliseconds, photos [{item, scores}], unread} or null, refused: why it could not
    be tried so}. Raises :class:`JobError` where the file is not taken.
    """
    project, staged = project_of(progress), str(progress.args["staged"])
    model = _model(staged)
    progress.report(0, 2, gettext_noop("Reading the file"))
    try:
        found = progress.args.get("found") or brought_in.look(model)
        asked = progress.args.get("asked") or _proposed(project, found, _said_of_photos(model))
    except NotTaken as error:
        STAGING.drop(staged)
        raise JobError(str(error)) from error
    told = {"found": found, "asked": asked, "tried": None, "refused": ""}
    if None in asked["classes"] or asked["size"] is None:
        return told
    progress.report(1, 2, gettext_noop("Trying it on photos"))
    try:
        return told | {"tried": _tried(project, model, asked)}
    except NotTaken as error:
        return told | {"refused": str(error)}


def take(progress: Progress) -> dict[str, Any]:
    """Returns {model: its number}. Raises :class:`JobError` with why it is not taken."""
    project, args = project_of(progress), progress.args
    made = ModelVersion.objects.filter(job=progress.job).first()
    if made is None:
        progress.report(0, 1, gettext_noop("Checking the file"))
        asked = args["asked"]
        try:
            made = bring_in(
                project=project,
                model=_model(args["staged"]),
                classes=asked["classes"],
                preprocessor={},
                given=_shown(asked),
                says=asked["says"],
                licence=asked["licence"],
                by=progress.job.requested_by,
                file=args["file"],
                job=progress.job,
            )
        except Refused as refusal:
            raise JobError(refusal.message) from refusal
    STAGING.drop(args["staged"])
    return {"model": made.number}


def _model(staged: str) -> Path:
    try:
        model = STAGING.get(staged) / services.FILE
    except FileNotFoundError as error:
        raise JobError(GONE) from error
    if not model.is_file():
        raise JobError(GONE)
    return model


def _said_of_photos(model: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((model.parent / services.PREPROCESSOR).read_bytes())
    return told


def _proposed(project: Project, found: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What speaks for itself: names of columns as classes are called here, and the square that the input has."""
    names = found["names"]
    columns = 2 if found["columns"] == 1 else found["columns"] or len(names) or len(active_classes(project))
    means = meant(project, names)
    size = told.get("size") or found["size"]
    if told:
        look = read(told, {} if told.get("size") else {"size": size or services.LEAST_SIDE})
    else:
        said: dict[str, Any] = {key: tuple(found[key]) for key in ("mean", "std") if found[key]}
        side = size or services.LEAST_SIDE
        look = Preprocessing(side, side, **said)
    shown = {name: getattr(look, name) for name in _SHOWN}
    if not size:  # any side stood for it
        shown |= {"size": None, "resize": None}
    return {
        "classes": [means.get(name) for name in names] or [None] * columns,
        **shown,
        "mean": list(look.mean),
        "std": list(look.std),
        "says": "auto",
        "licence": "",
    }


def _shown(asked: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: asked[name] for name in _SHOWN}
    return shown | {"mean": tuple(asked["mean"]), "std": tuple(asked["std"])}


def _tried(project: Project, model: Path, said: Mapping[str, Any]) -> dict[str, Any]:
    asked = Asked(tuple(said["classes"]), read({}, _shown(said)), said["says"])
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / brought_in.bring(model, Path(root), asked)
        manifest = brought_in.read_manifest(folder)
        embedder = Embedder(load(folder, name="onnx:tried"), max_pixels=settings.INTAKE_MAX_PIXELS)
        head = GivenHead.of(asked.kept)
        photos, unread = [], 0
        for item in _some_photos(project):
            try:
                data = storage.original_of(item.image.sha256)
            except OSError:
                unread += 1
                continue
            batch = embedder.few([(item.image.sha256, data)])
            if batch.keys:
                (scores,) = np.asarray(head.predict_proba(batch.vectors), dtype=np.float64)
                photos.append({"item": item.pk, "scores": [round(float(each), 4) for each in scores]})
            unread += len(batch.failures)
    return {
        "classes": list(asked.kept),
        "says": manifest["says"],
        "milliseconds": manifest["milliseconds"],
        "photos": photos,
        "unread": unread,
    }


def _some_photos(project: Project) -> list[Item]:
    """The same at each trial, while the project has the same: by numbers drawn from between its first and its last."""
    ends = Item.objects.filter(project=project).aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return []
    dice = random.Random(0)
    found: dict[int, Item] = {}
    span = range(ends["first"], ends["last"] + 1)
    for place in dice.sample(span, min(3 * PHOTOS, len(span))):
        items = Item.objects.filter(project=project, pk__gte=place, image__size__gt=0)
        item = items.select_related("image").order_by("pk").first()
        if item is not None:
            found[item.pk] = item
        if len(found) == PHOTOS:
            break
    return list(found.values())
