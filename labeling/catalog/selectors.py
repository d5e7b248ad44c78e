"""What the catalog knows, read. No writes, and no permissions but to see a photo: views ask those first."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse

from labeling.catalog import events, renditions, shown
from labeling.catalog.file_counts import files_by_outcome
from labeling.catalog.intake.handing_in import latest_job
from labeling.catalog.models import (
    Activity,
    ClassDefinition,
    ClassState,
    Exemplar,
    Guideline,
    Image,
    IntakeBatch,
    IntakeFile,
    IntakeOutcome,
    Item,
    Likeness,
    Membership,
    Project,
)
from labeling.catalog.renditions import VARIANTS
from labeling.database.read_once import is_looking, read_once
from labeling.jobs.models import Job


@read_once
def versions_of(project: Project) -> list[Guideline]:
    """All of them, oldest first."""
    return list(Guideline.objects.filter(project=project).select_related("objection").order_by("number"))


def current_guideline(project: Project) -> Guideline:
    """The newest version; every project has one. A page asks for the others too, so it reads all at once."""
    if is_looking():
        return versions_of(project)[-1]
    return Guideline.objects.filter(project=project).order_by("-number")[:1].get()


@lru_cache(maxsize=512)
def guideline(guideline_id: int) -> Guideline:
    """A version by id. Kept in memory: the database refuses to change it. Read only."""
    return Guideline.objects.get(pk=guideline_id)


def definitions_of(guideline: Guideline) -> QuerySet[ClassDefinition]:
    """What this version says of every class there ever was, in order, with exemplars and their images at hand."""
    return (
        ClassDefinition.objects.filter(guideline=guideline)
        .select_related("label_class", "merged_into")
        .prefetch_related(Prefetch("exemplars", Exemplar.objects.select_related("image")))
        .order_by("position")
    )


def active_definitions(project: Project) -> list[ClassDefinition]:
    """The classes in use under the newest version, in order, with exemplars and their images at hand."""
    return list(_active(current_guideline(project)))


def active_classes(project: Project) -> list[ClassDefinition]:
    """The same without exemplars, from memory. Read only."""
    return [row for row in schema_of(current_guideline(project).pk) if row.state == ClassState.ACTIVE]


@read_once
def _active(guideline: Guideline) -> tuple[ClassDefinition, ...]:
    return tuple(definitions_of(guideline).filter(state=ClassState.ACTIVE))


@lru_cache(maxsize=512)
def schema_of(guideline_id: int) -> tuple[ClassDefinition, ...]:
    """What a version says of every class, in order, without exemplars. Read only.

    Kept in memory: a version is appended whole, and the database refuses to change it afterwards.
    """
    rows = ClassDefinition.objects.filter(guideline=guideline_id).select_related("label_class")
    return tuple(rows.order_by("position"))


def class_names(guideline: Guideline) -> dict[int, str]:
    """Class id -> name, also of merged and retired ones: old answers keep the name that this version gives."""
    return {definition.label_class_id: definition.name for definition in schema_of(guideline.pk)}


def class_names_by_key(guideline: Guideline) -> dict[str, str]:
    """Class key -> the name that this version gives, also of merged and retired ones."""
    return {definition.label_class.key: definition.name for definition in schema_of(guideline.pk)}


def class_keys(project: Project) -> dict[int, str]:
    """Class id -> key, of every class there ever was."""
    rows = schema_of(current_guideline(project).pk)
    return {row.label_class_id: row.label_class.key for row in rows}


def class_resolution(project: Project, guideline: Guideline | None = None) -> dict[int, int | None]:
    """Label class id -> the id that its answers count for today: itself, what it was merged into, or ``None``.

    ``guideline`` spares a look-up where the newest version is at hand.
    """
    rows = {row.label_class_id: row for row in schema_of((guideline or current_guideline(project)).pk)}

    def follow(class_id: int) -> int | None:
        seen: set[int] = set()
        while True:
            row = rows.get(class_id)
            if row is None or row.state == ClassState.RETIRED or class_id in seen:
                return None
            if row.merged_into_id is None:
                return class_id
            seen.add(class_id)
            class_id = row.merged_into_id

    return {class_id: follow(class_id) for class_id in rows}


def photo_urls(image: Image) -> dict[str, str]:
    """Variant ("screen", "thumb") -> address. It says content and version, so it may be cached for ever."""
    return {variant: photo_url(image.sha256, variant) for variant in VARIANTS}


def photo_url(sha256: str, variant: str) -> str:
    return reverse("photo", args=[sha256, renditions.made_with(shown.levels()), variant])


def tiles_url(image: Image) -> str | None:
    """Address of the photo's own pixels, with ``{x}`` and ``{y}`` for a tile's column and row (from 0).

    ``None`` where the screen picture holds every pixel.
    """
    if renditions.is_whole(image.width, image.height):
        return None
    first = reverse("photo-tile", args=[image.sha256, renditions.made_with(shown.levels()), 0, 0])
    return first.removesuffix("0-0.webp") + "{x}-{y}.webp"


def members(project: Project) -> QuerySet[Membership]:
    return Membership.objects.filter(project=project).select_related("user").order_by("user__username")


def activity(project: Project, *, limit: int = 50) -> list[Activity]:
    """The newest ``limit`` lines of the project's diary, newest first."""
    return list(Activity.objects.filter(project=project).select_related("actor").order_by("-id")[:limit])


def may_see_photo(user: Any, sha256: str) -> bool:
    """One indexed query: a project of the person's holds the image, shows it as an exemplar, or has it set aside. Only where
    none does, the rooms above are asked."""
    if not user.is_authenticated or not user.is_active:
        return False
    mine = Project.objects.for_member(user)
    held = Item.objects.filter(image=OuterRef("pk"), project__in=mine)
    shown = ClassDefinition.objects.filter(exemplars__image=OuterRef("pk"), guideline__project__in=mine)
    aside = Likeness.objects.filter(image=OuterRef("pk"), project__in=mine, set_aside=True)
    seen = Q(Exists(held)) | Q(Exists(shown)) | Q(Exists(aside))
    if Image.objects.filter(sha256=sha256).filter(seen).exists():
        return True
    return any(yes for _receiver, yes in events.photo_shown.send(sender=Image, user=user, sha256=sha256))


def sources(project: Project) -> list[str]:
    """Where the project's photos came from, by its intakes (not by its photos: those may be many)."""
    named = IntakeBatch.objects.filter(project=project).order_by("source").values_list("source", flat=True)
    return [source[-200:] for source in named.distinct()[:200] if source]


def open_folders(*, limit: int = 200) -> list[str]:
    """The folders directly below the intake roots, as suggestions."""
    found: list[str] = []
    for root in map(Path, settings.INTAKE_ROOTS):
        if root.is_dir():
            found += [
                str(path)
                for path in sorted(root.iterdir())
                # A name that is no text can be shown to nobody; its photos come in with the folder around it.
                if path.is_dir() and path.name[0] != "." and path.name.isprintable()
            ]
    return found[:limit]


def intake_batches(project: Project, *, limit: int = 50) -> list[dict[str, Any]]:
    """The newest intakes as dicts: ``batch``, ``job`` and ``counts`` (outcome -> files)."""
    batches = list(
        IntakeBatch.objects.filter(project=project)
        .select_related("created_by")
        .order_by("-created_at")[:limit]
    )
    counts = files_by_outcome(batches)
    jobs: dict[str, Job] = {}
    for job in (
        Job.objects.of_project(project.pk)
        .filter(kind="intake", args__batch__in=[str(batch.pk) for batch in batches])
        .order_by("created_at")
    ):
        jobs[job.args["batch"]] = job
    return [{"batch": b, "job": jobs.get(str(b.pk)), "counts": counts[b.pk]} for b in batches]


def intake_batch(project: Project, batch_id: Any) -> IntakeBatch | None:
    return (
        IntakeBatch.objects.select_related("project", "created_by")
        .filter(project=project, pk=batch_id)
        .first()
    )


def intake_report(batch: IntakeBatch, *, refused_limit: int = 200) -> dict[str, Any]:
    """How an intake stands: ``batch``, ``job`` (its latest), ``total``, ``done``, ``counts`` (outcome -> files),
    ``state``, and ``refused`` (the first ``refused_limit`` refused files, each with ``reason`` and ``detail``).

    ``state``: "running", "finished", "stopped" (files are pending and no job is under way), or "failed".
    """
    counts = files_by_outcome([batch])[batch.pk]
    total = sum(counts.values())
    job = latest_job(batch)
    if job is not None and job.is_live:
        state = "running"
    elif job is not None and job.state == "failed":
        state = "failed"
    elif counts[IntakeOutcome.PENDING] or (job is not None and job.state == "cancelled" and not total):
        state = "stopped"
    else:
        state = "finished"
    return {
        "batch": batch,
        "job": job,
        "state": state,
        "total": total,
        "done": total - counts[IntakeOutcome.PENDING],
        "counts": counts,
        "refused": list(refused_files(batch)[:refused_limit]),
    }


def refused_files(batch: IntakeBatch) -> QuerySet[IntakeFile]:
    return batch.files.filter(outcome=IntakeOutcome.REFUSED).order_by("id")
