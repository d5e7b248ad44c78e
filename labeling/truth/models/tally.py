"""Counts that are kept."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from labeling.catalog.models import Project


class Tally(models.Model):
    """A part of a count, kept by the transaction that changes it; the count is their sum (:mod:`labeling.truth.tallies`).

    Appended, so that nobody waits for anybody, and folded into one row a count later. The database's triggers write it.
    """

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    what = models.CharField(max_length=10)
    at = models.DateTimeField(null=True, help_text="begin of the quarter of an hour")
    key = ArrayField(models.TextField())
    n = models.BigIntegerField()
    amount = models.BigIntegerField(default=0, db_default=0, help_text="milliseconds, of answers")
    folded = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "what", "at", "key"],
                condition=Q(folded=True),
                nulls_distinct=False,
                name="tally_folded_once",
            )
        ]
        indexes = [
            models.Index(fields=["project", "what", "at"], name="tally_of_project"),
            models.Index(fields=["id"], condition=Q(folded=False), name="tally_to_fold"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.key}: {self.n}"
