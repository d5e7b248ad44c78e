"""Accounts. What a person may do in a project is a membership, and lives in the catalog."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person who signs in. ``is_superuser`` may create projects and manage accounts."""

    toured_at = models.DateTimeField(null=True, blank=True, help_text="When the labeling tour was seen.")

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class RateLimit(models.Model):
    """How often something was done in a window that is running; see :mod:`labeling.people.rate_limits`."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.count}"
