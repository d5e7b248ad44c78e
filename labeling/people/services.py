"""What changes about a person."""

from __future__ import annotations

from django.utils import timezone

from labeling.people.models import User


def remember_tour(*, user: User) -> None:
    """The labeling tour was seen or dismissed; it is not shown again. Safe to repeat: the first time counts."""
    User.objects.filter(pk=user.pk, toured_at__isnull=True).update(toured_at=timezone.now())
