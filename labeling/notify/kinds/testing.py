"""What an endpoint is sent to see whether it hears. Nobody chooses it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.notify.kinds.kind import TEXT, UUID, Json, Kind
from labeling.notify.models import Endpoint

TEST = "endpoint.test"


def _test(rows: Sequence[str]) -> dict[str, Json]:
    return {
        str(each.pk): {"endpoint": str(each.pk), "name": each.name}
        for each in Endpoint.objects.filter(pk__in=rows)
    }


KINDS = [
    Kind(
        TEST,
        1,
        _("A test"),
        "Somebody asked whether this endpoint hears.",
        {"endpoint": UUID, "name": TEXT},
        {"notify_endpoint": _test},
    )
]
