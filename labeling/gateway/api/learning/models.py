"""Model versions: training, figures, promotion, and the labels that one doubts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Item, LabelClass, Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.accuracy import AccuracyOut
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.photos import items_named
from labeling.gateway.api.shapes import Shape, StrictSerializer, like, paged
from labeling.gateway.pagination import page_by_id
from labeling.learning import selectors, services
from labeling.learning.accuracy import accuracy_of
from labeling.learning.erased import erased_of
from labeling.learning.models import ModelVersion, Promotion
from labeling.refusals import Refused


class TrainIn(StrictSerializer):
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)


class PromoteIn(StrictSerializer):
    reason = like(Promotion, "reason", default="")


class ReviewSuspiciousIn(StrictSerializer):
    photos = serializers.ListField(
        child=serializers.RegexField(r"^[0-9a-fA-F]{64}\Z"),
        required=False,
        max_length=1000,
        help_text="SHA-256 of doubted photos; left out: all of them.",
    )


class ReviewSuspiciousOut(Shape):
    sent = serializers.IntegerField(help_text="photos that went to review just now")


class PartOut(Shape):
    backbone = serializers.CharField()
    backbone_hash = serializers.CharField(
        help_text="SHA-256 of its weights and of how photos are shown to it"
    )
    dim = serializers.IntegerField(help_text="columns of the head's rows that are its vectors")


class ModelOut(Shape):
    number = serializers.IntegerField()
    champion = serializers.BooleanField()
    origin = serializers.ChoiceField(
        ModelVersion.Origin.choices,
        help_text="trained here, or elsewhere and registered as a head or imported as a classifier",
    )
    backbone = serializers.CharField(help_text="of several that are fused, their names")
    parts = PartOut(many=True, help_text="its backbones, in the order of the columns")
    classes = serializers.ListField(child=serializers.CharField(), help_text="order of the probabilities")
    ground_truths = serializers.IntegerField()
    snapshot = serializers.CharField(help_text="digest over (photo, class)")
    metrics = serializers.DictField(help_text="what was known at training")
    accuracy = AccuracyOut(
        allow_null=True,
        help_text="of the champion, on random photos that people settled since it was made; null for other versions",
    )
    comparison = serializers.DictField(allow_null=True)
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    promoted_at = serializers.DateTimeField(allow_null=True)


class ModelDetailOut(ModelOut):
    manifest = serializers.DictField()
    erased = serializers.IntegerField(help_text="photos that it learned from and that were erased since")
    findings = serializers.DictField(
        allow_null=True,
        help_text="Learning curve, forecast, slices, influential and doubted labels; photos by SHA-256.",
    )


def _presenter(project: Project) -> Callable[[ModelVersion], Json]:
    """How to show this project's versions: class keys and the champion are read once, not for each."""

    @cache
    def keys() -> dict[int, str]:
        """Read behind the versions, whose classes may be newer than this request."""
        return dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))

    champion = selectors.champion(project)
    accuracy = accuracy_of(champion) if champion else None

    def present(version: ModelVersion) -> Json:
        return ModelOut.of(
            version,
            parts=[PartOut.of(part) for part in version.parts],
            champion=champion is not None and champion.pk == version.pk,
            accuracy=AccuracyOut.of_version(accuracy) if champion and champion.pk == version.pk else None,
            classes=[keys()[pk] for pk in version.classes],
            ground_truths=len(version.snapshot.ground_truth_ids),
            snapshot=version.snapshot.digest,
            created_by=version.created_by.get_username() if version.created_by else None,
        )

    return present


def _findings(version: ModelVersion) -> dict[str, Any] | None:
    """As stored, with photos named by their hash and classes by their key."""
    found = selectors.diagnostics(version)
    if found is None:
        return None
    keys = version.metrics["order"]
    doubted, influential = found.findings["suspicious"], found.findings["influential"]
    listed = [*doubted["listed"], *influential["listed"]]
    hashes = dict(
        Item.objects.filter(pk__in=[each["item"] for each in listed]).values_list("pk", "image__sha256")
    )
    findings: dict[str, Any] = found.findings
    return findings | {
        "suspicious": doubted
        | {
            "listed": [
                {"sha256": hashes[each["item"]]}
                | {name: value for name, value in each.items() if name != "item"}
                | {"given": keys[each["given"]], "suggested": keys[each["suggested"]]}
                for each in doubted["listed"]
            ]
        },
        "influential": influential
        | {
            "listed": [
                {"sha256": hashes[each["item"]]}
                | {name: value for name, value in each.items() if name != "item"}
                for each in influential["listed"]
            ]
        },
    }


def _version(project: Project, number: int) -> ModelVersion:
    version = selectors.version(project, number) if number < 2**31 else None
    if version is None:
        raise Http404(_("There is no model version of this number in this project."))
    return version


def version_asked_for(request: Request, project: Project) -> ModelVersion | None:
    """The query's ``version``, if it was sent; 404 where the project has none of this number."""
    text = request.query_params.get("version")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        message = _("Send the number of a model version.")
        raise Refused.invalid("version", message, short=[message])
    return _version(project, int(text))


@route("projects/<slug:slug>/train", "api-train", "models")
class TrainView(ApiView):
    throttle_scope = "train"

    @endpoint(
        "train",
        "Train a model version, as a job (the one under way, if there is one)",
        may=Action.ADMIN,
        takes=TrainIn,
        returns=JobOut,
        status=202,
        errors=(409, 429),
    )
    def post(self, request: Request, project: Project, given: Json) -> Json:
        job = services.request_training(project=project, by=signed_in(request), seed=given["seed"])
        return present_job(job)


@route("projects/<slug:slug>/models", "api-models", "models")
class ModelsView(ApiView):
    @endpoint(
        "list_models", "Model versions, oldest first", may=Action.REVIEW, returns=paged("ModelPage", ModelOut)
    )
    def get(self, request: Request, project: Project) -> Json:
        return page_by_id(selectors.versions(project), request, _presenter(project))


@route("projects/<slug:slug>/models/<int:number>", "api-model", "models")
class ModelView(ApiView):
    @endpoint("get_model", "One model version, with its manifest", may=Action.REVIEW, returns=ModelDetailOut)
    def get(self, request: Request, project: Project, number: int) -> Json:
        version = _version(project, number)
        return _presenter(project)(version) | {
            "manifest": version.manifest,
            "erased": erased_of(version),
            "findings": _findings(version),
        }


@route("projects/<slug:slug>/models/<int:number>/promote", "api-promote", "models")
class PromoteView(ApiView):
    @endpoint(
        "promote",
        "Make a version the champion; promoting an earlier one rolls back",
        may=Action.ADMIN,
        takes=PromoteIn,
        returns=ModelOut,
        errors=(409,),
    )
    def post(self, request: Request, project: Project, number: int, given: Json) -> Json:
        version = _version(project, number)
        services.promote(model_version=version, by=signed_in(request), reason=given["reason"])
        return _presenter(project)(_version(project, number))


@route("projects/<slug:slug>/models/<int:number>/review", "api-model-review", "models")
class ReviewSuspiciousView(ApiView):
    @endpoint(
        "review_suspicious",
        "Send ground truths that a version doubts to review; photos that are there already are passed over",
        may=Action.ADMIN,
        takes=ReviewSuspiciousIn,
        returns=ReviewSuspiciousOut,
    )
    def post(self, request: Request, project: Project, number: int, given: Json) -> Json:
        version = _version(project, number)
        hashes = given.get("photos")
        if hashes is None:
            items = [each["item"] for each in selectors.suspicious(version)]
        else:
            items = items_named(project, hashes)
        sent = services.send_to_review(model_version=version, item_ids=items, by=signed_in(request))
        return {"sent": sent}
