"""What the machine decided, or settled with one answer, and what people said to it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from labeling.catalog.models import APPEND_ONLY, Item, LabelClass, Project
from labeling.database.append_only import append_only
from labeling.database.planner import LookedUp
from labeling.frontier.models.certificate import Certificate, EndKind
from labeling.frontier.models.policy import Mode
from labeling.learning.models import ModelVersion
from labeling.truth.models import Annotation, GroundTruth


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
