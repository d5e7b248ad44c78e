"""Events, who hears them, and what became of each (docs/decisions/0062-events-are-written-by-the-database.md).

An event says which row tells what happened, and nothing of what that row says: its body is made when it is delivered.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Project
from labeling.inspections.models import Inspection


class Channel(models.TextChoices):
    """How an endpoint is told."""

    WEBHOOK = "webhook", _("Webhook")
    MAIL = "mail", _("Mail")
    SLACK = "slack", _("Slack")
    CALL_BACK = "call_back", _("Calls back")


class OffReason(models.TextChoices):
    ADMIN = "admin", _("An admin switched it off")
    FAILING = "failing", _("Nothing was taken for a day")
    GONE = "gone", _("It said that it is gone (410)")
    LEFT = "left", _("Whoever read it unsubscribed")


class _Standing(models.Manager["Endpoint"]):
    def get_queryset(self) -> models.QuerySet[Endpoint]:
        return super().get_queryset().filter(removed_at=None)


class Endpoint(models.Model):
    """Who is told of which kinds of event. Without a ``project`` it hears all projects.

    While it is off, events wait for it. ``failing_since``: the first attempt after the last one that was taken; until
    ``not_before`` nothing is tried. ``secret`` is encrypted, and ``old_secret`` signs too until ``old_until``.

    Only webhooks and calls back have a secret. Mails and messages of Slack are written in the ``language`` of whoever made
    it, and lead to ``site``, the origin under which they reached this one.

    An account has one for its calls back, in whatever project: they share its secret and its log, and it hears nothing by
    itself. Each goes to an address of its own (:class:`CallBack`), so ``url`` is empty, and none fails for the others.

    From ``removed_at`` on nobody sees it, and it hears nothing; its deliveries go in pieces, and then it does
    (:mod:`labeling.notify.tidying`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="endpoints")
    kind = models.CharField(max_length=12, choices=Channel.choices, default=Channel.WEBHOOK)
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=1000)
    events = ArrayField(models.CharField(max_length=40), help_text="kinds of event")
    secret = models.TextField(blank=True)
    site = models.CharField(max_length=300, blank=True, default="", db_default="")
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    old_secret = models.TextField(blank=True, default="", db_default="")
    old_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    off_at = models.DateTimeField(null=True)
    off_reason = models.CharField(
        max_length=7, choices=OffReason.choices, blank=True, default="", db_default=""
    )
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, db_default=0, help_text="in a row")
    not_before = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    objects = _Standing()
    with_removed = models.Manager["Endpoint"]()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(off_at__isnull=True, off_reason="") | Q(off_at__isnull=False) & ~Q(off_reason=""),
                name="off_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_on(self) -> bool:
        return self.off_at is None


class Event(models.Model):
    """Something happened: ``row`` of the table ``source`` says what. The database's triggers write it, in the transaction
    of what happened, where an endpoint listens (:mod:`labeling.notify.listening`).

    One that is ``alone`` is told to nobody but whom its delivery names: a call back's, of what others may hear by another.

    ``uuid`` makes repeats harmless. Events of one ``subject`` reach an endpoint in the order of their ids.
    """

    uuid = models.UUIDField(unique=True, db_default=RandomUUID(), editable=False)
    kind = models.CharField(max_length=40)
    # Of a project that is gone the rows are too, and a delivery says so.
    project = models.ForeignKey(
        Project, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    subject = models.CharField(max_length=80)
    source = models.CharField(max_length=63)
    row = models.CharField(max_length=40)
    at = models.DateTimeField(db_default=Now())
    alone = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [models.Index(fields=["at"], name="events_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject}"

    @property
    def name(self) -> str:
        """As the receiver knows it again."""
        return f"evt_{self.uuid.hex}"


class CallBack(models.Model):
    """Whoever asked about one photo (``sha256`` in ``project``) or one ``inspection`` is told at ``url``, once.

    Open until there is an ``event`` that tells: what was decided; or that by ``until`` nothing was, or that nothing will be,
    and then ``because`` says why. ``strict``: only a label that people settled strictly counts. ``sha256`` is kept no longer
    than it is needed, and goes with the photo. With its event it goes as all events do.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="calls_back")
    url = models.CharField(max_length=1000)
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64, blank=True)
    inspection = models.ForeignKey(Inspection, null=True, on_delete=models.CASCADE, related_name="+")
    strict = models.BooleanField(default=False)
    opened_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    event = models.OneToOneField(Event, null=True, on_delete=models.CASCADE, related_name="call_back")
    because = models.CharField(max_length=40, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "project", "sha256", "strict"],
                condition=Q(event=None, inspection=None),
                name="one_open_call_back_a_photo",
            ),
            models.UniqueConstraint(
                fields=["endpoint", "inspection"],
                condition=Q(event=None, inspection__isnull=False),
                name="one_open_call_back_an_inspection",
            ),
        ]
        indexes = [
            models.Index(fields=["sha256"], condition=~Q(sha256=""), name="calls_back_by_hash"),
            models.Index(fields=["opened_at"], condition=Q(event=None), name="open_calls_back"),
        ]

    def __str__(self) -> str:
        return f"{self.inspection_id or self.sha256[:12]} to {self.url}"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waits")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")


class Delivery(models.Model):
    """An event on its way to an endpoint. The event's subject stands here too, for the order is by it."""

    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    subject = models.CharField(max_length=80)
    state = models.CharField(
        max_length=9,
        choices=DeliveryState.choices,
        default=DeliveryState.WAITING,
        db_default=DeliveryState.WAITING,
    )
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "event"], name="delivered_once")]
        indexes = [
            models.Index(
                fields=["endpoint", "next_at", "event"],
                condition=Q(state="waiting"),
                name="deliveries_due",
            ),
            models.Index(
                fields=["endpoint", "subject", "event"],
                condition=Q(state="waiting"),
                name="deliveries_of_subject",
            ),
            models.Index(fields=["endpoint", "-id"], name="deliveries_of_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}: {self.state}"


class Attempt(models.Model):
    """One attempt of a delivery: ``status`` where there was an answer, ``answer`` its first bytes, else ``error``."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField()
    ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.status or self.error} after {self.ms} ms"

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class SlackMessage(models.Model):
    """What stands in Slack's ``channel`` under its time stamp ``ts``; both are empty until it is there.

    It tells of one ``event`` alone, or is a digest (then that names none). The first of a ``subject`` begins the thread of
    those that follow. ``dispute``: the one that its buttons rule on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, related_name="slack_messages", db_index=False
    )
    subject = models.CharField(max_length=80)
    event = models.UUIDField()
    dispute = models.UUIDField(null=True)
    channel = models.CharField(max_length=32, blank=True)
    ts = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="one_slack_message_an_event")
        ]
        indexes = [
            models.Index(fields=["endpoint", "subject"], name="slack_messages_of_subject"),
            models.Index(fields=["endpoint", "at"], name="slack_messages_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.channel}/{self.ts}"
