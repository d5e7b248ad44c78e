"""What must be proven and what the machine may do; what is certified, and what is still missing."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Project
from labeling.catalog.permissions import Action
from labeling.frontier.changing_policy import set_policy
from labeling.frontier.erased import erased_of
from labeling.frontier.models import Certificate, FrontierPolicy, Mode, PromiseKind
from labeling.frontier.one_answer import OneAnswer, one_answer
from labeling.frontier.policy import FIELDS
from labeling.frontier.status import frontier_status
from labeling.gateway.api.base import ApiView, route, signed_in
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import ModelInput, Shape


class PolicyIn(ModelInput):
    class Meta:
        model = FrontierPolicy
        fields = (*FIELDS, "reason")


class PolicyOut(Shape):
    promise = serializers.ChoiceField(
        PromiseKind.choices,
        help_text="what `precision` is of: what the machine decides alone; that, and what one answer that agrees settles, "
        "each for itself; or all labels together",
    )
    precision = serializers.FloatField()
    floor = serializers.FloatField(
        help_text="of a delivered set: precision of what the machine decides by itself"
    )
    delta = serializers.FloatField()
    undecided_are_errors = serializers.BooleanField()
    planned_labels = serializers.IntegerField()
    mode = serializers.ChoiceField(Mode.choices)
    audit_share = serializers.FloatField()


class CertificateOut(Shape):
    id = serializers.IntegerField()
    threshold = serializers.FloatField(help_text="lowest margin")
    coverage = serializers.FloatField(help_text="share of the pool's photos of this predicted class")
    precision = serializers.FloatField(
        help_text="stated of what the machine decides by itself; of a delivered set its floor"
    )
    n = serializers.IntegerField()
    errors_ = serializers.IntegerField()
    bound = serializers.FloatField()
    photos = serializers.IntegerField(
        allow_null=True, help_text="of the region, that were in the pool and open when the plan was written"
    )
    most_wrong = serializers.IntegerField(allow_null=True, help_text="of them, at most")
    rest = serializers.IntegerField(allow_null=True, help_text="of them, left to the machine at the look")
    known = serializers.IntegerField(
        allow_null=True, help_text="errors that people had found among the others"
    )
    assisted = serializers.FloatField(
        allow_null=True,
        help_text="lowest margin of the ring: from here up to the threshold one blind answer that is the prediction settles",
    )
    ring_n = serializers.IntegerField(
        allow_null=True, help_text="random labels of the ring whose first answer agreed"
    )
    ring_errors = serializers.IntegerField(allow_null=True, help_text="of them, wrong")
    erased = serializers.IntegerField(help_text="photos of its sample that were erased since")
    method = serializers.CharField()
    digest = serializers.CharField()
    created_at = serializers.DateTimeField()


class FrontierClassOut(Shape):
    state = serializers.ChoiceField(["certified", "suspended", "open"])
    says = serializers.CharField()
    open_audits = serializers.IntegerField(help_text="audited decisions that people have not settled")
    paused = serializers.BooleanField(
        help_text="nothing more of it is decided until people have answered most of those"
    )
    certificate = CertificateOut(allow_null=True)
    lacks = serializers.IntegerField(
        allow_null=True,
        help_text="random labels that the next threshold lacks; with a second reader those of the class until its one look, "
        "of a delivered set those of the pool",
    )
    steps = serializers.ListField(
        child=serializers.DictField(), help_text="the newest walk, from the extreme inward"
    )
    class_ = serializers.CharField()


class PlanOut(Shape):
    promise = serializers.ChoiceField(PromiseKind.choices)
    precision = serializers.FloatField()
    floor = serializers.FloatField(
        allow_null=True, help_text="of a delivered set: of what the machine decides"
    )
    delta = serializers.FloatField(help_text="what this use may spend, over all classes")


class OneAnswerOut(Shape):
    photos = serializers.IntegerField(help_text="drawn at random and settled strictly")
    right = serializers.IntegerField(help_text="of them, whose first blind answer is what strict labels say")
    agreeing = serializers.IntegerField(help_text="whose first blind answer is what the model predicts")
    agreeing_right = serializers.IntegerField(help_text="of those, where strict labels say so too")
    decisions = serializers.IntegerField(help_text="answers and rulings that these photos took")


class FrontierOut(Shape):
    state = serializers.ChoiceField(
        ["no_model", "not_asked", "certifying", "certified", "suspended", "uncertified"]
    )
    says = serializers.CharField()
    model = serializers.IntegerField(allow_null=True)
    guideline = serializers.IntegerField()
    coverage = serializers.FloatField(
        allow_null=True, help_text="share of the pool that the machine may decide alone"
    )
    assisted_coverage = serializers.FloatField(
        help_text="share of the pool in which one answer that agrees with the machine settles a photo"
    )
    decided = serializers.IntegerField(
        help_text="photos that stand as the machine decided, and that people have not settled since"
    )
    assisted = serializers.IntegerField(help_text="photos that one such answer settled")
    second_person = serializers.IntegerField(
        help_text="photos that had such an answer and wait for another all the same"
    )
    unusual_arrivals = serializers.IntegerField(
        help_text="photos that came since the plan and differ from the pool that it speaks of: left to people"
    )
    delta_ever = serializers.FloatField(
        help_text="bounds the chance that this project ever certified something false; policy.delta is each model version's"
    )
    precision_of_all = serializers.FloatField(
        allow_null=True,
        help_text="where holds do not count as errors: what is stated, times the share of random labels that are no holds",
    )
    one_answer = OneAnswerOut(
        help_text="for comparison, one answer a photo and no machine: measured on random photos, not certified"
    )
    policy = PolicyOut()
    plan = PlanOut(allow_null=True, help_text="of the newest look under the policy's promise")
    classes = FrontierClassOut(many=True)


@route("projects/<slug:slug>/frontier", "api-frontier", "frontier")
class FrontierView(ApiView):
    @endpoint(
        "get_frontier",
        "What is certified, and what is still missing",
        may=Action.OVERRULE,
        returns=FrontierOut,
    )
    def get(self, request: Request, project: Project) -> Json:
        now = frontier_status(project)
        classes = [
            FrontierClassOut.of(
                each,
                class_=each.definition.label_class.key,
                certificate=_certificate(each.certificate) if each.certificate else None,
            )
            for each in now.classes
        ]
        model = now.model.number if now.model else None
        return FrontierOut.of(
            now,
            model=model,
            unusual_arrivals=now.unusual.photos if now.unusual else 0,
            delta_ever=now.promise.delta_ever,
            precision_of_all=now.promise.precision_of_all,
            one_answer=_counted(one_answer(project, now.model)),
            policy=PolicyOut.of(now.policy),
            plan=PlanOut.of(now.look.plan) if now.look else None,
            classes=classes,
        )

    @endpoint(
        "set_frontier_policy",
        "Say what must be proven, and whether the machine decides",
        may=Action.DECIDE,
        takes=PolicyIn,
        returns=PolicyOut,
    )
    def patch(self, request: Request, project: Project, given: Json) -> Json:
        return PolicyOut.of(set_policy(project=project, by=signed_in(request), **given))


def _certificate(certificate: Certificate) -> Json:
    return CertificateOut.of(certificate, erased=erased_of(certificate.run))


def _counted(found: OneAnswer) -> Json:
    return {
        "photos": found.alone.whole,
        "right": found.alone.part,
        "agreeing": found.agreeing.whole,
        "agreeing_right": found.agreeing.part,
        "decisions": found.decisions,
    }
