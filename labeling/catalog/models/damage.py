"""What the store lost."""

from __future__ import annotations

from django.db import models


class Damage(models.Model):
    """What of the store is lost or damaged, and is brought back by no computing. Whole again, its row goes."""

    name = models.CharField(max_length=400, unique=True, help_text="in the store")
    why = models.TextField(
        blank=True, db_default="", help_text="and what to do, of a photo that stays where it is"
    )
    found_at = models.DateTimeField(auto_now_add=True)
