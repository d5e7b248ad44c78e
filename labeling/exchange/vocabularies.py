"""Which free texts are normalised, what each was said to be, and the versions in which that was put in force."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from labeling.catalog.metadata.values import LONGEST_NAME, LONGEST_TEXT
from labeling.catalog.models import Project
from labeling.database.append_only import append_only

#: Texts that one vocabulary tells apart. A column with more of them holds no categories.
MOST_TEXTS = 5000


class Vocabulary(models.Model):
    """The free texts that photos of a project have under one ``name`` of their metadata. What each of them is stands
    beside it, under ``target``, where the version in force knows the text."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="vocabularies")
    name = models.CharField(max_length=LONGEST_NAME)
    target = models.CharField(max_length=LONGEST_NAME)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="vocabulary_once_a_name"),
            models.UniqueConstraint(fields=["project", "target"], name="vocabulary_once_a_target"),
            models.CheckConstraint(condition=~Q(name=F("target")), name="vocabulary_keeps_the_text"),
        ]

    def __str__(self) -> str:
        return f"{self.name} as {self.target}"


class VocabularyVersion(models.Model):
    """What texts are, from when it was made to the next one. ``categories``: key of a text -> its category."""

    of = models.ForeignKey(Vocabulary, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    categories = models.JSONField()
    note = models.CharField(max_length=300)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["of", "number"], name="vocabulary_versions_in_turn")]
        triggers = [append_only(objects=["categories"])]

    def __str__(self) -> str:
        return f"{self.of_id}, version {self.number}"


class Why(models.TextChoices):
    """Why a category is proposed for a text."""

    ITSELF = "itself", _("Like no other text")
    SPELLING = "spelling", _("The same, spelled otherwise")
    WORDS = "words", _("Shares words")
    LOOKS = "looks", _("Its photos look alike")


class VocabularyText(models.Model):
    """One text, by its ``key``, as most photos have it: what is proposed, and what an admin said that it is.

    ``category``: said, and in force with the next version; nothing: it waits. ``count``, ``photos`` (some of theirs) and
    ``similar`` are as of the last look.
    """

    of = models.ForeignKey(Vocabulary, on_delete=models.CASCADE, related_name="texts")
    key = models.CharField(max_length=2 * LONGEST_TEXT)
    text = models.CharField(max_length=LONGEST_TEXT)
    count = models.PositiveIntegerField(default=0)
    photos = ArrayField(models.BigIntegerField(), default=list)
    category = models.CharField(max_length=LONGEST_TEXT, blank=True)
    proposed = models.CharField(max_length=LONGEST_TEXT, blank=True)
    why = models.CharField(max_length=8, choices=Why.choices, blank=True)
    like = models.CharField(max_length=LONGEST_TEXT, blank=True, help_text="the text that it is like")
    alike = models.PositiveSmallIntegerField(null=True, help_text="of its photos that look so")
    looked_at = models.PositiveSmallIntegerField(null=True, help_text="of how many")
    similar = ArrayField(models.CharField(max_length=LONGEST_TEXT), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["of", "key"], name="vocabulary_text_once")]

    def __str__(self) -> str:
        return f"{self.text}: {self.category or 'waits'}"
