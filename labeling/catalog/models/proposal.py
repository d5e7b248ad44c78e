"""Changes of the guideline that a reviewer asks for and an admin answers."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from labeling.catalog.models.guideline import Guideline
from labeling.catalog.models.project import Project
from labeling.database.append_only import APPEND_ONLY, append_only


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
