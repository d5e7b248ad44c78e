"""Projects and their members, guideline versions with the class schema, images, intake, and the activity log."""

from __future__ import annotations

import uuid
from typing import Any, cast

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inference.photo import Levels as LevelsName
from labeling.catalog.metadata_parts import MetadataParts
from labeling.catalog.name_parts import BLOCK_BITS, NameParts
from labeling.catalog.renditions import current_version
from labeling.forgetting import append_only
from labeling.jobs.told import told

APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
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


class MembershipQuerySet(models.QuerySet["Membership"]):
    def who_label(self) -> MembershipQuerySet:
        """Of people who can be asked: those who may label, and whose accounts are on."""
        return self.filter(user__is_active=True).exclude(role=Role.VIEWER)


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_a_project")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


class LabelClass(models.Model):
    """A class's lasting identity. Its name, order and state are said by each guideline version."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="label_classes")
    key = models.CharField(max_length=60, validators=[RegexValidator(r"^[a-z0-9_-]+$")])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="class_key_once")]

    def __str__(self) -> str:
        return self.key


class Guideline(models.Model):
    """One version of a project's class schema and criteria. Appended, never changed."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guidelines")
    number = models.PositiveIntegerField()
    note = models.CharField(max_length=300, help_text="What changed, and why.")
    wording_only = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Said by its author: answers mean what they mean under the version before it.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="guideline_number_once")]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"v{self.number}"


class MeaningObjection(models.Model):
    """An admin says that a version which was published as another wording changed the meaning. From then on it did."""

    guideline = models.OneToOneField(Guideline, on_delete=models.CASCADE, related_name="objection")
    note = models.CharField(max_length=300, help_text="What means something else, in the admin's words.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"objection to {self.guideline_id}"


class GuidelineProposal(models.Model):
    """A reviewer's change of what the guideline means, which an admin must agree to."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guideline_proposals")
    base = models.ForeignKey(
        Guideline, on_delete=models.CASCADE, related_name="+", help_text="The version that it changes."
    )
    note = models.CharField(max_length=300, help_text="What is to change, and why.")
    changes = models.JSONField(
        help_text="As amend_guideline takes them: criteria, checklist, exemplars; by class key."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [append_only(objects=["changes"])]

    def __str__(self) -> str:
        return f"proposal {self.pk}"


class ProposalAnswer(models.Model):
    """An admin agreed, and ``guideline`` came of it; or declined, and ``note`` says why."""

    proposal = models.OneToOneField(GuidelineProposal, on_delete=models.CASCADE, related_name="answer")
    guideline = models.OneToOneField(
        Guideline, null=True, blank=True, on_delete=models.CASCADE, related_name="proposed"
    )
    note = models.CharField(max_length=300, blank=True, help_text="Why not, in the admin's words.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(guideline__isnull=False, note="")
                | (models.Q(guideline__isnull=True) & ~models.Q(note="")),
                name="proposal_agreed_or_declined_with_a_reason",
            )
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"answer to {self.proposal_id}"


class ClassState(models.TextChoices):
    ACTIVE = "active"
    RETIRED = "retired"
    MERGED = "merged"


class ClassDefinition(models.Model):
    """What one guideline version says of one class."""

    guideline = models.ForeignKey(Guideline, on_delete=models.CASCADE, related_name="definitions")
    label_class = models.ForeignKey(LabelClass, on_delete=models.PROTECT, related_name="definitions")
    name = models.CharField(max_length=80)
    group = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="Heading under which it is listed."
    )
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=ClassState.choices, default=ClassState.ACTIVE)
    merged_into = models.ForeignKey(
        LabelClass, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    criteria = models.TextField(blank=True)
    checklist = models.JSONField(default=list, help_text="Short criteria that a labeler ticks.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["guideline", "label_class"], name="class_defined_once"),
            models.CheckConstraint(
                condition=(Q(state="merged") & Q(merged_into__isnull=False))
                | (~Q(state="merged") & Q(merged_into__isnull=True)),
                name="merged_says_into_what",
            ),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return self.name


class Image(models.Model):
    """A photo, by the SHA-256 of its bytes. The same bytes are one image, whichever projects hold it.

    One row, :attr:`NOTHING`, stands where there is no photo any more: it has no bytes, and its ``size`` is 0.
    """

    NOTHING = "0" * 64

    sha256 = models.CharField(max_length=64, unique=True, validators=[RegexValidator(r"^[0-9a-f]{64}$")])
    format = models.CharField(max_length=8)
    width = models.PositiveIntegerField(help_text="pixels, after EXIF orientation")
    height = models.PositiveIntegerField(help_text="pixels, after EXIF orientation")
    size = models.BigIntegerField(help_text="bytes")
    brightness = models.FloatField(null=True, help_text="mean luma, 0 to 255")
    sharpness = models.FloatField(null=True, help_text="variance of the Laplacian of the screen rendition")
    taken_at = models.DateTimeField(null=True, blank=True, help_text="from EXIF")
    rendered = models.PositiveSmallIntegerField(
        default=current_version, help_text="version of the renditions that were made of it"
    )
    fingerprint = models.BinaryField(
        null=True, max_length=32, help_text="what it looks like, in 256 bits; empty where that tells nothing"
    )
    fingerprint_parts = ArrayField(
        models.IntegerField(), default=list, help_text="the same, as the index looks it up"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["rendered", "id"], name="image_by_renditions"),
            GinIndex(fields=["fingerprint_parts"], name="image_by_fingerprint"),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]


class Item(models.Model):
    """An image in a project: the thing that is queued, answered and settled.

    One that was erased, or is about to be, is in no project: its image is nothing, and it has no name. What was said and
    decided of it stays, and names its project by itself.
    """

    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="items")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="items")
    source = models.CharField(max_length=200, blank=True, help_text="folder, upload or archive it came from")
    name = models.CharField(max_length=400, blank=True, help_text="file name at intake")
    random_key = models.FloatField(
        help_text="exponential beyond the walk's place at intake: the order in which the audit draws"
    )
    audit_drawn_at = models.DateTimeField(null=True, blank=True)
    answers_wanted = models.PositiveSmallIntegerField(
        null=True,
        help_text="blind answers, where it was drawn, or answered at the boundary, to get more; null: as others",
    )
    twins_of = models.BigIntegerField(
        null=True, help_text="id of the oldest of the project's photos that are nearly the same"
    )
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "image"], name="image_once_a_project")]
        indexes = [
            models.Index(
                fields=["project", "random_key"],
                condition=Q(audit_drawn_at__isnull=True),
                name="item_next_audit",
            ),
            models.Index(
                fields=["project", "random_key"],
                condition=Q(audit_drawn_at__isnull=False),
                name="item_audit_place",
            ),
            models.Index(fields=["project", "id"], name="item_of_project"),
            models.Index(
                fields=["project", "twins_of"],
                condition=Q(twins_of__isnull=False),
                name="item_of_twins",
            ),
            models.Index(fields=["project", "source", "id"], name="item_of_source"),
            GinIndex(NameParts(), name="item_by_name_parts"),
            models.Index(fields=["id"], condition=Q(project__isnull=True), name="item_erased"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.image_id)


class Metadata(models.Model):
    """What is known of a photo beside its picture, as of now: name -> text or number."""

    item = models.OneToOneField(Item, primary_key=True, on_delete=models.CASCADE, related_name="metadata")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    data = models.JSONField()

    class Meta:
        indexes = [GinIndex(MetadataParts(), name="metadata_by_parts")]

    def __str__(self) -> str:
        return ", ".join(self.data)


class MetadataNumber(models.Model):
    """A number or day of a photo's metadata, kept by a trigger to be found from–to (``metadata_numbers.py``)."""

    pk = models.CompositePrimaryKey("item_id", "name")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=60)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.FloatField()

    class Meta:
        indexes = [
            models.Index(
                F("project"),
                F("name"),
                F("item").bitrightshift(BLOCK_BITS),
                F("number"),
                name="metadata_by_number",
            )
        ]


class MetadataChange(models.Model):
    """What somebody, or a delivery, said of a photo: name -> text or number, or null for what was taken away."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="metadata_changes")
    data = models.JSONField()
    origin = models.CharField(max_length=400, blank=True, help_text="the delivery that it came with")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        triggers = [append_only(texts=["origin"], objects=["data"])]

    def __str__(self) -> str:
        return ", ".join(self.data)


class Likeness(models.Model):
    """Two photos of which the second may be the first, saved again: by their fingerprints at intake, then by embeddings.

    ``image`` is a photo of the project too, unless it was set aside for this.
    """

    #: Farther apart than this they are two pictures: the ratio of nearest photos, measured in
    #: ``docs/decisions/0021-near-duplicates.md``.
    SURE = 0.7

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="likenesses")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+", help_text="was there first")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="+", help_text="came later")
    bits = models.PositiveSmallIntegerField(help_text="in which the fingerprints differ")
    ratio = models.FloatField(
        null=True,
        help_text="how far apart their embeddings are, where 1 is how near others are; null: not compared yet",
    )
    set_aside = models.BooleanField(default=False, help_text="the second did not come in for this, at first")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "image", "item"], name="likeness_once"),
        ]
        indexes = [
            models.Index(
                fields=["project", "id"], condition=Q(ratio__isnull=True), name="likeness_to_compare"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} is {self.bits} bits from {self.item_id}"


class Exemplar(models.Model):
    """A photo that shows a class, under one guideline version."""

    definition = models.ForeignKey(ClassDefinition, on_delete=models.CASCADE, related_name="exemplars")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="+")
    caption = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["definition", "image"], name="exemplar_once")]
        triggers = [append_only(rows=True)]

    def __str__(self) -> str:
        return self.caption or str(self.image_id)


class IntakeKind(models.TextChoices):
    UPLOAD = "upload"
    ZIP = "zip"
    FOLDER = "folder"
    URLS = "urls"
    BUCKET = "bucket"


class WatchedSource(models.Model):
    """Where photos come from again and again: what is new or changed there comes in by itself, what is gone is told."""

    class Kind(models.TextChoices):
        FOLDER = IntakeKind.FOLDER, _("Folder on the server")
        BUCKET = IntakeKind.BUCKET, _("Bucket")

    #: Minutes between two looks.
    OFTEN, SELDOM = 5, 10_080

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="watched_sources")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    address = models.CharField(
        max_length=800, help_text="a folder, or the name of a bucket that is open and folders in it"
    )
    minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(OFTEN), MaxValueValidator(SELDOM)]
    )
    paused = models.BooleanField(default=False)
    removed_at = models.DateTimeField(null=True, help_text="watched no more; what came in by it stays")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    looked_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=400, blank=True, help_text="of the last look")
    there = models.PositiveIntegerField(default=0, help_text="files, as of the last look that succeeded")
    new = models.PositiveIntegerField(
        default=0, help_text="files that the last look found for the first time"
    )
    changed = models.PositiveIntegerField(default=0, help_text="with another content, or asked for again")
    gone = models.PositiveIntegerField(default=0, help_text="photos that are here and there no more")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "address"], name="watched_once_a_project")
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def said(self) -> str:
        """The error, in the reader's language."""
        return told(self.error)


class IntakeBatch(models.Model):
    """Photos that came in together. The work is done by the job of kind ``intake`` with this id in its args."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="intake_batches")
    kind = models.CharField(max_length=8, choices=IntakeKind.choices)
    source = models.CharField(max_length=400)
    encoding = models.CharField(
        max_length=12,
        blank=True,
        default="",
        help_text="of names that came as bytes; empty: to be found, or none did",
    )
    encoding_guessed = models.BooleanField(default=False, help_text="another encoding would fit as well")
    watched = models.ForeignKey(
        WatchedSource, null=True, blank=True, on_delete=models.SET_NULL, related_name="batches"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class IntakeOutcome(models.TextChoices):
    PENDING = "pending"
    ADDED = "added"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class IntakeFile(models.Model):
    """One file of a batch, and what became of it. A resumed job goes on with the pending ones."""

    batch = models.ForeignKey(IntakeBatch, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=400)
    name_bytes = models.BinaryField(
        null=True, help_text="the name as it came, where nothing said how it is meant"
    )
    path = models.CharField(max_length=1000, help_text="where the bytes wait, relative to the batch's source")
    outcome = models.CharField(max_length=9, choices=IntakeOutcome.choices, default=IntakeOutcome.PENDING)
    reason = models.CharField(max_length=30, blank=True, help_text="code, when refused")
    detail = models.CharField(max_length=400, blank=True, help_text="what to do, when refused")
    image = models.ForeignKey(Image, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sha256 = models.CharField(
        max_length=64, blank=True, default="", help_text="of an upload, and of what was refused for its bytes"
    )
    metadata = models.JSONField(null=True, help_text="what came with it, until the photo has it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "path"], name="intake_file_once")]
        indexes = [
            models.Index(fields=["batch", "id"], condition=Q(outcome="pending"), name="intake_pending"),
            models.Index(fields=["batch", "outcome", "id"], name="intake_outcome"),
            models.Index(fields=["sha256"], condition=~Q(sha256=""), name="intake_file_by_hash"),
        ]

    def __str__(self) -> str:
        return self.name


class WatchedFile(models.Model):
    """A file of a watched source as it was when it was taken in last; ``file`` says what became of it."""

    source = models.ForeignKey(WatchedSource, on_delete=models.CASCADE, related_name="files", db_index=False)
    path = models.CharField(max_length=1000)
    version = models.CharField(max_length=100, blank=True, help_text="another one where its bytes may differ")
    file = models.ForeignKey(IntakeFile, null=True, on_delete=models.SET_NULL, related_name="watched")
    gone_at = models.DateTimeField(null=True, help_text="first look that did not find it any more")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "path"], name="watched_file_once")]

    def __str__(self) -> str:
        return self.path


class Activity(models.Model):
    """What happened in a project, for its admins: appended, shown newest first."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="activities")
    kind = models.CharField(max_length=40)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "-id"], name="activity_of_project")]
        triggers = [append_only(objects=["data"])]

    def __str__(self) -> str:
        return self.kind


class Damage(models.Model):
    """What of the store is lost or damaged, and is brought back by no computing. Whole again, its row goes."""

    name = models.CharField(max_length=400, unique=True, help_text="in the store")
    found_at = models.DateTimeField(auto_now_add=True)


class Erased(models.Model):
    """Bytes that are not to come back: into one project, or, once nobody held them any more, into any.

    Neither photo nor hash: ``digest`` is a SHA-256 over the hash (:mod:`labeling.catalog.erased`).
    """

    digest = models.CharField(max_length=64)
    project = models.ForeignKey(Project, null=True, on_delete=models.SET_NULL, related_name="+")
    everywhere = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["digest", "project"], nulls_distinct=False, name="erased_once_a_project"
            )
        ]

    def __str__(self) -> str:
        return self.digest[:12]
