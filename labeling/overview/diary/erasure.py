"""Photos are erased, brought back, or let in again."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from labeling.overview.diary.kind import Data, Kind


def _asked(data: Data) -> str:
    number = {"n": data["photos"]}
    photos = (
        ngettext("more than %(n)s photo", "more than %(n)s photos", data["photos"]) % number
        if data.get("more")
        else ngettext("%(n)s photo", "%(n)s photos", data["photos"]) % number
    )
    said = _("%(who)s had %(photos)s erased; they can be brought back for %(days)s days")
    return said % {**data, "photos": photos}


def _done(data: Data) -> str:
    return ngettext(
        "%(n)s photo is erased for good.", "%(n)s photos are erased for good.", data["photos"]
    ) % {"n": data["photos"]}


KINDS = {
    "erasure_asked": Kind("trash-2", "erasures", _asked, note="reason"),
    "erasure_undone": Kind("undo-2", "erasures", _("%(who)s brought back photos that were being erased.")),
    "erasure_done": Kind("trash-2", "erasures", _done),
    "erasure_lifted": Kind("folder-up", "erasures", _("%(who)s let a photo in again that was erased.")),
}
