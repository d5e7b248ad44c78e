"""Who is in a project, and as what."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from labeling.catalog.models.project import Project, Role


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
