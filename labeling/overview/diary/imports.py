"""Labels that were made elsewhere."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labeling.overview.diary.kind import Kind

KINDS = {
    "import_started": Kind("package-open", "imports", _("%(who)s sent labels to import: %(file)s.")),
    "import_applied": Kind("package-open", "imports", _("%(who)s imported %(labels)d labels of %(source)s.")),
    "import_undone": Kind(
        "undo-2", "imports", _("%(who)s took back %(labels)d imported labels of %(source)s.")
    ),
}
