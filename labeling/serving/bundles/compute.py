"""A model version written into a folder or one zip, whole: for the job ``bundle`` and for ``manage.py bundle``."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from inference.backbones import Backbone, UnknownBackbone, WeightsError
from inference.bundle.licences import licence_of
from inference.bundle.parts import MOST_APART, CannotTakeOut, differences, write_parts
from inference.heads import Head
from labeling.jobs.progress import JobError, Progress
from labeling.learning.compute import artifact
from labeling.learning.compute.embedding import project_of
from labeling.learning.compute.stores import load_backbone, networks_folder, vectors_of
from labeling.learning.models import DomainBackbone, ModelVersion
from labeling.learning.selectors import class_keys
from labeling.learning.selectors import version as version_of
from labeling.serving.bundles import registries
from labeling.serving.bundles.manifest import manifest_of
from labeling.store.folders import BUNDLES
from labeling.truth.models import GroundTruth

MANIFEST, FILE = "manifest.json", "bundle.zip"
#: Photos by whose vectors the head's ONNX form is held against the head.
_HELD_AGAINST = 64


def make_bundle(progress: Progress) -> dict[str, Any]:
    """The job ``bundle``: the version's bundle in the store, in the place of the project's earlier ones.

    Returns {version, folder, sha256, bytes}.
    """
    project = project_of(progress)
    version = version_of(project, int(progress.args["version"]))
    if version is None:
        raise JobError("This version is gone. Ask for the bundle of another one.")
    progress.report(0, 1, gettext_noop("Writing the bundle"))
    relative = f"{project.slug}/{progress.job.pk}"
    folder = BUNDLES.root / relative
    folder.mkdir(parents=True, exist_ok=True)
    manifest = write_zip(version, folder / FILE)
    (folder / MANIFEST).write_text(_json(manifest), "utf-8")
    progress.check()
    told = {"sha256": _sha256(folder / FILE), "bytes": (folder / FILE).stat().st_size}
    BUNDLES.put(relative)
    for name in BUNDLES.names(project.slug) - {str(progress.job.pk)}:
        BUNDLES.drop(f"{project.slug}/{name}")
    return {"version": version.number, "folder": relative, **told}


def write_zip(version: ModelVersion, file: Path) -> dict[str, Any]:
    """As :func:`write_folder`, into one zip; networks hardly compress, so nothing is."""
    with tempfile.TemporaryDirectory() as place:
        manifest = write_folder(version, Path(place))
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for each in sorted(Path(place).rglob("*")):
                if each.is_file():
                    archive.write(each, each.relative_to(place))
    return manifest


def write_folder(version: ModelVersion, folder: Path) -> dict[str, Any]:
    """Write the bundle into an empty folder; its manifest.

    Raises :class:`JobError`: files that are gone, a network or a head that has no ONNX form.
    """
    head = artifact.load(version)
    backbones = [_backbone(part.backbone, part.backbone_hash) for part in version.parts]
    try:
        config = write_parts(folder, backbones, head, class_keys(version), cache_dir=networks_folder())
    except CannotTakeOut as error:
        raise JobError(f"Version {version.number} cannot be taken out. {error}") from error
    _hold_against(version, head, folder)
    for network in config["networks"]:
        network["licence"] = licence_of(_of_publisher(network["name"]))
    manifest = manifest_of(version, config)
    (folder / MANIFEST).write_text(_json(manifest), "utf-8")
    for name, text in registries.files(manifest).items():
        (folder / name).write_text(text, "utf-8")
    return manifest


def _backbone(name: str, content_hash: str) -> Backbone:
    try:
        found = load_backbone(name)
    except (UnknownBackbone, WeightsError) as error:
        raise JobError(str(error)) from error
    if found.content_hash != content_hash:
        raise JobError(
            f"{name} is not what it was when this version was trained: its weights or the decoder of photos changed. Train "
            f"again, promote the new version, and take that out."
        )
    return found


def _hold_against(version: ModelVersion, head: Head, folder: Path) -> None:
    """Nothing leaves that says something else than the version does, on photos that it learned from."""
    ids = version.snapshot.ground_truth_ids[:_HELD_AGAINST]
    hashes = list(GroundTruth.objects.filter(pk__in=ids).values_list("item__image__sha256", flat=True))
    vectors = vectors_of(version)
    lacking = set(vectors.missing(hashes))
    rows = vectors.rows([each for each in hashes if each not in lacking])
    if len(rows) and (apart := differences(folder, head, rows)) > MOST_APART:
        raise JobError(
            f"In ONNX the head of version {version.number} says something else: probabilities differ by {apart:.1e}. This "
            f"is an error of Hilltop. Please report it."
        )


def _of_publisher(name: str) -> str:
    """The network that a domain backbone was fitted from."""
    while (adapted := DomainBackbone.objects.filter(name=name).first()) is not None:
        name = adapted.base
    return name


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
