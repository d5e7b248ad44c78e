"""Versions of the guideline, and what each says of the classes."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from labeling.catalog.models.photo import Image
from labeling.catalog.models.project import Project
from labeling.database.append_only import APPEND_ONLY, append_only


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
