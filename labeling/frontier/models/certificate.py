"""Looks at a sample, certificates, and how they end."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import APPEND_ONLY, Guideline, LabelClass, Project
from labeling.frontier.models.plan import CertificationPlan
from labeling.jobs.models import Job
from labeling.learning.models import ModelVersion


class CertificationRun(models.Model):
    """One look at the sample: every step of every class's walk."""

    plan = models.ForeignKey(CertificationPlan, on_delete=models.PROTECT, related_name="runs")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="certification_runs")
    job = models.ForeignKey(Job, null=True, on_delete=models.PROTECT, related_name="+")
    item_ids = ArrayField(models.BigIntegerField(), help_text="the sample, in the order of its draw")
    digest = models.CharField(
        max_length=64, help_text="SHA-256 over lines <image hash> <ground truth id>, in the order of the draw"
    )
    counts = models.JSONField(
        help_text="drawn, used, behind an open one, in training, earlier than the model"
    )
    walks = models.JSONField(help_text="class id -> the walk with its steps")
    last_drawn_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"look at {len(self.item_ids)} labels"


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def in_force(self) -> CertificateQuerySet:
        return self.filter(ends__isnull=True)


class Certificate(models.Model):
    """Photos that this version predicts as this class with at least this margin are right as often as is stated.

    It speaks of what is left to the machine of its plan's cohort. ``errors`` of ``n`` random, strict, out-of-sample
    labels of the region; of its ``photos`` at most ``most_wrong`` are wrong, ``known`` of them were found by people,
    and ``rest`` photos were left at the look; ``bound``: lower bound of their precision.

    Where it has a *ring*, from ``assisted`` up to the threshold, one blind answer that is the prediction settles a photo.
    Of a delivered set ``precision`` is the floor under what the machine decides, of all classes together, and so are the
    figures, the same in each class's certificate; the plan says what holds of all labels.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="certificates")
    run = models.ForeignKey(CertificationRun, on_delete=models.PROTECT, related_name="certificates")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="certificates")
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="+")
    label_class = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    threshold = models.FloatField(help_text="lowest margin of the region")
    coverage = models.FloatField(help_text="share of the pool's photos of this predicted class")
    precision = models.FloatField(help_text="stated")
    delta = models.FloatField(help_text="of all certificates of the run together")
    n = models.PositiveIntegerField()
    errors = models.PositiveIntegerField()
    bound = models.FloatField()
    photos = models.PositiveIntegerField(null=True, help_text="of the cohort, in the region")
    most_wrong = models.PositiveIntegerField(null=True, help_text="of them, at most")
    rest = models.PositiveIntegerField(null=True, help_text="of them, left to the machine at the look")
    known = models.PositiveIntegerField(null=True, help_text="errors that people had found among the others")
    decided_share = models.FloatField(
        default=1.0, help_text="of photos that people can decide, where the others do not count as errors"
    )
    assisted = models.FloatField(
        null=True, help_text="lowest margin of the ring; none where there is no ring"
    )
    ring_n = models.PositiveIntegerField(null=True, help_text="labels of the ring whose first answer agreed")
    ring_errors = models.PositiveIntegerField(null=True, help_text="of them, wrong")
    ring_photos = models.PositiveIntegerField(null=True, help_text="of the cohort, in the ring")
    ring_spare = models.FloatField(
        null=True,
        help_text="so many fewer photos of the ring than would be allowed are agreed on and wrong, at least",
    )
    together = models.FloatField(
        null=True, help_text="of a delivered set: what audits of both parts together are held against"
    )
    method = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, help_text="of the run's sample")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["run", "label_class"], name="one_certificate_a_class")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.label_class} from {self.threshold:.3f}"


class EndKind(models.TextChoices):
    VOID = "void", _("Void")
    SUSPENDED = "suspended", _("Suspended")
    RENEWED = "renewed", _("Renewed")


class EndReason(models.TextChoices):
    MODEL = "model", _("Another model version decides now")
    GUIDELINE = "guideline", _("The guideline was changed")
    SAMPLE = "sample", _("A label that it rests on was changed")
    POLICY = "policy", _("Another precision or another δ is wished for")
    AUDIT = "audit", _("The audit refutes its precision")
    ADMIN = "admin", _("An admin suspended it")
    LATER = "later", _("A later look took its place")


class CertificateEnd(models.Model):
    """From here on the certificate allows nothing. It never comes back: another look makes another certificate.

    One that was renewed may be suspended later: what was decided under it is then in doubt too.
    """

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="ends")
    kind = models.CharField(max_length=9, choices=EndKind.choices)
    reason = models.CharField(max_length=9, choices=EndReason.choices)
    note = models.CharField(max_length=300, blank=True)
    figures = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["certificate", "kind"], name="ends_once_a_kind")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"
