"""Labels that were made elsewhere."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from labeling.overview.diary.kind import Kind

KINDS = {
    "import_started": Kind("package-open", "imports", _("%(who)s sent labels to import: %(file)s.")),
    "import_applied": Kind(
        "package-open",
        "imports",
        ngettext_lazy(
            "%(who)s imported %(labels)s label of %(source)s.",
            "%(who)s imported %(labels)s labels of %(source)s.",
            "labels",
        ),
    ),
    "import_undone": Kind(
        "undo-2",
        "imports",
        ngettext_lazy(
            "%(who)s took back %(labels)s imported label of %(source)s.",
            "%(who)s took back %(labels)s imported labels of %(source)s.",
            "labels",
        ),
    ),
}
