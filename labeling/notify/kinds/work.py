"""What a project's activity tells: intakes, exports and erasures that are done. And labelers who are paused."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.catalog.models import Activity
from labeling.erasure.models import ErasedPhoto
from labeling.notify.kinds.kind import NUMBER, TEXT, UUID, WHOLE, Json, Kind, or_null
from labeling.truth.models import Pause

#: The most photos that one event of an erasure names.
NAMED = 1000


def _activities(rows: Sequence[str]) -> dict[str, Json]:
    return {str(each.pk): each.data for each in Activity.objects.filter(pk__in=rows)}


def _intake(rows: Sequence[str]) -> dict[str, Json]:
    names = ("batch", "added", "duplicate", "refused")
    return {row: {name: data.get(name) for name in names} for row, data in _activities(rows).items()}


def _export(rows: Sequence[str]) -> dict[str, Json]:
    names = ("what", "format", "data_set")
    return {row: {name: data.get(name) for name in names} for row, data in _activities(rows).items()}


def _erasure(rows: Sequence[str]) -> dict[str, Json]:
    told = {}
    for row, data in _activities(rows).items():
        gone = ErasedPhoto.objects.filter(erasure=data["erasure"], gone_at__isnull=False)
        ids = list(gone.order_by("item_id").values_list("item_id", flat=True)[:NAMED])
        told[row] = {"erasure": data["erasure"], "photos": data["photos"], "ids": ids}
    return told


def _paused(rows: Sequence[str]) -> dict[str, Json]:
    return {
        str(each.pk): {
            "labeler": each.labeler_id,
            "correct": each.correct,
            "asked": each.asked,
            "bar": each.bar,
        }
        for each in Pause.objects.filter(pk__in=rows)
    }


KINDS = [
    Kind(
        "intake.finished",
        1,
        _("An intake is done"),
        "Every file of an intake is accounted for.",
        {"batch": UUID, "added": WHOLE, "duplicate": WHOLE, "refused": WHOLE},
        {"catalog_activity": _intake},
    ),
    Kind(
        "export.finished",
        1,
        _("An export is taken"),
        "Answers, ground truths, decisions or a data set leave as a file.",
        {"what": TEXT, "format": TEXT, "data_set": or_null(UUID)},
        {"catalog_activity": _export},
    ),
    Kind(
        "labeler.paused",
        1,
        _("A labeler is paused"),
        "Too few of a labeler's last gold answers were right: `correct` of `asked`, and `bar` is the share that is "
        "asked for. `labeler` is the account's id.",
        {"labeler": WHOLE, "correct": WHOLE, "asked": WHOLE, "bar": NUMBER},
        {"truth_pause": _paused},
    ),
    Kind(
        "erasure.finished",
        1,
        _("Photos are erased"),
        f"What was asked to be erased is gone for good; erase it too. `ids`: of the photos, the first {NAMED}.",
        {"erasure": UUID, "photos": WHOLE, "ids": {"type": "array", "items": WHOLE}},
        {"catalog_activity": _erasure},
    ),
]
