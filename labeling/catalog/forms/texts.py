"""Lists that are typed one a line."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

ONE_A_LINE = gettext_lazy("One a line.")


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
