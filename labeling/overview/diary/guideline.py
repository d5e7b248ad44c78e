"""What is asked: versions of the guideline, and who wants another."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labeling.overview.diary.kind import Data, Kind


def _changed(data: Data) -> str:
    if data.get("wording_only"):
        return _("%(who)s published guideline version %(number)s as another wording") % data
    return _("%(who)s published guideline version %(number)s") % data


KINDS = {
    "guideline_changed": Kind("book-open", "guideline", _changed, note="note"),
    "wording_objected": Kind(
        "book-open",
        "guideline",
        _("%(who)s counts guideline version %(number)s as a change of meaning"),
        note="note",
    ),
    "guideline_proposed": Kind(
        "book-open", "guideline", _("%(who)s proposed a change of the guideline"), note="note"
    ),
    "proposal_declined": Kind(
        "book-open", "guideline", _("%(who)s declined the change that %(whose)s had proposed"), note="note"
    ),
}
