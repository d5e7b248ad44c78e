"""What a call back says where nothing was decided. What was decided is told as any endpoint hears it. Nobody chooses it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.notify.kinds.kind import TEXT, WHOLE, Json, Kind, or_null
from labeling.notify.models import CallBack

UNDECIDED = "call_back.undecided"


def _undecided(rows: Sequence[str]) -> dict[str, Json]:
    return {
        str(each.pk): {
            "sha256": each.sha256 or None,
            "inspection": each.inspection_id,
            "external_id": each.inspection.external_id if each.inspection else None,
            "because": each.because,
        }
        for each in CallBack.objects.filter(pk__in=rows).select_related("inspection")
    }


KINDS = [
    Kind(
        UNDECIDED,
        1,
        _("A call back ends undecided"),
        "To whoever asked to be called back on one photo or inspection: it is over, and nothing is decided. `because`: "
        "`deadline`; of a photo `not_strict` (nobody is asked for a strict label any more), `erased`, `not_found` (it is no "
        "photo of the project), or the code with which `decide` refuses it, as `truncated` or `intake_stopped`.",
        {
            "sha256": or_null(TEXT),
            "inspection": or_null(WHOLE),
            "external_id": or_null(TEXT),
            "because": TEXT,
        },
        {"notify_callback": _undecided},
    )
]
