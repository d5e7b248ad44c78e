"""Free texts become categories."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labeling.overview.diary.kind import Kind

KINDS = {
    "vocabulary_made": Kind("tags", "categories", _("%(who)s has the texts of “%(name)s” normalised.")),
    "vocabulary_version": Kind(
        "tags",
        "categories",
        _("%(who)s put version %(number)s of the categories of “%(name)s” in force"),
        note="note",
    ),
}
