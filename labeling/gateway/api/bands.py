"""The bands of the queue: how each stands, the order within, and an admin's word that opens one."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.frontier.bands import BandRow, band_table
from labeling.frontier.picture import picture
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.fields import ShareOut
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.shapes import Shape, StrictSerializer, like
from labeling.queue.models import BandOpening
from labeling.queue.services import open_next_band, reopen_band, request_ranking


class GateOut(Shape):
    band = serializers.IntegerField(help_text="0 is the outermost")
    state = serializers.ChoiceField(["closed", "open", "passed", "settled"])
    here = serializers.BooleanField(help_text="whether the queue is there")
    ground_truths = serializers.IntegerField(
        help_text="since it opened where the queue is, else in it or further out"
    )
    needed = serializers.IntegerField(help_text="0: the boundary needs none")
    waiting = serializers.IntegerField()
    settled = serializers.IntegerField()
    agreement = ShareOut(allow_null=True, help_text="photos shown from it on which all agree")
    alpha = serializers.FloatField(allow_null=True, help_text="Krippendorff's; null: undefined")
    holds = serializers.IntegerField(help_text="photos that somebody held")
    disputes = serializers.IntegerField(help_text="open ones")
    certified = serializers.ListField(child=serializers.CharField(), help_text="class keys")
    suspended = serializers.ListField(child=serializers.CharField(), help_text="class keys")
    says = serializers.CharField(help_text="what it still needs, or how the queue went on from it")


class BandsOut(Shape):
    bands = GateOut(many=True)


@route("projects/<slug:slug>/bands", "api-bands", "frontier")
class BandsView(ApiView):
    @endpoint(
        "list_bands",
        "Every band with its gate, and why it has not settled yet",
        may=Action.OVERRULE,
        returns=BandsOut,
    )
    def get(self, request: Request, project: Project) -> Json:
        return {"bands": [_gate(row) for row in band_table(project, picture(project))]}


def _gate(row: BandRow) -> dict[str, Any]:
    return GateOut.of(
        row.gate,
        band=row.gate.number,
        waiting=row.waiting,
        settled=row.settled,
        agreement=ShareOut.of(row.agreement) if row.agreement else None,
        alpha=row.reliability.alpha if row.reliability else None,
        holds=row.holds,
        disputes=row.disputes,
        certified=[each.key for each in row.proven if each.state == "certified"],
        suspended=[each.key for each in row.proven if each.state == "suspended"],
    )


class ReasonIn(StrictSerializer):
    reason = like(BandOpening, "reason", required=True, allow_blank=False)


class BandOut(Shape):
    band = serializers.IntegerField()


@route("projects/<slug:slug>/bands/open", "api-open-band", "monitoring")
class OpenBandView(ApiView):
    @endpoint(
        "open_band",
        "Move the queue one band inward, before it would by itself",
        may=Action.ADMIN,
        takes=ReasonIn,
        returns=BandOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        band = open_next_band(project=project, by=signed_in(request), reason=given["reason"])
        return {"band": band}


class ReopenIn(ReasonIn):
    band = serializers.IntegerField(min_value=0, max_value=like(Project, "bands").max_value - 1)


class ReopenOut(Shape):
    band = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="ground truths until the queue goes on")


@route("projects/<slug:slug>/bands/reopen", "api-reopen-band", "frontier")
class ReopenBandView(ApiView):
    @endpoint(
        "reopen_band",
        "Call the queue back to a band that it has passed, until it has what is missing",
        may=Action.ADMIN,
        takes=ReopenIn,
        returns=ReopenOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        missing = reopen_band(project=project, by=signed_in(request), **given)
        return {"band": given["band"], "missing": missing}


@route("projects/<slug:slug>/rank", "api-rank", "monitoring")
class RankView(ApiView):
    throttle_scope = "train"

    @endpoint(
        "rank",
        "Re-score and re-rank the pool, as a job",
        may=Action.ADMIN,
        returns=JobOut,
        status=202,
        errors=(409, 429),
    )
    def post(self, request: Request, project: Project) -> Json:
        return present_job(request_ranking(project=project, by=signed_in(request)))
