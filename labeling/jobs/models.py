"""What a background job means to people: what it is for, how far it is, how it ended.

The queueing itself (claiming, retries, heartbeats) is procrastinate's, on the same PostgreSQL.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from labeling.jobs.told import told


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_STATES = (JobState.QUEUED, JobState.RUNNING)


class JobQuerySet(models.QuerySet["Job"]):
    def live(self) -> JobQuerySet:
        return self.filter(state__in=LIVE_STATES)

    def of_project(self, project_id: int) -> JobQuerySet:
        return self.filter(project_id=project_id)


class Job(models.Model):
    """One piece of background work. ``project_id`` is no foreign key: this room knows no projects."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    queue = models.CharField(
        max_length=10, choices=[("cpu", "cpu"), ("gpu", "gpu"), ("quick", "quick")], default="cpu"
    )
    project_id = models.BigIntegerField(null=True, blank=True)
    args = models.JSONField(default=dict)
    dedupe_key = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True, blank=True)
    message = models.CharField(max_length=400, blank=True)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="For people: what went wrong and what to do.")
    trace = models.TextField(blank=True, help_text="For developers: the traceback.")
    # How often it was begun: fences off a worker that was believed dead.
    attempts = models.PositiveSmallIntegerField(default=0)
    crashes = models.PositiveSmallIntegerField(
        default=0, help_text="How often its worker ended in the midst of it without a word."
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    procrastinate_id = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    counted_since = models.DateTimeField(
        null=True, blank=True, help_text="when it began what ``message`` tells of, which ``done`` counts"
    )
    updated_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["project_id", "-created_at"], name="job_of_project")]
        constraints = [
            models.UniqueConstraint(
                fields=["dedupe_key"],
                condition=Q(state__in=["queued", "running"]) & ~Q(dedupe_key=""),
                name="job_once_while_live",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    @property
    def said(self) -> str:
        """What went wrong, in the reader's language."""
        return told(self.error)

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES
