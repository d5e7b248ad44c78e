"""Endpoints and what became of their events, read."""

from __future__ import annotations

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, Prefetch, Q, QuerySet

from labeling.catalog.models import Project
from labeling.notify.models import Attempt, CallBack, Delivery, DeliveryState, Endpoint

#: Beyond so many that wait it is told that there are more.
COUNTED = 100


def endpoints_of(project: Project | None) -> QuerySet[Endpoint]:
    """The oldest first, with ``waiting``: how many events wait, at most :data:`COUNTED`. Without a project, those of the
    whole site."""
    waiting = Delivery.objects.filter(endpoint=OuterRef("pk"), state=DeliveryState.WAITING)
    counted = Func(
        ArraySubquery(waiting.values("pk")[:COUNTED]), function="cardinality", output_field=IntegerField()
    )
    found = Endpoint.objects.filter(project=project).select_related("created_by", "project")
    return found.annotate(waiting=counted).order_by("created_at", "pk")


def open_calls_back(project: Project) -> int:
    """On how many of its photos, and of inspections that ask it, somebody waits to be called back; at most one more than
    :data:`COUNTED`."""
    mine = Q(project=project) | Q(inspection__version__shots__checks__project=project)
    found = CallBack.objects.filter(mine, event=None, endpoint__removed_at=None)
    return found.order_by().values("pk").distinct()[: COUNTED + 1].count()


def deliveries_of(endpoint: Endpoint) -> QuerySet[Delivery]:
    """The newest first, with event and attempts at hand."""
    log = Prefetch("log", Attempt.objects.order_by("pk"))
    found = Delivery.objects.filter(endpoint=endpoint).select_related("event").prefetch_related(log)
    return found.order_by("-pk")
