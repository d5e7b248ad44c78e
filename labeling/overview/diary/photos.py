"""Photos come in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from labeling.overview.diary.kind import Data, Kind


def _finished(data: Data) -> str:
    parts = [
        ngettext("%(n)s photo came in", "%(n)s photos came in", data["added"]) % {"n": data["added"]}
        if data["added"]
        else str(_("no photo came in"))
    ]
    if n := data.get("duplicate"):
        parts.append(ngettext("%(n)s was here already", "%(n)s were here already", n) % {"n": n})
    if n := data.get("refused"):
        parts.append(ngettext("%(n)s was refused", "%(n)s were refused", n) % {"n": n})
    return _("Intake of %(source)s: %(what)s.") % {"source": data["source"], "what": ", ".join(parts)}


def _let_in(data: Data) -> str:
    return ngettext(
        "%(n)s photo that was set aside came in: it is another picture after all.",
        "%(n)s photos that were set aside came in: they are other pictures after all.",
        data["photos"],
    ) % {"n": data["photos"]}


KINDS = {
    "intake_started": Kind("folder-up", "intake", _("%(who)s began an intake of %(source)s.")),
    "intake_finished": Kind("folder-up", "intake", _finished),
    "intake_cancelled": Kind("folder-up", "intake", _("%(who)s stopped an intake.")),
    "intake_discarded": Kind(
        "folder-up",
        "intake",
        ngettext_lazy(
            "%(who)s gave up %(files)s file of an intake.",
            "%(who)s gave up %(files)s files of an intake.",
            "files",
        ),
    ),
    "intake_renamed": Kind(
        "folder-up", "intake", _("%(who)s had the names of %(source)s read in another encoding.")
    ),
    "source_watched": Kind(
        "eye", "sources", _("%(who)s has %(address)s watched: what is new there comes in.")
    ),
    "source_paused": Kind("circle-pause", "sources", _("%(who)s paused the source %(address)s.")),
    "source_resumed": Kind("circle-play", "sources", _("%(who)s let the source %(address)s go on.")),
    "source_removed": Kind(
        "eye-off", "sources", _("%(who)s removed the source %(address)s: it is watched no more.")
    ),
    "near_duplicates_let_in": Kind("images", "near-duplicates", _let_in),
}
