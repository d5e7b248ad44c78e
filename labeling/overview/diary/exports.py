"""What leaves the project."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labeling.overview.diary.kind import Data, Kind


def _exported(data: Data) -> str:
    said = {
        "annotations": _("%(who)s exported the answers as %(format)s."),
        "ground-truths": _("%(who)s exported the ground truths as %(format)s."),
        "decisions": _("%(who)s exported the machine's decisions as %(format)s."),
        "data-set": _("%(who)s downloaded a data set (%(format)s)."),
        "bundle": _("%(who)s took version %(number)s out (%(format)s)."),
    }
    return said[data["what"]] % data


KINDS = {
    "exported": Kind("download", "project-settings", _exported, many=_("%(who)s exported %(times)s files.")),
    "data_set": Kind("package", "data-sets", _("%(who)s made a data set (%(format)s).")),
    "feed_made": Kind("sheet", "feeds", _("%(who)s made the spreadsheet link “%(name)s”.")),
    "feed_prolonged": Kind("sheet", "feeds", _("%(who)s let the spreadsheet link “%(name)s” go on.")),
    "feed_revoked": Kind("unlink", "feeds", _("%(who)s revoked the spreadsheet link “%(name)s”.")),
}
