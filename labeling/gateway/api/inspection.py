"""One inspection, and a program that waits for its verdict."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import endpoint, number_in_path
from labeling.gateway.api.inspections import InspectionOut, present_inspection
from labeling.gateway.waiting import LONGEST_S, seconds_to_wait, worth_waiting_for
from labeling.inspections.models import Check, Inspection, Outcome
from labeling.inspections.permissions import inspection_for
from labeling.people.models import User

_WAIT = OpenApiParameter(
    "wait",
    {"type": "number", "minimum": 0, "maximum": LONGEST_S, "default": 0},
    description="Seconds to wait while it has no verdict, or is held. The answer comes as soon as it has another one, and "
    "is as without `wait` where that does not come about in time.",
)


@route("inspections/<int:inspection_id>", "api-inspection", "inspections")
class InspectionView(ApiView):
    @endpoint(
        "get_inspection",
        "An inspection with its photos and its verdict; `wait` for one that holds it no more",
        may=Action.FIGURES,
        returns=InspectionOut,
        parameters=[number_in_path("inspection_id"), _WAIT],
    )
    def get(self, request: Request, inspection: Inspection) -> Response:
        seconds, by = seconds_to_wait(request), signed_in(request)
        answer = Response(present_inspection(inspection, by))
        if not seconds or not _is_held(inspection):
            return answer
        asked = Check.objects.filter(shot__version=inspection.version_id).values_list("project_id", flat=True)

        def ask() -> tuple[Response, bool]:
            # Whoever may no longer see it is told so, as if they asked now.
            person = User.objects.get(pk=by.pk)
            now = inspection_for(person, inspection.pk, Action.FIGURES)
            return Response(present_inspection(now, person)), not _is_held(now)

        # Of one of its projects: what happens in the others is seen some moments later.
        return worth_waiting_for(
            answer, project_id=asked.first() or 0, user_id=by.pk, seconds=seconds, ask=ask
        )


def _is_held(inspection: Inspection) -> bool:
    return inspection.outcome in ("", Outcome.HELD)
