"""A version's page leads with what to decide, and every number on it can be followed to its photos."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from inference.forecast import CurvePoint, forecast
from labeling.catalog.metadata import values as metadata
from labeling.catalog.models import Image, Item, Project, Role
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning import selectors, services, version_charts, version_page, wording
from labeling.learning.models import Diagnostics, ModelVersion
from labeling.learning.templatetags.figures import interval
from labeling.learning.version_page import read_share
from labeling.refusals import Refused
from labeling.truth.models import Dispute, GroundTruth
from labeling.truth.services import rule
from tests.factories import make_items, make_member, make_project
from tests.kept import made_once
from tests.learning.building import points, run_job, separable_project, settle, store_vectors
from tests.learning.test_pages import signed_in, text_of

pytestmark = pytest.mark.django_db


@made_once
def doubted_project(
    wrong: int = 3, *, apart: float = 1.0, **settings: Any
) -> tuple[Project, ModelVersion, list[Item]]:
    """A trained project in which ``wrong`` photos were settled as the other class; they come last."""
    project, _items, _keys = separable_project(60, unlabeled=20, apart=apart, **settings)
    odd = make_items(project, wrong, seed=9)
    store_vectors(
        project, [*odd, *make_items(project, 1, seed=10)], ["functional"] * wrong + ["defective"], apart=apart
    )
    settle(project, odd, ["defective"] * wrong)
    run_job(services.request_training(project=project, by=None))
    return project, ModelVersion.objects.get(project=project), odd


def page(project: Project, number: int = 1, **query: str) -> str:
    return text_of(signed_in(project).get(reverse("model", args=[project.slug, number]), query))


def test_a_training_keeps_how_it_judged_each_photo_and_that_agrees_with_the_metrics() -> None:
    _project, version, _odd = doubted_project()
    found = Diagnostics.objects.get(model_version=version)
    cross = version.metrics["cross_validated"]
    assert len(found.item_ids) == cross["n"] == len(found.truths) == len(found.confidence)
    matrix = [[0, 0], [0, 0]]
    for truth, said in zip(found.truths, found.predicted, strict=True):
        matrix[truth][said] += 1
    assert matrix == cross["confusion"]
    truths = dict(GroundTruth.objects.values_list("item_id", "label_class__key"))
    order = version.metrics["order"]
    assert all(truths[item] == order[truth] for item, truth in zip(found.item_ids, found.truths, strict=True))


def test_the_first_version_has_a_learning_curve_and_a_forecast() -> None:
    project, version, _odd = doubted_project()
    findings = version.diagnostics.findings
    sizes = [point["n"] for point in findings["curve"]]
    assert len(sizes) >= 3 and sizes == sorted(sizes) and sizes[-1] < 43
    assert findings["forecast"]["labels"] == 43
    text = page(project)
    assert "inverse power law" in text and "Estimate labels needed" in text


def test_a_wished_accuracy_is_answered_with_a_range_or_as_out_of_reach() -> None:
    project, version, _odd = doubted_project()
    reach = version.diagnostics.findings["forecast"]["reach"]
    for asked in (".9", "90", "0,9", "90 %"):
        wish = next(each for each in reach if each["accuracy"] == 0.9)
        assert wording.wish_sentence(wish, 20 * 43) in page(project, accuracy=asked)
    assert "Estimate labels needed" in page(project, accuracy="nonsense")
    unreachable = {"accuracy": 0.99, "more": None, "low": None, "high": None, "probability": 0.02}
    assert "not reachable within 860" in wording.wish_sentence(unreachable, 860)
    doubtful = {"accuracy": 0.95, "more": None, "low": 210, "high": None, "probability": 0.3}
    assert wording.wish_sentence(doubtful, 860).endswith("the chance is 30\u00a0%.")
    within = {"accuracy": 0.9, "more": 138, "low": 90, "high": 305, "probability": 0.95}
    assert wording.wish_sentence(within, 860) == ".90: about 140 more (90 to 310)."


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.85", 0.85), (".855", 0.855), ("0,9", 0.9), ("85", 0.85), ("85%", 0.85), ("99.5 %", 0.995),
        ("0.5 %", 0.005), ("1 %", 0.01), ("９０％", 0.9), (" ", None), ("", None),
    ],
)  # fmt: skip
def test_a_share_is_read_as_people_write_it(text: str, value: float | None) -> None:
    assert read_share(text) == (value if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    "text", ["abc", "150 %", "-1", "nan", "0", "1", "100", "inf", "1e-1", "0 %", "9" * 400]
)
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_share(text)
    assert refusal.value.status == 422 and "such as 90\u00a0%" in refusal.value.fields["accuracy"]


def test_nonsense_typed_as_a_wish_is_said_at_its_field_and_kept() -> None:
    project, _version, _odd = doubted_project()
    html = (
        signed_in(project)
        .get(reverse("model", args=[project.slug, 1]), {"accuracy": "150 %"})
        .content.decode()
    )
    field = html[html.index('<label for="accuracy"') : html.index("Estimate labels needed")]
    assert "such as 90\u00a0%" in field and 'aria-invalid="true"' in field and 'value="150 %"' in field
    assert "accuracy-error" not in page(project, accuracy=".9")


def test_a_wish_is_told_with_all_its_digits() -> None:
    project, _version, _odd = doubted_project()
    assert ".995" in page(project, accuracy=".995")
    assert ".005 is reached by now" in page(project, accuracy="0.5 %")
    assert wording.wish_sentence(
        {"accuracy": 0.855, "more": 0, "low": 0, "high": 0, "probability": 1.0}, 9
    ).startswith(".855 is reached")


def test_between_two_steps_of_the_forecast_the_harder_one_is_told() -> None:
    points = [{"accuracy": 0.6}, {"accuracy": 0.7}]
    reach = [
        {"accuracy": step / 200, "more": step, "low": step, "high": step, "probability": 0.5}
        for step in range(120, 200)
    ]
    findings = {
        "curve": [point | {"n": 10 * (at + 1)} for at, point in enumerate(points)],
        "forecast": {
            "reach": reach,
            "labels": 25,
            "within": 500,
            "now": {"value": 0.7, "low": 0.6, "high": 0.8},
            "band": [{"n": n, "value": 0.7, "low": 0.6, "high": 0.8} for n in (10, 25, 100)],
        },
    }
    assert version_page._curve(findings, 0.872)["wish"]["accuracy"] == 0.875
    assert version_page._curve(findings, 0.875)["wish"]["accuracy"] == 0.875
    assert version_page._curve(findings, 0.999)["wish"]["accuracy"] == 0.995
    assert version_page._curve(findings, None)["wish"]["accuracy"] == 0.72


def test_a_perfect_curve_opens_and_says_that_the_wish_is_reached() -> None:
    project, version, _odd = doubted_project()
    points = [CurvePoint(n, 1.0, 0.0, 43) for n in (8, 16, 34)]
    told = {"curve": [asdict(point) for point in points], "forecast": forecast(points, labels=43)}
    assert told["forecast"]["reach"] == []  # type: ignore[index,call-overload]
    findings = version.diagnostics.findings | told
    # As if a second training had found it: diagnostics are append-only.
    version.pk, version.number = None, 2
    found = Diagnostics.objects.get()
    version.save(force_insert=True)
    found.pk, found.model_version, found.findings = None, version, findings
    found.save(force_insert=True)
    assert "is reached by now" in page(project, 2)
    assert ".999 is reached by now" in page(project, 2, accuracy=".999")


def test_the_heading_of_the_parts_says_whether_one_is_worse() -> None:
    project, items, _keys = separable_project(40, apart=6.0)
    Item.objects.filter(project=project).update(source="line 1")
    Item.objects.filter(pk__in=[item.pk for item in items[:20]]).update(source="line 2")
    run_job(services.request_training(project=project, by=None))
    text = page(project)
    assert "It does clearly worse on no slice" in text and "It does worse on some slices" not in text


def test_how_the_judging_photos_were_drawn_is_told_by_their_numbers() -> None:
    def told(audit: int) -> str:
        return wording.how_drawn(
            {"cross_validated": {"n": 100}, "audit": {"n": audit} if audit else None, "order": []}
        )

    assert told(0) == "The queue chose them, so they are not typical."
    assert told(10) == "The queue chose most of them (90), so they are not typical."
    assert "80 of them were drawn at random; the queue chose the other 20" in told(80)
    assert told(100).startswith("All were drawn at random")


def test_the_kind_of_head_is_explained_by_the_rule_that_chose_it() -> None:
    candidates = [
        {"kind": "logistic", "log_loss": 0.41, "accuracy": 0.8, "note": "reference, chosen"},
        {"kind": "lda", "log_loss": 0.4, "accuracy": 0.8, "note": "", "error": 0.0123},
        {"kind": "ridge", "log_loss": 0.45, "accuracy": 0.8, "note": "+0.04 nats"},
    ]
    reason = wording.head_reason({"kind": "logistic", "candidates": candidates})
    assert reason.startswith("Logistic regression is the reference.") and "two standard errors" in reason
    notes = [wording.head_note(each, candidates[0]) for each in candidates]
    assert notes == [
        "the reference",
        "log loss −.0100 against it, standard error .0123",
        "log loss +.0400 against it",
    ]
    assert wording.head_reason({"kind": "finetuned", "candidates": []}) == ""
    alone = {"kind": "logistic", "candidates": candidates[:1]}
    assert "so many" in wording.head_reason(alone)
    assert "three ground truths" in wording.head_reason(alone | {"few_labels": True})


def test_a_version_page_tells_no_stored_english_note_of_its_heads() -> None:
    project, version, _odd = doubted_project()
    candidates = version.metrics["cross_validated"]["choice"]["candidates"]
    assert len(candidates) > 1 and all({"difference", "error"} <= set(each) for each in candidates)
    text = page(project)
    assert "nats against" not in text and "against it, standard error" in text
    assert "least log loss on photos that had no part in the choice" not in text


def test_the_curve_ends_where_the_band_does_and_the_band_is_on_the_plot() -> None:
    _project, version, _odd = doubted_project()
    findings = version.diagnostics.findings
    figure = version_charts.forecast(
        findings["curve"], findings["forecast"], findings["forecast"]["reach"][-1], title=""
    )
    for view in figure.views:
        band, known, ahead, measured = view.series
        assert band.band and known.path and ahead.path and measured.spots
        for x, y in points(band.band) + points(known.path) + points(ahead.path):
            assert float(view.left) <= x <= float(view.right)
            assert float(view.top) - 0.1 <= y <= float(view.bottom) + 0.1
        assert points(known.path)[-1] == points(ahead.path)[0]


def test_a_forecast_leaves_no_part_of_its_curve_beyond_the_axes() -> None:
    """Scales hold at the edge what lies outside: so the values themselves must lie inside."""
    _project, version, _odd = doubted_project()
    findings = version.diagnostics.findings
    figure = version_charts.forecast(findings["curve"], findings["forecast"], None, title="")
    for series in figure.series:
        xs = series.xs or []
        values = [*series.values, *(series.low or []), *(series.high or [])]
        assert all((figure.x.low or 0) <= x <= (figure.x.high or 0) for x in xs)
        assert all((figure.y.low or 0) <= y <= 1.001 for y in values if y is not None)


def test_wrong_ground_truths_are_doubted_and_go_to_review_with_one_click_once() -> None:
    project, version, odd = doubted_project(apart=6.0)
    doubted = {each["item"] for each in selectors.suspicious(version)}
    odd = [item for item in odd if item.pk in doubted]
    assert len(odd) >= 2
    client = signed_in(project)
    address = reverse("model-review", args=[project.slug, 1])
    assert "Send to review" in page(project)
    answer = client.post(address, {"item": odd[0].pk})
    assert answer["Location"].endswith("#suspicious")
    dispute = Dispute.objects.get()
    assert (dispute.item_id, dispute.cause) == (odd[0].pk, "suspicious")
    assert "Version 1 would say Functional" in dispute.note
    assert GroundTruth.objects.current().filter(item=odd[0]).exists(), "in force until the ruling"
    client.post(address, {"item": odd[0].pk})
    assert Dispute.objects.count() == 1
    assert "1 is in review now" in page(project)
    client.post(address, {"item": "all"})
    client.post(address, {"item": "all"})
    assert Dispute.objects.count() == len(doubted)
    assert "All are sent" in page(project)


def test_a_photo_that_was_ruled_on_since_is_not_sent_again() -> None:
    project, version, odd = doubted_project()
    services.send_to_review(model_version=version, item_ids=[odd[0].pk], by=project.created_by)
    reviewer = make_member(project, Role.REVIEWER)
    rule(
        project=project,
        dispute_id=Dispute.objects.get().pk,
        reviewer=reviewer,
        outcome="class",
        class_key="functional",
    )
    assert services.send_to_review(model_version=version, item_ids=[odd[0].pk], by=None) == 0
    assert Dispute.objects.count() == 1 and "Ruled on" in page(project)


def test_a_photo_that_the_version_does_not_doubt_cannot_be_sent_by_it() -> None:
    project, version, _odd = doubted_project()
    sure = next(pk for pk in version.diagnostics.item_ids if pk not in _doubted(version))
    with pytest.raises(Refused) as refusal:
        services.send_to_review(model_version=version, item_ids=[sure], by=None)
    assert refusal.value.code == "not_suspicious"
    other, _version, others = doubted_project()
    client = signed_in(project)
    for item in (str(others[0].pk), "x", "9" * 30, ""):
        client.post(reverse("model-review", args=[project.slug, 1]), {"item": item})
    assert not Dispute.objects.exists() and other != project


def _doubted(version: ModelVersion) -> set[int]:
    return {each["item"] for each in selectors.suspicious(version)}


def test_a_cell_of_the_confusion_table_opens_its_photos_surest_first() -> None:
    project, version, odd = doubted_project()
    client = signed_in(project)
    matrix = version.metrics["cross_validated"]["confusion"]
    html = client.get(reverse("model", args=[project.slug, 1])).content.decode()
    address = reverse("model-cell", args=[project.slug, 1, "defective", "functional"])
    assert address in html
    response = client.get(address)
    photos = response.context["photos"]
    assert len(photos) == response.context["total"] == matrix[1][0]
    assert {item.pk for item in odd} <= {each["item"].pk for each in photos}
    shares = [each["confidence"] for each in photos]
    assert shares == sorted(shares, reverse=True)
    assert client.get(reverse("model-cell", args=[project.slug, 1, "odd", "functional"])).status_code == 404
    assert (
        client.get(reverse("model-cell", args=[project.slug, 7, "defective", "functional"])).status_code
        == 404
    )


def test_the_photos_of_a_cell_come_a_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version_page, "PAGE", 7)
    project, version, _odd = doubted_project()
    client = signed_in(project)
    address = reverse("model-cell", args=[project.slug, 1, "functional", "functional"])
    total = version.metrics["cross_validated"]["confusion"][0][0]
    seen: list[int] = []
    at: int | None = 1
    while at:
        context = client.get(address, {"page": at}).context
        seen += [each["item"].pk for each in context["photos"]]
        at = context["next"]
    assert len(seen) == len(set(seen)) == total > 7
    for odd_page in ("x", "-1", "0", "²"):
        assert client.get(address, {"page": odd_page}).context["first"] == 1
    for beyond in ("999999", "9999999", "9" * 5000):
        context = client.get(address, {"page": beyond}).context
        assert context["last"] == total and context["next"] is None and context["previous"]


def test_a_source_on_which_the_model_fails_is_named() -> None:
    project, _items, _keys = separable_project(60)
    bad = make_items(project, 16, seed=4)
    Item.objects.filter(project=project).update(source="line 1")
    Item.objects.filter(pk__in=[item.pk for item in bad]).update(source="line 2")
    keys = ["functional", "defective"] * 8
    store_vectors(project, bad, keys[::-1])
    settle(project, bad, keys)
    run_job(services.request_training(project=project, by=None))
    text = page(project)
    assert "It is worse on photos with source “line 2”" in text
    assert "It does worse on some slices" in text and "worse" in text


def test_a_shot_type_on_which_the_model_fails_is_named() -> None:
    project, items, _keys = separable_project(60)
    bad = make_items(project, 16, seed=4)
    for names, of in (("line/{}_front.jpg", items), ("line/{}_back.jpg", bad)):
        for at, item in enumerate(of):
            Item.objects.filter(pk=item.pk).update(name=names.format(at))
    keys = ["functional", "defective"] * 8
    store_vectors(project, bad, keys[::-1])
    settle(project, bad, keys)
    run_job(services.request_training(project=project, by=None))
    assert "It is worse on photos with shot type “back”" in page(project)
    found = ModelVersion.objects.get(project=project).diagnostics.findings["slices"]
    assert {(row["dimension"], row["slice"]) for row in found} == {("shot", "front"), ("shot", "back")}


def test_brightness_and_metadata_are_looked_at_where_they_are_known() -> None:
    project, items, _keys = separable_project(40)
    for at, item in enumerate(items):
        Image.objects.filter(pk=item.image_id).update(
            brightness=float(at), sharpness=100.0, width=64 + at % 4 * 8
        )
    known = {item.pk: {"line": "AB"[at % 2], "hours": at} for at, item in enumerate(items)}
    metadata.put(project=project, given=known, by=project.created_by)
    run_job(services.request_training(project=project, by=None))
    found = ModelVersion.objects.get().diagnostics.findings["slices"]
    photos = Counter({row["dimension"]: 0 for row in found})
    for row in found:
        photos[row["dimension"]] += row["n"]
    assert photos == {"brightness": 40, "metadata:line": 40, "metadata:hours": 40}
    assert {row["slice"] for row in found if row["dimension"] == "metadata:line"} == {"A", "B"}


def test_influential_labels_are_among_the_trained_photos_and_ordered() -> None:
    _project, version, _odd = doubted_project()
    told = version.diagnostics.findings["influential"]
    assert told["of"] > 0
    assert {each["item"] for each in told["listed"]} <= set(version.diagnostics.item_ids)
    flips = [each["flips"] for each in told["listed"]]
    assert flips == sorted(flips, reverse=True)


def test_a_version_without_diagnostics_says_so_and_its_numbers_lead_nowhere() -> None:
    project, version, _odd = doubted_project()
    old = ModelVersion.objects.create(
        project=project,
        number=2,
        snapshot=version.snapshot,
        backbone=version.backbone,
        backbone_hash=version.backbone_hash,
        classes=version.classes,
        artifact="gone",
        manifest={"seed": 0, "unusable_photos": 0, "libraries": {}},
        metrics=version.metrics,
    )
    client = signed_in(project)
    response = client.get(reverse("model", args=[project.slug, old.number]))
    assert "before learning curves, doubted labels and slices were kept" in text_of(response)
    assert (
        reverse("model-cell", args=[project.slug, 2, "defective", "functional"])
        not in response.content.decode()
    )
    cell = client.get(reverse("model-cell", args=[project.slug, 2, "defective", "functional"]))
    assert "before the photos behind each number were kept" in text_of(cell)


def test_a_model_that_never_finds_a_class_is_not_praised() -> None:
    metrics: dict[str, Any] = {
        "order": ["a", "b"],
        "audit": None,
        "cross_validated": {
            "n": 100,
            "accuracy": {"value": 0.9, "low": 0.83, "high": 0.94},
            "classes": {
                "a": {"support": 90, "recall": {"value": 1.0}},
                "b": {"support": 10, "recall": {"value": 0.0}},
            },
        },
    }
    told = wording.finding(metrics, None, {}, {"a": "Whole", "b": "Broken"})
    assert told.headline == "Not ready: it never finds “Broken”" and told.look == "error"
    metrics["cross_validated"]["classes"]["b"]["support"] = 0
    assert "90\u00a0%" in wording.finding(metrics, None, {}, {}).headline


def test_an_interval_is_told_with_plus_minus_only_where_it_is_symmetric() -> None:
    assert "± .04" in str(interval({"value": 0.8, "low": 0.76, "high": 0.84}))
    assert "[.88, 1.00]" in str(interval({"value": 1.0, "low": 0.88, "high": 1.0}))
    assert "[.00, .12]" in str(interval({"value": 0.0, "low": 0.0, "high": 0.12}))
    assert "[.71, .86]" in str(interval({"value": 0.8, "low": 0.71, "high": 0.86}))
    assert interval(None) == "–"
    assert interval({"value": 1.0, "low": 1.0, "high": 1.0}) == "1.00", "no length, no interval"


def test_the_page_and_the_cell_carry_no_inline_style_script_or_handler() -> None:
    project, _version, _odd = doubted_project()
    client = signed_in(project)
    for name, args in (("model", [1]), ("model-cell", [1, "defective", "functional"]), ("derive", [])):
        html = client.get(reverse(name, args=[project.slug, *args])).content.decode()
        body = html[html.index("<main") : html.index("</main>")]
        assert not re.search(r"""\sstyle=|<script|\son\w+=""", body)


@pytest.mark.parametrize("role", [Role.LABELER, Role.REVIEWER])
def test_only_admins_open_cells_and_send_to_review(role: str) -> None:
    project, _version, odd = doubted_project()
    client = signed_in(project, role)
    assert (
        client.get(reverse("model-cell", args=[project.slug, 1, "defective", "functional"])).status_code
        == 403
    )
    assert (
        client.post(reverse("model-review", args=[project.slug, 1]), {"item": odd[0].pk}).status_code == 403
    )
    assert not Dispute.objects.exists()


def test_the_api_tells_the_findings_by_hash_and_sends_to_review() -> None:
    project, version, odd = doubted_project()
    client = signed_in(project)
    base = f"/api/v1/projects/{project.slug}/models/1"
    told = client.get(base).json()["findings"]
    hashes = [each["sha256"] for each in told["suspicious"]["listed"]]
    assert odd[0].image.sha256 in hashes and told["suspicious"]["listed"][0]["given"] in {
        "functional",
        "defective",
    }
    body = {"photos": [odd[0].image.sha256]}
    assert client.post(f"{base}/review", body, "application/json").json() == {"sent": 1}
    assert client.post(f"{base}/review", {}, "application/json").json() == {"sent": len(hashes) - 1}
    assert client.post(f"{base}/review", {}, "application/json").json() == {"sent": 0}
    assert version.number == 1


def test_a_failed_job_can_be_tried_again_and_only_once_at_a_time() -> None:
    project = make_project(backbone="no-such-network")
    failed = run_job(services.request_embedding(project=project))
    client = signed_in(project)
    assert "Try again" in text_of(client.get(reverse("jobs", args=[project.slug])))
    for _ in range(2):
        client.post(reverse("job-retry", args=[project.slug, failed.pk]))
    again = Job.objects.of_project(project.pk).live().get()
    assert (again.kind, again.args, again.requested_by) == (failed.kind, failed.args, project.created_by)
    client.post(reverse("job-retry", args=[project.slug, again.pk]))
    assert Job.objects.count() == 2, "a job that did not fail is not repeated"


def test_a_job_that_is_tried_again_still_waits_for_its_lock() -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    project = make_project()
    job = enqueue(kind="nothing", project_id=project.pk, lock="one-at-a-time")
    assert run_job(job).state == JobState.FAILED
    signed_in(project).post(reverse("job-retry", args=[project.slug, job.pk]))
    again = Job.objects.live().get()
    assert ProcrastinateJob.objects.get(pk=again.procrastinate_id).lock == "one-at-a-time"
    stranger = Client()
    stranger.force_login(make_project().created_by)
    assert stranger.post(reverse("job-retry", args=[project.slug, job.pk])).status_code == 404
