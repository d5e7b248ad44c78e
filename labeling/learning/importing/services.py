"""A model is sent, tried as often as somebody likes, and taken as it was tried last. The work is a worker's (``compute``).

Jobs hold what is known of it: what the file says of itself, what was said of it, and what it said of photos.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.intake.handing_in import sent_name
from labeling.catalog.models import Project
from labeling.catalog.name_encodings import kept, read
from labeling.jobs.models import Job, JobQuerySet, JobState
from labeling.jobs.services import enqueue
from labeling.learning.columns import refuse_unknown
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.store import on_disk
from labeling.store.folders import STAGING

LOOK, TAKE = "look_at_model", "import_model"
#: Under such names models wait: a folder each.
STAGED, FILE, PREPROCESSOR = "model-", "model.onnx", "preprocessor.json"
#: Bytes: as ``inference.brought_in`` takes it; and of a ``preprocessor_config.json``.
MOST_MODEL, MOST_PREPROCESSOR = 2**30, 64 * 2**10
#: Sides of the square that a network may be shown, pixels, as ``inference.brought_in.preprocessor`` has them.
LEAST_SIDE, MOST_SIDE = 16, 2048
LONGEST_LICENCE = 300
#: So long a model that was sent can be tried and taken.
KEPT_FOR = timedelta(days=7)
#: An admin looks at the page and waits.
SOON = 5
#: What the beginnings of other files say they are.
_OTHERS = {b"PK\x03\x04": "PyTorch", b"\x80\x02": "pickle", b"\x89HDF": "Keras HDF5"}


def send_model(
    *, project: Project, by: User, model: File[bytes], preprocessor: File[bytes] | None = None
) -> Job:
    """The job that looks at an ONNX file, proposes what its columns are and how photos are shown to it, and tries it.

    ``preprocessor``: Hugging Face's ``preprocessor_config.json``, which says how photos are shown.

    Raises :class:`Refused`: ``nothing_sent`` and ``invalid`` (422), ``too_large`` (413), ``under_way`` (409).
    """
    _refuse_unfit(model)
    told = _read(preprocessor) if preprocessor is not None else b"{}"
    _refuse_second(project)
    name = kept(read(sent_name(model), "latin-1").replace("\\", "/").rpartition("/")[2])[-200:] or FILE
    folder = STAGING.root / f"{STAGED}{uuid.uuid4()}"
    try:
        folder.mkdir(parents=True)
        with (folder / FILE).open("wb") as out:
            for chunk in model.chunks():
                out.write(chunk)
        (folder / PREPROCESSOR).write_bytes(told)
        on_disk.sync_disk(folder)
        STAGING.hand_over(folder.name)
        return _enqueue(LOOK, project, by, {"staged": folder.name, "file": name})
    except BaseException:
        STAGING.drop(folder.name)
        raise


def try_model(
    *,
    look: Job,
    project: Project,
    by: User,
    classes: Sequence[str],
    size: int,
    resize: int | None = None,
    squash: bool = False,
    mean: Sequence[float],
    std: Sequence[float],
    interpolation: str = "bilinear",
    says: str = "auto",
    licence: str = "",
) -> Job:
    """The job that tries a model again, with other columns or photos shown otherwise.

    ``classes``: the class key of each column, or nothing where it is left out. The rest as
    ``inference.backbones.preprocessing`` has it; ``resize``: by default the size.

    Raises :class:`Refused`: ``invalid`` (422), ``too_late`` and ``under_way`` (409).
    """
    refuse_unknown(project, classes)
    if resize is not None and resize < size:
        raise Refused.invalid(
            "resize", _("A photo cannot be made smaller than the square that is cut out of it.")
        )
    if min(std) <= 0:
        raise Refused.invalid("std", _("A standard deviation is more than 0."))
    _refuse_late(look, project)
    _refuse_second(project)
    asked = {
        "classes": list(classes), "size": size, "resize": resize or size, "squash": squash, "mean": list(mean),
        "std": list(std), "interpolation": interpolation, "says": says, "licence": licence[:LONGEST_LICENCE],
    }  # fmt: skip
    found = (look.result or {}).get("found") or look.args.get("found")
    return _enqueue(LOOK, project, by, look.args | {"asked": asked, "found": found})


def take_model(*, look: Job, project: Project, by: User) -> Job:
    """The job that makes a version of a model, as it was tried by ``look``.

    Raises :class:`Refused` (409): ``not_tried``, ``too_late``, ``under_way``; and ``invalid`` (422) where a class is gone.
    """
    told = look.result or {}
    if look.state != JobState.SUCCEEDED or told.get("tried") is None:
        raise Refused(
            "not_tried", _("Try the model on photos of the project first: then it can be imported.")
        )
    refuse_unknown(project, told["asked"]["classes"])
    _refuse_late(look, project)
    _refuse_second(project)
    given = {
        "staged": look.args["staged"],
        "file": look.args["file"],
        "asked": told["asked"],
        "look": str(look.pk),
    }
    return _enqueue(TAKE, project, by, given)


def jobs(project: Project) -> JobQuerySet:
    """Newest first."""
    found = Job.objects.of_project(project.pk).filter(kind__in=(LOOK, TAKE))
    return found.select_related("requested_by").order_by("-created_at")


def look_of(project: Project, job_id: UUID) -> Job:
    job = jobs(project).filter(kind=LOOK, pk=job_id).first()
    if job is None:
        raise Http404(_("There is no such job in this project."))
    return job


def sweep() -> None:
    """Drop what nobody took in time, and what was taken."""
    recent = Job.objects.filter(kind__in=(LOOK, TAKE), created_at__gt=timezone.now() - KEPT_FOR)
    taken = recent.filter(kind=TAKE, state=JobState.SUCCEEDED).values("args__staged")
    kept_ones = {*recent.exclude(args__staged__in=taken).values_list("args__staged", flat=True)}
    kept_ones |= {*Job.objects.live().filter(kind__in=(LOOK, TAKE)).values_list("args__staged", flat=True)}
    for staged in STAGING.names() - kept_ones:
        if staged.startswith(STAGED):
            STAGING.drop(staged)


def _refuse_unfit(model: File[bytes]) -> None:
    if not model.size:
        raise Refused.invalid("model", _("The file is empty. Choose another one."), code="nothing_sent")
    if model.size > MOST_MODEL:
        raise Refused("too_large", _("A model may have %(n)d\u00a0MB.") % {"n": MOST_MODEL >> 20}, status=413)
    begins = model.read(4)
    model.seek(0)
    for beginning, what in _OTHERS.items():
        if begins.startswith(beginning):
            raise Refused.invalid(
                "model",
                _("This is a file of %(what)s, and no ONNX. Export the model as ONNX where it was trained.")
                % {"what": what},
            )


def _read(preprocessor: File[bytes]) -> bytes:
    """As it was sent, if it is a JSON object."""
    said: bytes = preprocessor.read(MOST_PREPROCESSOR + 1)
    try:
        told = json.loads(said) if len(said) <= MOST_PREPROCESSOR else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Refused.invalid(
            "preprocessor",
            _("This is no JSON object. Send Hugging Face's preprocessor_config.json, or none."),
        )
    return said


def _refuse_late(look: Job, project: Project) -> None:
    taken = jobs(project).filter(kind=TAKE, state=JobState.SUCCEEDED, args__staged=look.args["staged"])
    if look.created_at < timezone.now() - KEPT_FOR or taken.exists():
        raise Refused("too_late", _("This file was taken, or is not kept any more. Send it again."))


def _refuse_second(project: Project) -> None:
    live = jobs(project).live().first()
    if live is not None:
        raise _under_way(live)


def _under_way(job: Job) -> Refused:
    return Refused(
        "under_way",
        _("A model is being looked at or imported. Wait until that is over, or cancel it."),
        fields={"job": str(job.pk)},
    )


@transaction.atomic
def _enqueue(kind: str, project: Project, by: User, args: dict[str, Any]) -> Job:
    # One at a time of a project: a page shows one.
    job = enqueue(
        kind=kind,
        project_id=project.pk,
        args=args,
        requested_by=by,
        dedupe=f"{LOOK}:{project.pk}",
        lock=f"train:{project.pk}" if kind == TAKE else None,
        priority=SOON,
    )
    if job.args != args or job.kind != kind:
        raise _under_way(job)
    return job
