"""What the machine may decide, on what proof, what it decided, and what became of it.

Everything is appended. Whether a certificate is in force follows from the rows: it has no :class:`CertificateEnd`.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import APPEND_ONLY, SHARE, Guideline, Item, LabelClass, Project
from labeling.database.append_only import append_only
from labeling.database.planner import LookedUp
from labeling.jobs.models import Job
from labeling.learning.models import ModelVersion
from labeling.truth.models import Annotation, GroundTruth


class Mode(models.TextChoices):
    OFF = "off", _("Off")
    SHADOW = "shadow", _("Shadow")
    ON = "on", _("On")


class PromiseKind(models.TextChoices):
    """What is certified (docs/decisions/0026-second-reader-and-delivered-set.md).

    ``alone``: what the machine decides. ``assisted``: that, and what one blind answer settles that says the same as the
    machine, each for itself. ``delivered``: all labels together, the machine's, the assisted and the strict ones.
    """

    ALONE = "alone", _("The machine alone")
    ASSISTED = "assisted", _("The machine as second reader")
    DELIVERED = "delivered", _("The delivered set")


class FrontierPolicy(models.Model):
    """What a project wishes proven, and what the machine may do with it. The newest row is in force."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="frontier_policies")
    promise = models.CharField(max_length=9, choices=PromiseKind.choices, default=PromiseKind.ALONE)
    precision = models.FloatField(default=0.98, validators=[MinValueValidator(0.5), MaxValueValidator(0.999)])
    floor = models.FloatField(
        default=0.9,
        validators=[MinValueValidator(0.5), MaxValueValidator(0.999)],
        help_text="of a delivered set: precision that what the machine decides must have by itself",
    )
    delta = models.FloatField(default=0.05, validators=[MinValueValidator(0.001), MaxValueValidator(0.5)])
    undecided_are_errors = models.BooleanField(
        default=True, help_text="whether a photo that people hold or call unusable counts against the machine"
    )
    planned_labels = models.PositiveIntegerField(
        default=1000,
        validators=[MinValueValidator(20), MaxValueValidator(1_000_000)],
        help_text="random labels that a certification may come to; where the walk begins depends on it",
    )
    mode = models.CharField(max_length=6, choices=Mode.choices, default=Mode.OFF)
    audit_share = models.FloatField(
        default=0.01,
        validators=SHARE,
        help_text="of automatic decisions, drawn by lot for people, blind; more of the first ones",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(precision__gt=0, precision__lt=1, delta__gt=0, delta__lt=1),
                name="frontier_levels_sane",
            )
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.mode} at {self.precision}"


class CertificationPlan(models.Model):
    """What is settled before the first look at a sample: thresholds, planned labels, and the δ that this use may spend.

    The walk is anytime-valid only while these stay as they are, so they are written once a use and read ever after.
    ``sample`` names the labels (those drawn after a training), ``use`` what they serve: version, guideline, precision.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="certification_plans")
    sample = models.CharField(max_length=60)
    use = models.CharField(max_length=160)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="+")
    promise = models.CharField(max_length=9, choices=PromiseKind.choices, default=PromiseKind.ALONE)
    precision = models.FloatField()
    floor = models.FloatField(
        null=True, help_text="of a delivered set: of what the machine decides by itself"
    )
    delta = models.FloatField(help_text="what this use spends")
    budget = models.FloatField(help_text="what all uses of the sample may spend together")
    undecided_are_errors = models.BooleanField()
    ladders = models.JSONField(
        help_text="class id -> {thresholds, share, hoped, photos, targets}, outermost first"
    )
    planned = models.JSONField(help_text="class id -> labels that are going to be spent")
    path = models.JSONField(
        null=True,
        help_text="of a delivered set: the ways to deliver it, as inference.certify.path names them",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "sample", "use"], name="a_use_is_charged_once")
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.use} on {self.sample}"


class PlanCohort(models.Model):
    """The photos that a plan speaks of: those that the machine could decide when it was written, whatever they show."""

    plan = models.OneToOneField(CertificationPlan, on_delete=models.CASCADE, related_name="cohort")
    item_ids = ArrayField(models.BigIntegerField(), help_text="rising")
    pool_to = models.BigIntegerField(
        help_text="newest photo of the project then; what came later are arrivals"
    )

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"cohort of {self.plan_id}"


class ArrivalCheck(models.Model):
    """Photos that came after a plan was written, held against the pool that it was written for, before any is decided.

    One that is told apart (``usual`` false) is left to people: no certificate of the plan speaks of such photos.
    """

    plan = models.ForeignKey(CertificationPlan, on_delete=models.CASCADE, related_name="arrival_checks")
    first = models.BigIntegerField(help_text="ids of the oldest and the newest of them")
    last = models.BigIntegerField()
    photos = models.PositiveIntegerField()
    usual = models.BooleanField()
    figures = models.JSONField(help_text="p-value, level, and which test told most")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.photos} arrivals, {'usual' if self.usual else 'unusual'}"


class BandDraw(models.Model):
    """Photos of a plan's cohort that were asked for at random, evenly from one region: labels that its next threshold lacks.

    The region may be chosen after all labels so far, and is written before the draw.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="band_draws")
    plan = models.ForeignKey(CertificationPlan, on_delete=models.PROTECT, related_name="band_draws")
    label_class = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    threshold = models.FloatField(help_text="lowest margin of the region")
    photos = models.PositiveIntegerField(default=0, help_text="that could be drawn")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.label_class} from {self.threshold:.3f}"


class DrawnPhoto(models.Model):
    """A photo that a :class:`BandDraw` took."""

    draw = models.ForeignKey(BandDraw, on_delete=models.PROTECT, related_name="drawn")
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="drawn_for_band")
    place = models.PositiveIntegerField(help_text="in the order of the draw")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draw", "place"], name="one_drawn_photo_a_place")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.item_id} by {self.draw_id}"


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


class DecisionQuerySet(models.QuerySet["AutomaticDecision"]):
    def standing(self) -> DecisionQuerySet:
        """Made for real, not overruled, and not under a certificate that was suspended."""
        return self.filter(mode=Mode.ON, overruled__isnull=True).exclude(
            certificate__in=Certificate.objects.filter(ends__kind=EndKind.SUSPENDED)
        )

    def told(self) -> DecisionQuerySet:
        """Those of which nobody is asked any more: the others would tell a reviewer, who may label too, what to answer.

        Asked are all photos that were decided in the shadow, went to the audit, were drawn at random, or came back from a
        suspended certificate, until they are settled strictly. Who overruled a decision has seen it.
        """
        settled = GroundTruth.objects.strict().filter(item=models.OuterRef("item"))
        alone = Q(mode=Mode.ON, audit=False, item__audit_drawn_at__isnull=True) & ~Q(
            certificate__in=Certificate.objects.filter(ends__kind=EndKind.SUSPENDED)
        )
        return self.filter(alone | Q(overruled__isnull=False) | LookedUp(settled))


class AutomaticDecision(models.Model):
    """What the machine decided of a photo, or would have (shadow), and under which certificate. Never a ground truth."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="automatic_decisions")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="automatic_decisions")
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="decisions")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    label_class = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    confidence = models.FloatField(help_text="margin")
    probabilities = ArrayField(models.FloatField(), help_text="in the order of the version's classes")
    mode = models.CharField(max_length=6, choices=Mode.choices)
    audit = models.BooleanField(help_text="drawn by lot for people at the moment of the decision")
    audit_share = models.FloatField(
        null=True, help_text="probability of that lot; null for decisions older than this field"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "certificate", "mode"], name="decided_once"),
            models.CheckConstraint(condition=Q(mode__in=["shadow", "on"]), name="decisions_have_a_mode"),
        ]
        indexes = [
            models.Index(fields=["project", "id"], name="decisions_of_project"),
            models.Index(
                fields=["certificate", "id"], condition=Q(audit=True, mode="on"), name="decisions_to_audit"
            ),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.label_class}"


class DecisionOverruled(models.Model):
    """A person took a decision back; the photo goes to people. What they said is no ground truth: one word, not blind."""

    decision = models.OneToOneField(AutomaticDecision, on_delete=models.PROTECT, related_name="overruled")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    label_class = models.ForeignKey(
        LabelClass, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [append_only(texts=["reason"])]

    def __str__(self) -> str:
        return f"overruled by {self.by}"


class AssistedLabel(models.Model):
    """One blind answer that says what the machine says, inside a ring: it settles the photo, or by lot is audited.

    An audited one waits for a second person, blind, like any other photo, and gets a strict label.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assisted_labels")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="assisted_labels")
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="assisted_labels")
    annotation = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="+")
    label_class = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="+")
    audit = models.BooleanField(help_text="drawn by lot for a second person")
    audit_share = models.FloatField(help_text="probability of that lot")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "id"], name="assisted_of_project"),
            models.Index(fields=["item"], name="assisted_of_item"),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.label_class}"


class WatchedPart(models.TextChoices):
    MACHINE = "machine", _("Decided by the machine")
    ASSISTED = "assisted", _("Settled by one answer that agrees")
    TOGETHER = "together", _("Both together")


class AuditWatch(models.Model):
    """The watch over what one version decided of one class under one guideline. Derived: made again from the audits.

    Of a delivered set the watches are over all classes, so without one: over the machine's part, and over both together.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="audit_watches")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    guideline = models.ForeignKey(Guideline, on_delete=models.CASCADE, related_name="+")
    label_class = models.ForeignKey(LabelClass, null=True, on_delete=models.CASCADE, related_name="+")
    part = models.CharField(max_length=8, choices=WatchedPart.choices, default=WatchedPart.MACHINE)
    precision = models.FloatField(help_text="stated of the newest decision; each is held against its own")
    n = models.PositiveIntegerField(default=0, help_text="audited, and settled")
    errors = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0, help_text="drawn, and open")
    low = models.FloatField(default=0.0, help_text="95 % confidence sequence of the precision")
    high = models.FloatField(default=1.0)
    state = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "guideline", "label_class", "part"],
                nulls_distinct=False,
                name="one_watch_a_class_and_part",
            )
        ]

    def __str__(self) -> str:
        return f"{self.errors} of {self.n}"

    @property
    def over(self) -> str:
        """The class's key, with the part where it is not what the machine decides."""
        key = self.label_class.key if self.label_class else ""
        return key if self.part == WatchedPart.MACHINE else f"{key} ({self.part})".strip()


class CloserAudit(models.Model):
    """Something happened that makes errors likely: from here on as much is audited as after a certificate."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="closer_audits")
    after = models.BigIntegerField(help_text="id of the newest decision at that moment")
    reason = models.CharField(max_length=40, help_text="the monitor that alerted")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"after {self.after}: {self.reason}"


class DecidingPause(models.Model):
    """The machine decides nothing more of a class until people have answered most of its audits that wait."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deciding_pauses")
    label_class = models.ForeignKey(LabelClass, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "label_class"],
                condition=Q(lifted_at__isnull=True),
                name="deciding_paused_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.label_class} paused"


class DecisionExplanation(models.Model):
    """Why the machine decided so, looked for once, when somebody asks. Derived: it can be made again from the photos."""

    decision = models.OneToOneField(AutomaticDecision, on_delete=models.CASCADE, related_name="explanation")
    nearest = models.JSONField(
        help_text="[{item, truth, class, alike}]: settled photos nearest in the backbone's space, most alike first"
    )
    heat = models.BinaryField(null=True, help_text="PNG to lay over the photo; empty where its file is gone")
    figures = models.JSONField(
        default=dict, help_text="before and lowest: the class's probability; peak: [x, y] as shares"
    )
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"why {self.decision_id}"
