"""What the monitors read, what they alerted to, and the thresholds in force. Everything is appended."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import APPEND_ONLY, SHARE, Project
from labeling.jobs.models import Job
from labeling.learning.models import ModelVersion


class Monitor(models.TextChoices):
    """In the order in which the page shows them."""

    EMBEDDINGS = "embeddings", _("Drift of the photos")
    SCORES = "scores", _("Drift of the scores")
    BALANCE = "balance", _("Class balance")
    QUALITY = "quality", _("Photo quality")
    CALIBRATION = "calibration", _("Calibration")
    AUDIT = "audit", _("Audited precision")
    AGREEMENT = "agreement", _("Agreement of labelers")
    SPEED = "speed", _("Speed of labelers")
    QUEUE = "queue", _("Age of the queue")


class ReadingState(models.TextChoices):
    OK = "ok", _("Fine")
    ALERT = "alert", _("Alert")
    NOT_ENOUGH = "not_enough", _("Not enough yet")


class MonitorThresholds(models.Model):
    """From which values on a project's monitors alert. The newest row is in force."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="monitor_thresholds")
    drift_level = models.FloatField(
        default=0.005,
        validators=[MinValueValidator(1e-6), MaxValueValidator(0.2)],
        help_text="probability of a false alarm in one look, over all drift tests",
    )
    window = models.PositiveIntegerField(
        default=100,
        validators=[MinValueValidator(30), MaxValueValidator(2000)],
        help_text="newest photos that a look compares; it also compares three times as many, if there are",
    )
    calibration = models.FloatField(
        default=0.05, validators=SHARE, help_text="expected calibration error that is borne"
    )
    agreement = models.FloatField(
        default=0.7, validators=SHARE, help_text="share of photos on which all blind answers agree"
    )
    speed = models.FloatField(
        default=2.0,
        validators=[MinValueValidator(1.1), MaxValueValidator(100)],
        help_text="so many times faster or slower than before",
    )
    queue_days = models.FloatField(
        default=30.0,
        validators=[MinValueValidator(0.01), MaxValueValidator(36_500)],
        help_text="age of the oldest photo that waits",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"thresholds of {self.project_id}"


class MonitorReading(models.Model):
    """One look of one monitor. ``value`` with ``low`` to ``high`` is in the monitor's own unit, ``threshold`` too.

    ``evidence`` names what was looked at: the same evidence is not read, and not counted, twice.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="monitor_readings")
    monitor = models.CharField(max_length=12, choices=Monitor.choices)
    state = models.CharField(max_length=10, choices=ReadingState.choices)
    value = models.FloatField(null=True)
    low = models.FloatField(null=True, help_text="95 % interval")
    high = models.FloatField(null=True)
    p_value = models.FloatField(null=True, help_text="adjusted for all tests of the look")
    threshold = models.FloatField(null=True)
    figures = models.JSONField(default=dict)
    item_ids = ArrayField(
        models.BigIntegerField(), default=list, help_text="photos that drive it, the most telling first"
    )
    evidence = models.CharField(max_length=160)
    model_version = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "monitor", "-id"], name="readings_of_monitor")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="not_enough") | Q(value__isnull=False), name="a_reading_has_a_value"
            )
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.monitor}: {self.state}"


class MonitorAlertQuerySet(models.QuerySet["MonitorAlert"]):
    def open(self) -> MonitorAlertQuerySet:
        return self.filter(closing__isnull=True)


class MonitorAlert(models.Model):
    """Opened by a reading beyond its threshold. It decides nothing: it asks somebody to look."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="monitor_alerts")
    monitor = models.CharField(max_length=12, choices=Monitor.choices)
    reading = models.OneToOneField(MonitorReading, on_delete=models.PROTECT, related_name="alert")
    opened_at = models.DateTimeField(auto_now_add=True)

    objects = MonitorAlertQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "monitor", "-id"], name="alerts_of_monitor")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"alert: {self.monitor}"


class AlertAcknowledgement(models.Model):
    """An admin has seen it, and says what is done about it."""

    alert = models.OneToOneField(MonitorAlert, on_delete=models.PROTECT, related_name="acknowledgement")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"acknowledged by {self.by}"


class AlertClosing(models.Model):
    """A later reading was fine, or its model version was replaced: the alert is over by itself."""

    alert = models.OneToOneField(MonitorAlert, on_delete=models.PROTECT, related_name="closing")
    reading = models.ForeignKey(MonitorReading, on_delete=models.PROTECT, related_name="closings")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"closed by {self.reading_id}"
