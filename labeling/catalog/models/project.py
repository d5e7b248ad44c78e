"""A project: one question asked of photos, and how strictly it is answered."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inference.photo import Levels as LevelsName

SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class Role(models.TextChoices):
    VIEWER = "viewer", _("Viewer")
    LABELER = "labeler", _("Labeler")
    REVIEWER = "reviewer", _("Reviewer")
    ADMIN = "admin", _("Admin")


class AgreementRule(models.TextChoices):
    UNANIMOUS = "unanimous", _("All answers must agree")
    K_OF_N = "k_of_n", _("At least k answers must agree")


class Levels(models.TextChoices):
    """The library's (``inference.photo.LEVELS``); a test holds the two to each other."""

    BITS = "bits", _("By the bits that the photo uses: 8, 10, 12, 14 or 16")
    PERCENTILES = "percentiles", _("From its darkest to its brightest thousandth")
    TEN = "10", _("White is 1,023 (10 bits)")
    TWELVE = "12", _("White is 4,095 (12 bits)")
    FOURTEEN = "14", _("White is 16,383 (14 bits)")
    SIXTEEN = "16", _("White is 65,535 (16 bits)")


class NearDuplicates(models.TextChoices):
    GROUP = "group", _("Keep them, and group them")
    ASIDE = "aside", _("Set them aside: listed at intake, not taken in")
    REFUSE = "refuse", _("Count them as duplicates")


class ProjectQuerySet(models.QuerySet["Project"]):
    def for_member(self, user: Any) -> ProjectQuerySet:
        """The projects that ``user`` may see: their own, or all for a superuser."""
        active = self.filter(archived_at__isnull=True)
        return active if user.is_superuser else active.filter(memberships__user=user)

    def archived_by_admins_like(self, user: Any) -> ProjectQuerySet:
        """Archived projects that ``user`` may bring back: those that they are an admin of, or all for a superuser."""
        archived = self.filter(archived_at__isnull=False)
        if user.is_superuser:
            return archived
        return archived.filter(memberships__user=user, memberships__role=Role.ADMIN)


class Project(models.Model):
    """One question asked of photos, and how strictly it is answered."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    question = models.CharField(max_length=300, help_text=_("What the labeler is asked of each photo."))
    description = models.TextField(blank=True)

    answers_per_image = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    certifying_answers = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(9)],
        help_text=_(
            "Answers that each photo drawn at random gets instead, where these are more; 0: as all photos."
        ),
    )
    boundary_answers = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(9)],
        help_text=_(
            "Answers that a photo gets that is asked in the boundary band, if these are more. Where they differ "
            "it is held: kept out of training, and ruled on only if it is drawn at random. 0: as all photos."
        ),
    )
    rule = models.CharField(max_length=10, choices=AgreementRule.choices, default=AgreementRule.UNANIMOUS)
    agreement_k = models.PositiveSmallIntegerField(default=2, validators=[MinValueValidator(1)])
    gold_rate = models.FloatField(default=0.05, validators=SHARE)
    gold_bar = models.FloatField(default=0.8, validators=SHARE)
    gold_window = models.PositiveSmallIntegerField(default=20, validators=[MinValueValidator(3)])
    min_view_ms = models.PositiveIntegerField(default=200)
    checklist_required = models.BooleanField(default=False)
    undo_seconds = models.PositiveIntegerField(default=60)
    lease_seconds = models.PositiveIntegerField(default=300, validators=[MinValueValidator(10)])
    reviewer_may_rule_own = models.BooleanField(default=False)

    strategy = models.CharField(max_length=30, default="inward")
    bands = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(2), MaxValueValidator(20)]
    )
    boundary_after = models.PositiveIntegerField(
        default=60,
        validators=[MinValueValidator(1)],
        help_text=_("The queue has reached the boundary band before so many ground truths."),
    )
    band_agreement = models.FloatField(
        default=0.7,
        validators=SHARE,
        help_text=_("Share of blind answers in the current band that must agree before the next opens."),
    )
    band_alpha = models.FloatField(
        default=0.0,
        validators=SHARE,
        help_text=_("Krippendorff's alpha that they must reach as well; 0 asks for none."),
    )
    audit_rate = models.FloatField(default=0.10, validators=SHARE)
    near_duplicates = models.CharField(
        max_length=6, choices=NearDuplicates.choices, default=NearDuplicates.GROUP
    )
    sweep_allowed = models.BooleanField(
        default=False,
        help_text=_(
            "Labelers may take the outer bands as grids of one predicted class. Such answers are not blind."
        ),
    )
    earlier_allowed = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_(
            "Labelers may have the asset's photo of an earlier inspection shown beside. Such answers are not blind."
        ),
    )
    retrain_every = models.PositiveIntegerField(
        default=0, help_text=_("Train by itself after so many new ground truths; 0 is never.")
    )
    promote_automatically = models.BooleanField(
        default=False,
        help_text=_("Promote a model trained by itself when it is not worse than the champion."),
    )
    train_on_assisted = models.BooleanField(
        default=False,
        help_text=_(
            "One answer that agreed with the machine trains like a strict label. A model then learns to agree with itself."
        ),
    )
    backbone = models.CharField(max_length=80, default="efficientnet_lite0")
    further_backbones = ArrayField(
        models.CharField(max_length=80),
        default=list,
        blank=True,
        verbose_name=_("Further backbones"),
        help_text=_("They look at the photos beside it; each training takes what answers held out gain by."),
    )
    levels = models.CharField(
        max_length=12,
        choices=Levels.choices,
        default=Levels.BITS,
        help_text=_("How more than 8 bits a channel are shown in 8, to people and to the model."),
    )

    hourly_cost = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(1_000_000_000)],
        help_text=_("What an hour of a person's work costs, in the project's currency."),
    )
    currency = models.CharField(max_length=8, blank=True)
    target_per_decision = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(1_000_000)],
        help_text=_("Images that each human decision shall settle."),
    )

    keep_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text=_("So many days after a photo is decided it is erased. Empty: it is kept."),
    )

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(answers_per_image__gte=1, answers_per_image__lte=9), name="project_answers_sane"
            ),
            models.CheckConstraint(
                condition=Q(agreement_k__gte=1, agreement_k__lte=F("answers_per_image"))
                | Q(rule="unanimous"),
                name="project_k_within_n",
            ),
            models.CheckConstraint(
                condition=Q(gold_rate__gte=0, audit_rate__gte=0) & Q(gold_rate__lte=1 - F("audit_rate")),
                name="project_rates_leave_room",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def more_of_drawn(self) -> int | None:
        """Answers that a photo drawn at random gets, where these are more than others get."""
        return self.certifying_answers if self.certifying_answers > self.answers_per_image else None

    @property
    def at_boundary(self) -> int | None:
        """Answers that a photo gets that is asked in the boundary band, where the project has a rule for these."""
        return max(self.boundary_answers, self.answers_per_image) if self.boundary_answers else None

    @property
    def decoded_with(self) -> LevelsName:
        """``levels``, as the decoder takes it."""
        return cast(LevelsName, str(self.levels))

    @property
    def backbone_name(self) -> str:
        """The backbone and how it is shown photos of more than 8 bits, as the library's registry calls it."""
        return self.as_registered(self.backbone)

    @property
    def backbone_names(self) -> list[str]:
        """The same of all its backbones, its own first."""
        return [self.as_registered(name) for name in (self.backbone, *self.further_backbones)]

    def as_registered(self, backbone: str) -> str:
        """A backbone's name with the project's levels."""
        return backbone if self.levels == Levels.BITS else f"{backbone}+levels-{self.levels}"
