"""Training, model versions, promotion, and the champion's scores."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.catalog.models import Item, LabelClass, Project
from labeling.catalog.permissions import Action, project_for
from labeling.gateway.api.base import ApiView, StrictSerializer, documented, paged, user_of
from labeling.gateway.api.fields import ClassKey, NewAddress
from labeling.gateway.api.guidelines import NewClass
from labeling.gateway.api.jobs import JobOut, present_job
from labeling.gateway.api.projects import ProjectOut
from labeling.gateway.api.projects import present as present_project
from labeling.gateway.pagination import page_by_id
from labeling.learning import selectors, services
from labeling.learning.deriving import MOST_GOLD, derive_project
from labeling.learning.models import ModelVersion, Score
from labeling.truth.models import Gold, GroundTruth

_SHA256 = re.compile("[0-9a-fA-F]{64}")


class TrainIn(StrictSerializer):
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)


class PromoteIn(StrictSerializer):
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class GoldRowIn(StrictSerializer):
    photo = serializers.CharField(max_length=400, help_text="file name or SHA-256")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["class"] = ClassKey(help_text="key of a class of the new project")
        return fields


class DeriveIn(StrictSerializer):
    slug = NewAddress()
    name = serializers.CharField(max_length=120)
    question = serializers.CharField(max_length=300)
    description = serializers.CharField(required=False, allow_blank=True, default="")
    classes = NewClass(many=True, allow_empty=False, max_length=50)  # type: ignore[call-arg]  # of a list
    only_class = serializers.CharField(
        max_length=60,
        required=False,
        allow_blank=True,
        default="",
        help_text="Only photos settled as this class of the source; empty: all.",
    )
    with_members = serializers.BooleanField(default=False)
    gold = GoldRowIn(  # type: ignore[call-arg]  # of a list
        many=True,
        required=False,
        max_length=MOST_GOLD,
        help_text="Photos whose answer is known: they become gold, and never train.",
    )

    def validate_gold(self, rows: list[dict[str, str]]) -> list[tuple[str, str]]:
        named: dict[str, str] = {}
        for row in rows:
            called = row["photo"].lower() if _SHA256.fullmatch(row["photo"]) else row["photo"]
            if called in named:
                raise serializers.ValidationError(
                    _("“%(photo)s” is named twice.") % {"photo": row["photo"][:80]}
                )
            named[called] = row["class"]
        return list(named.items())


class DeriveOut(serializers.Serializer[Any]):
    project = ProjectOut()
    job = JobOut()


class ReviewSuspiciousIn(StrictSerializer):
    photos = serializers.ListField(
        child=serializers.RegexField(r"^[0-9a-fA-F]{64}\Z"),
        required=False,
        max_length=1000,
        help_text="SHA-256 of doubted photos; left out: all of them.",
    )


class ReviewSuspiciousOut(serializers.Serializer[Any]):
    sent = serializers.IntegerField(help_text="photos that went to review just now")


class ModelOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    champion = serializers.BooleanField()
    backbone = serializers.CharField()
    classes = serializers.ListField(child=serializers.CharField(), help_text="order of the probabilities")
    ground_truths = serializers.IntegerField()
    snapshot = serializers.CharField(help_text="digest over (photo, class)")
    metrics = serializers.DictField()
    comparison = serializers.DictField(allow_null=True)
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    promoted_at = serializers.DateTimeField(allow_null=True)


class ModelDetailOut(ModelOut):
    manifest = serializers.DictField()
    findings = serializers.DictField(
        allow_null=True,
        help_text="Learning curve, forecast, slices, influential and doubted labels; photos by SHA-256.",
    )


class ScoreOut(serializers.Serializer[Any]):
    sha256 = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    predicted = serializers.CharField()
    confidence = serializers.FloatField(help_text="top probability minus the second")
    probabilities = serializers.DictField(child=serializers.FloatField(), help_text="class key → probability")
    labeled = serializers.BooleanField(help_text="there is a ground truth in force that people made")
    gold = serializers.BooleanField()


def _presenter(project: Project) -> Any:
    """How to show this project's versions: class keys and the champion are read once, not for each."""
    keys = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
    champion = selectors.champion(project)

    def present(version: Any) -> dict[str, Any]:
        return {
            "number": version.number,
            "champion": champion is not None and champion.pk == version.pk,
            "backbone": version.backbone,
            "classes": [keys[pk] for pk in version.classes],
            "ground_truths": len(version.snapshot.ground_truth_ids),
            "snapshot": version.snapshot.digest,
            "metrics": version.metrics,
            "comparison": version.comparison,
            "created_by": version.created_by.get_username() if version.created_by else None,
            "created_at": version.created_at,
            "promoted_at": version.promoted_at,
        }

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


class TrainView(ApiView):
    throttle_scope = "train"

    @documented(
        "train",
        "Train a model version, as a job (the one under way, if there is one)",
        takes=TrainIn,
        returns=JobOut,
        status=202,
        errors=(409, 429),
        tag="models",
    )
    def post(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = TrainIn(data=request.data)
        given.is_valid(raise_exception=True)
        job = services.request_training(
            project=project, by=user_of(request), seed=given.validated_data["seed"]
        )
        return Response(present_job(job), status=202)


class ModelsView(ApiView):
    @documented(
        "list_models",
        "Model versions, oldest first",
        returns=paged("ModelPage", ModelOut),
        pages=True,
        tag="models",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.REVIEW)
        return Response(page_by_id(selectors.versions(project), request, _presenter(project)))


class ModelView(ApiView):
    @documented("get_model", "One model version, with its manifest", returns=ModelDetailOut, tag="models")
    def get(self, request: Request, slug: str, number: int) -> Response:
        project = project_for(request.user, slug, Action.REVIEW)
        version = _version(project, number)
        return Response(
            _presenter(project)(version) | {"manifest": version.manifest, "findings": _findings(version)}
        )


class PromoteView(ApiView):
    @documented(
        "promote",
        "Make a version the champion; promoting an earlier one rolls back",
        takes=PromoteIn,
        returns=ModelOut,
        errors=(409,),
        tag="models",
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = PromoteIn(data=request.data)
        given.is_valid(raise_exception=True)
        version = _version(project, number)
        services.promote(model_version=version, by=user_of(request), reason=given.validated_data["reason"])
        return Response(_presenter(project)(_version(project, number)))


class ReviewSuspiciousView(ApiView):
    @documented(
        "review_suspicious",
        "Send ground truths that a version doubts to review; photos that are there already are passed over",
        takes=ReviewSuspiciousIn,
        returns=ReviewSuspiciousOut,
        tag="models",
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        given = ReviewSuspiciousIn(data=request.data)
        given.is_valid(raise_exception=True)
        version = _version(project, number)
        hashes = given.validated_data.get("photos")
        if hashes is None:
            items = [each["item"] for each in selectors.suspicious(version)]
        else:
            wanted = list(dict.fromkeys(each.lower() for each in hashes))
            known = Item.objects.filter(project=project, image__sha256__in=wanted)
            found = dict(known.values_list("image__sha256", "pk"))
            if strange := [each for each in wanted if each not in found]:
                raise Http404(
                    _("No photo of this project has the SHA-256 %(hashes)s.")
                    % {"hashes": ", ".join(strange[:3])}
                )
            items = [found[each] for each in wanted]
        sent = services.send_to_review(model_version=version, item_ids=items, by=user_of(request))
        return Response({"sent": sent})


class DeriveView(ApiView):
    @documented(
        "derive",
        "Found a project with another question on this one's photos and backbone; its photos come by a job",
        takes=DeriveIn,
        returns=DeriveOut,
        status=202,
        errors=(409,),
        tag="projects",
    )
    def post(self, request: Request, slug: str) -> Response:
        source = project_for(request.user, slug, Action.ADMIN)
        given = DeriveIn(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        classes = [dict(each) for each in fields.pop("classes")]
        project, job = derive_project(source=source, by=user_of(request), classes=classes, **fields)
        return Response(
            {"project": present_project(project, request.user), "job": present_job(job)}, status=202
        )


class ScoresView(ApiView):
    @documented(
        "list_scores",
        "The champion's scores (admins)",
        returns=paged("ScorePage", ScoreOut),
        pages=True,
        tag="models",
    )
    def get(self, request: Request, slug: str) -> Response:
        project = project_for(request.user, slug, Action.ADMIN)
        champion = selectors.champion(project)
        keys = selectors.class_keys(champion) if champion else []
        names = dict(LabelClass.objects.filter(project=project).values_list("pk", "key"))
        settled = GroundTruth.objects.current().exclude(origin="gold").filter(item_id=OuterRef("item_id"))
        known = Gold.objects.filter(item_id=OuterRef("item_id"), retired_at__isnull=True)
        scores = (
            Score.objects.filter(model_version=champion)
            .select_related("item__image")
            .annotate(labeled=Exists(settled), gold=Exists(known))
        )

        def present(score: Any) -> dict[str, Any]:
            return {
                "sha256": score.item.image.sha256,
                "name": score.item.name,
                "predicted": names[score.predicted_id],
                "confidence": score.confidence,
                "probabilities": dict(zip(keys, score.probabilities, strict=True)),
                "labeled": score.labeled,
                "gold": score.gold,
            }

        return Response(page_by_id(scores, request, present, key="item_id"))
