"""What the machine may decide, what it decided, and the last word of people."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.base import File
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.intake import is_on_its_way
from labeling.catalog.models import IntakeKind, Item, Project
from labeling.catalog.permissions import Action, project_for
from labeling.catalog.photos import PhotoRefused, judge_header
from labeling.catalog.services import start_intake
from labeling.frontier.bands import BandRow, band_table
from labeling.frontier.changing_policy import set_policy
from labeling.frontier.explanations import Explanation, explanation_of, heat_of, request_explanation
from labeling.frontier.models import AutomaticDecision, Mode
from labeling.frontier.picture import picture
from labeling.frontier.policy import FIELDS, policy_of
from labeling.frontier.selectors import FrontierStatus, became, decision_to_tell, decisions, frontier_status
from labeling.frontier.services import (
    MOST_DRAWN,
    decide_one,
    draw_for_band,
    draw_random,
    overrule,
    request_certification,
)
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, paged, user_of
from labeling.gateway.api.fields import ClassKey, FiniteFloat, Sha256
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.monitoring import ShareOut, share_of
from labeling.gateway.api.review import item_named
from labeling.gateway.pagination import page_by_id
from labeling.gateway.parsers import StrictJSONParser
from labeling.people.models import User
from labeling.queue.services import reopen_band
from labeling.refusals import Refused

_DECISION = OpenApiParameter("decision_id", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH)


class DecideIn(StrictSerializer):
    """One of them: the hash of a photo that the project holds, or a photo."""

    sha256 = Sha256(required=False)
    photo = serializers.FileField(required=False)


class DecisionOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    mode = serializers.ChoiceField(Mode.choices)
    state = serializers.ChoiceField(["standing", "shadow", "overruled", "suspended"])
    margin = serializers.FloatField()
    scores = serializers.DictField(child=serializers.FloatField(), help_text="class key → probability")
    model = serializers.IntegerField()
    guideline = serializers.IntegerField()
    certificate = serializers.IntegerField()
    precision = serializers.FloatField(help_text="stated by the certificate")
    created_at = serializers.DateTimeField()
    overruled_by = serializers.CharField(allow_null=True)
    overruled_because = serializers.CharField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": serializers.CharField()}


class VerdictOut(serializers.Serializer[Any]):
    sha256 = serializers.CharField()
    by = serializers.ChoiceField(["machine", "people", "queue"])
    reason = serializers.CharField(
        allow_blank=True,
        help_text="in the queue: off, shadow, no_model, no_certificate, not_scored, outside, with_people, overruled, "
        "new; by people: class, hold, unusable",
    )
    decision = DecisionOut(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": serializers.CharField(allow_blank=True)}


class OverruleIn(StrictSerializer):
    reason = serializers.CharField(max_length=300)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": ClassKey(required=False, allow_blank=True)}


class PolicyIn(StrictSerializer):
    precision = FiniteFloat(required=False, min_value=0.5, max_value=0.999)
    delta = FiniteFloat(required=False, min_value=0.001, max_value=0.5)
    undecided_are_errors = serializers.BooleanField(required=False)
    planned_labels = serializers.IntegerField(required=False, min_value=20, max_value=1_000_000)
    mode = serializers.ChoiceField(Mode.choices, required=False)
    audit_share = FiniteFloat(required=False, min_value=0, max_value=1)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)


class PolicyOut(serializers.Serializer[Any]):
    precision = serializers.FloatField()
    delta = serializers.FloatField()
    undecided_are_errors = serializers.BooleanField()
    planned_labels = serializers.IntegerField()
    mode = serializers.ChoiceField(Mode.choices)
    audit_share = serializers.FloatField()


class CertificateOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    threshold = serializers.FloatField(help_text="lowest margin")
    coverage = serializers.FloatField(help_text="share of the pool's photos of this predicted class")
    precision = serializers.FloatField()
    n = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]  # our word
    bound = serializers.FloatField()
    method = serializers.CharField()
    digest = serializers.CharField()
    created_at = serializers.DateTimeField()


class FrontierClassOut(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["certified", "suspended", "open"])
    says = serializers.CharField()
    certificate = CertificateOut(allow_null=True)
    steps = serializers.ListField(
        child=serializers.DictField(), help_text="the newest walk, from the extreme inward"
    )

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": serializers.CharField()}


class FrontierOut(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        ["no_model", "not_asked", "certifying", "certified", "suspended", "uncertified"]
    )
    says = serializers.CharField()
    model = serializers.IntegerField(allow_null=True)
    guideline = serializers.IntegerField()
    coverage = serializers.FloatField(allow_null=True, help_text="share of the pool inside the frontier")
    decided = serializers.IntegerField()
    policy = PolicyOut()
    classes = FrontierClassOut(many=True)


def _present(decision: AutomaticDecision, keys: dict[int, str]) -> dict[str, Any]:
    try:
        overruled = decision.overruled
    except ObjectDoesNotExist:
        overruled = None
    return {
        "id": decision.pk,
        "sha256": decision.item.image.sha256,
        "name": decision.item.name,
        "mode": decision.mode,
        "state": became(decision),
        "class": decision.label_class.key,
        "margin": decision.confidence,
        "scores": {
            keys[class_id]: share
            for class_id, share in zip(decision.model_version.classes, decision.probabilities, strict=True)
        },
        "model": decision.model_version.number,
        "guideline": decision.certificate.guideline.number,
        "certificate": decision.certificate_id,
        "precision": decision.certificate.precision,
        "created_at": decision.created_at,
        "overruled_by": overruled.by.get_username() if overruled else None,
        "overruled_because": overruled.reason if overruled else None,
    }


def _policy(project: Any) -> dict[str, Any]:
    policy = policy_of(project)
    return {name: getattr(policy, name) for name in FIELDS}


class FrontierView(ApiView):
    @documented(
        "get_frontier", "What is certified, and what is still missing", returns=FrontierOut, tag="frontier"
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.OVERRULE)
        now = frontier_status(project)
        return Response({**_status(now), "policy": _policy(project)})

    @documented(
        "set_frontier_policy",
        "Say what must be proven, and whether the machine decides (admins)",
        takes=PolicyIn,
        returns=PolicyOut,
        tag="frontier",
    )
    def patch(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.DECIDE)
        given = PolicyIn(data=request.data)
        given.is_valid(raise_exception=True)
        set_policy(project=project, by=user_of(request), **given.validated_data)
        return Response(_policy(project))


def _status(now: FrontierStatus) -> dict[str, Any]:
    return {
        "state": now.state,
        "says": now.says,
        "model": now.model.number if now.model else None,
        "guideline": now.guideline,
        "coverage": now.coverage,
        "decided": now.decided,
        "classes": [
            {
                "class": each.definition.label_class.key,
                "state": each.state,
                "says": each.says,
                "certificate": CertificateOut(each.certificate).data if each.certificate else None,
                "steps": each.steps,
            }
            for each in now.classes
        ],
    }


class GateOut(serializers.Serializer[Any]):
    band = serializers.IntegerField(help_text="0 is the outermost")
    state = serializers.ChoiceField(["closed", "open", "settled"])
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


class BandsOut(serializers.Serializer[Any]):
    bands = GateOut(many=True)


class ReopenIn(StrictSerializer):
    band = serializers.IntegerField(min_value=0, max_value=19)
    reason = serializers.CharField(max_length=300)


class ReopenOut(serializers.Serializer[Any]):
    band = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="ground truths until the queue goes on")


class BandsView(ApiView):
    @documented(
        "list_bands",
        "Every band with its gate, and why it has not settled yet",
        returns=BandsOut,
        tag="frontier",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.OVERRULE)
        return Response({"bands": [_gate(row) for row in band_table(project, picture(project))]})


def _gate(row: BandRow) -> dict[str, Any]:
    gate = row.gate
    return {
        "band": gate.number,
        "state": gate.state,
        "here": gate.here,
        "ground_truths": gate.ground_truths,
        "needed": gate.needed,
        "waiting": row.waiting,
        "settled": row.settled,
        "agreement": share_of(row.agreement) if row.agreement else None,
        "alpha": row.reliability.alpha if row.reliability else None,
        "holds": row.holds,
        "disputes": row.disputes,
        "certified": [each.key for each in row.proven if each.state == "certified"],
        "suspended": [each.key for each in row.proven if each.state == "suspended"],
        "says": gate.says,
    }


class ReopenBandView(ApiView):
    @documented(
        "reopen_band",
        "Call the queue back to a band that it has passed, until it has what is missing (admins)",
        takes=ReopenIn,
        returns=ReopenOut,
        errors=(409,),
        tag="frontier",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = ReopenIn(data=request.data)
        given.is_valid(raise_exception=True)
        missing = reopen_band(project=project, by=user_of(request), **given.validated_data)
        return Response({"band": given.validated_data["band"], "missing": missing})


class DrawIn(StrictSerializer):
    """Photos of the whole pool, or, with a class, of the region that its next threshold closes."""

    count = serializers.IntegerField(
        min_value=1,
        max_value=MOST_DRAWN,
        required=False,
        help_text="with a class it may be left out: what the newest look said that the threshold lacks",
    )

    def get_fields(self) -> dict[str, Any]:
        said = ClassKey(required=False, help_text="key of a predicted class")
        return {**super().get_fields(), "class": said}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "count" not in attrs and "class" not in attrs:
            raise serializers.ValidationError({"count": [_("Say how many, or of which class.")]})
        return attrs


class DrawOut(serializers.Serializer[Any]):
    drawn = serializers.IntegerField()


class DrawView(ApiView):
    @documented(
        "draw_random",
        "Draw photos at random from the pool, and ask people for them before all others (admins)",
        takes=DrawIn,
        returns=DrawOut,
        errors=(409,),
        tag="frontier",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.DECIDE)
        given = DrawIn(data=request.data)
        given.is_valid(raise_exception=True)
        said, by = given.validated_data, user_of(request)
        if "class" in said:
            drawn = draw_for_band(project=project, by=by, class_key=said["class"], count=said.get("count"))
        else:
            drawn = draw_random(project=project, by=by, count=said["count"])
        return Response({"drawn": drawn})


class CertifyView(ApiView):
    @documented(
        "certify",
        "Hold the random labels against the champion, as a job (admins)",
        returns=JobOut,
        status=202,
        errors=(409,),
        tag="frontier",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.DECIDE)
        return Response(present_job(request_certification(project=project, by=user_of(request))), status=202)


class DecideView(ApiView):
    parser_classes = (StrictJSONParser, MultiPartParser)
    throttle_scope = "intake"

    @documented(
        "decide",
        "Who decides a photo: the machine now, if it lies inside the frontier, else people (admins). A photo that is "
        "new is taken in (202): ask again by its sha256 when it has been scored. One that cannot be taken in is refused "
        "with the reason (422), at once or when you ask again.",
        takes={"application/json": DecideIn, "multipart/form-data": DecideIn},
        returns=VerdictOut,
        also={202: VerdictOut},
        errors=(409, 413, 429),
        tag="frontier",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.DECIDE)
        given = DecideIn(data=request.data)
        given.is_valid(raise_exception=True)
        if len(given.validated_data) != 1:
            raise Refused.invalid(None, _("Send exactly one of: sha256, photo."))
        photo = given.validated_data.get("photo")
        sha256 = given.validated_data.get("sha256") or _hash_of(photo)
        item = Item.objects.filter(project=project, image__sha256=sha256).first()
        if item is None:
            if photo is not None:
                _take_in(project, user_of(request), photo, sha256)
            elif not is_on_its_way(project, sha256):
                item_named(project, sha256)  # a 404
            told = {"sha256": sha256, "by": "queue", "class": "", "reason": "new", "decision": None}
            return Response(told, status=202)
        found = decide_one(project=project, item_id=item.pk)
        keys = dict(project.label_classes.values_list("pk", "key"))
        return Response(
            {
                "sha256": sha256,
                "by": found.by,
                "class": found.label_class,
                "reason": found.reason,
                "decision": _present(decisions(project).get(pk=found.decision.pk), keys)
                if found.decision
                else None,
            }
        )


def _hash_of(photo: File[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in photo.chunks():
        digest.update(chunk)
    photo.seek(0)
    return digest.hexdigest()


#: Refusals that only decoding shows. The same bytes would be refused again, and the program would ask for ever.
_BROKEN = frozenset({"truncated", "bad_exif"})


def _take_in(project: Project, by: User, photo: File[bytes], sha256: str) -> None:
    """Start the photo's intake, unless it is on its way. Raises :class:`Refused` where it is known to be no photo."""
    if photo.size > settings.INTAKE_MAX_BYTES:
        raise PhotoRefused("too_large")
    judge_header(photo.read())
    try:
        if is_on_its_way(project, sha256):
            return
    except Refused as refusal:
        if refusal.code in _BROKEN:
            raise
    start_intake(project=project, by=by, kind=IntakeKind.UPLOAD, files=[photo])


class DecisionsView(ApiView):
    @documented(
        "list_decisions",
        "Automatic decisions, shadow ones too, with what became of them; never ground truths. One whose photo people "
        "are asked about, blind, is listed when they have settled it",
        returns=paged("DecisionPage", DecisionOut),
        pages=True,
        tag="frontier",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.OVERRULE)
        keys = dict(project.label_classes.values_list("pk", "key"))
        return Response(page_by_id(decisions(project).told(), request, lambda each: _present(each, keys)))


class OverruleView(ApiView):
    @documented(
        "overrule_decision",
        "Take an automatic decision back; the photo goes to people",
        takes=OverruleIn,
        returns=DecisionOut,
        parameters=[_DECISION],
        errors=(409,),
        tag="frontier",
    )
    def post(self, request: Request, slug: str, decision_id: int) -> Response:
        project = project_for(request.user, slug, Action.OVERRULE)
        decision = AutomaticDecision.objects.filter(project=project, pk=decision_id).first()
        if decision is None:
            raise Http404(_("There is no such decision."))
        given = OverruleIn(data=request.data)
        given.is_valid(raise_exception=True)
        overrule(
            decision=decision,
            by=user_of(request),
            reason=given.validated_data["reason"],
            class_key=given.validated_data.get("class", ""),
        )
        keys = dict(project.label_classes.values_list("pk", "key"))
        return Response(_present(decisions(project).get(pk=decision_id), keys))


class NeighbourOut(serializers.Serializer[Any]):
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    alike = serializers.FloatField(help_text="cosine of the standardised vectors")
    stands = serializers.BooleanField(help_text="whether the ground truth that it had then is still in force")

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"class": serializers.CharField(help_text="as it counts today")}


class ExplanationOut(serializers.Serializer[Any]):
    nearest = NeighbourOut(
        many=True, help_text="settled photos nearest in the backbone's space, most alike first"
    )
    heat = serializers.BooleanField(help_text="whether there is a heat map (`heat.png`)")
    before = serializers.FloatField(
        allow_null=True, help_text="the class's probability for the photo as it is"
    )
    lowest = serializers.FloatField(allow_null=True, help_text="with the most important part hidden")


def _decision(request: Request, slug: str, decision_id: int) -> tuple[Any, AutomaticDecision]:
    project = project_for(request.user, slug, Action.OVERRULE)
    decision = decision_to_tell(project, decision_id)
    if decision is None:
        raise Http404(_("There is no such decision."))
    return project, decision


class ExplanationView(ApiView):
    @documented(
        "get_explanation",
        "Why the machine decided so, once a worker has looked for it",
        returns=ExplanationOut,
        parameters=[_DECISION],
        errors=(409,),
        tag="frontier",
    )
    def get(self, request: Request, slug: str, decision_id: int) -> Response:
        project, decision = _decision(request, slug, decision_id)
        found = explanation_of(project, decision)
        if found.state != "done":
            raise Http404(_("Nobody has looked for it yet. Ask for it, and a worker does."))
        return Response(_explained(found))

    @documented(
        "explain_decision",
        "Have a worker look for it, as a job (202); where it is there already, 200 with it",
        returns=ExplanationOut,
        also={202: JobOut},
        parameters=[_DECISION],
        errors=(409,),
        tag="frontier",
    )
    def post(self, request: Request, slug: str, decision_id: int) -> Response:
        project, decision = _decision(request, slug, decision_id)
        job = request_explanation(decision=decision, by=user_of(request))
        if job is not None:
            return Response(present_job(job), status=202)
        return Response(_explained(explanation_of(project, decision)))


def _explained(found: Explanation) -> dict[str, Any]:
    return {
        "nearest": [
            {
                "sha256": each.item.image.sha256,
                "name": each.item.name,
                "class": each.key,
                "alike": each.similarity,
                "stands": each.stands,
            }
            for each in found.neighbours or []
        ],
        "heat": found.heat,
        "before": found.before,
        "lowest": found.lowest,
    }


class HeatView(ApiView):
    @documented(
        "get_heat",
        "What mattered in the photo, as a PNG to lay over it: the more opaque, the more",
        returns=None,
        also={(200, "image/png"): OpenApiResponse(OpenApiTypes.BINARY, description="the heat map")},
        parameters=[_DECISION],
        errors=(409,),
        tag="frontier",
    )
    def get(self, request: Request, slug: str, decision_id: int) -> HttpResponse:
        project, decision = _decision(request, slug, decision_id)
        heat = heat_of(project, decision.pk)
        if heat is None:
            raise Http404(_("There is no heat map of this decision."))
        return HttpResponse(heat, content_type="image/png")
