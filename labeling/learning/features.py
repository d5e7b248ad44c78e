"""The feature store's question: by which backbones, as of when. Without arrays: a web process asks it.

A vector is settled by the photo's bytes and the backbone's weights, so none ever changes. What changes over time is which
version serves, and which photos there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.jobs.models import Job, JobState
from labeling.learning import selectors
from labeling.learning.models import DomainBackbone, ModelVersion, Part, Promotion
from labeling.refusals import Refused

#: Versions and jobs in which a backbone's name is looked for, the newest first.
_NEWEST = 100


@dataclass(frozen=True)
class Features:
    """Whose vectors make up a row, side by side. ``version``: the one whose head takes such rows, where one was meant."""

    parts: tuple[Part, ...]
    version: ModelVersion | None


def champion_at(project: Project, moment: datetime) -> ModelVersion | None:
    """The version in service at ``moment``; ``None`` before the first promotion."""
    latest = Promotion.objects.filter(project=project, created_at__lte=moment).select_related("model_version")
    found = latest.first()
    return found.model_version if found else None


def features_of(
    project: Project,
    *,
    version: ModelVersion | None = None,
    backbone: str = "",
    as_of: datetime | None = None,
) -> Features:
    """Those of a version or of one backbone; else of the champion (at ``as_of``), and without one of the project's backbone.

    Raises :class:`Refused`: ``invalid`` (422) for a backbone that has embedded none of the project's photos, or where both
    are named; ``not_ready`` (409) before the first photo is embedded.
    """
    if version is not None and backbone:
        raise Refused.invalid("backbone", _("Name a version or a backbone, not both."))
    if not backbone:
        version = version or (champion_at(project, as_of) if as_of else selectors.champion(project))
        if version is not None:
            return Features(tuple(version.parts), version)
    known = known_parts(project)
    wanted = backbone or project.backbone_name
    if wanted in known:
        return Features((known[wanted],), None)
    if not backbone:
        failed = embedding_failed(project)
        raise Refused(
            "not_ready",
            failed
            or _("The photos of this project have no embeddings yet. Look again when they are embedded."),
        )
    message = _("No photo of this project is embedded with it. Known: %(known)s.") % {
        "known": ", ".join(known) or "–"
    }
    raise Refused.invalid("backbone", message)


def known_parts(project: Project) -> dict[str, Part]:
    """By name, the backbones that embedded the project's photos."""
    known: dict[str, Part] = {}
    for part in _told(project):
        known.setdefault(part.backbone, part)
    return known


def embedding_failed(project: Project) -> str:
    """Why the photos are not embedded, if the newest job that was to do so failed: to wait for it is no advice then."""
    newest = Job.objects.of_project(project.pk).filter(kind="embed").order_by("-created_at").first()
    if newest is None or newest.state != JobState.FAILED:
        return ""
    return _("The photos of this project could not be embedded: %(why)s") % {"why": newest.said}


def embedded_otherwise(version: ModelVersion) -> QuerySet[Job]:
    """The newest job that embedded its project's photos, if that was by other weights, or another decoder, than the version
    was trained on: it scores none of those that come in."""
    # Jobs of earlier releases tell no hash.
    return _newest_that_says(version, "exists(@.content_hash) && @.content_hash != $part.backbone_hash")


def not_embedded(version: ModelVersion) -> QuerySet[Job]:
    """The same job, if it could not use one of the version's backbones at all: :func:`why_not_embedded` says which."""
    return _newest_that_says(version, "exists(@.error)")


def why_not_embedded(version: ModelVersion) -> tuple[str, str]:
    """Name of the version's backbone that the newest job could not use, and why; empty where all worked."""
    names = {part.backbone for part in version.parts}
    told = not_embedded(version).values_list("result__backbones", flat=True).first() or []
    return next(
        ((each["name"], each["error"]) for each in told if "error" in each and each["name"] in names),
        ("", ""),
    )


def _newest_that_says(version: ModelVersion, condition: str) -> QuerySet[Job]:
    """The project's newest job that embedded, if it says this of any backbone of the version (a JSON path: ``@`` is what
    the job says of one, ``$part`` the version's)."""
    embedded = Job.objects.of_project(version.project_id).filter(kind="embed", state=JobState.SUCCEEDED)
    newest = embedded.order_by("-created_at").values("pk")[:1]
    path = Value(f"$.backbones[*] ? (@.name == $part.backbone && {condition})")
    says = Q(pk__in=[])
    for part in version.parts:
        given = Value(json.dumps({"part": asdict(part)}))
        says |= Q(Func(F("result"), path, given, function="jsonb_path_exists", output_field=BooleanField()))
    return Job.objects.filter(says, pk__in=newest)


def _told(project: Project) -> Iterator[Part]:
    """The newest word on each first: of jobs, of versions, of adaptations."""
    embedded = Job.objects.of_project(project.pk).filter(kind="embed", state=JobState.SUCCEEDED)
    results = embedded.order_by("-created_at").values_list("result__backbones", flat=True)
    for told in results[:_NEWEST]:
        for each in told or ():
            if "content_hash" in each:  # jobs of earlier releases do not tell it
                yield Part(each["name"], each["content_hash"], each["dim"])
    for version in ModelVersion.objects.filter(project=project)[:_NEWEST]:
        yield from version.parts
    for made in DomainBackbone.objects.filter(project=project)[:_NEWEST]:
        yield Part(made.name, made.content_hash, made.dim)
