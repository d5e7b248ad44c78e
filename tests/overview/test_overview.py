"""The overview shows each role what it may see, and no more."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Activity, Role
from labeling.catalog.selectors import class_names_by_key, current_guideline
from labeling.catalog.services import log_activity
from labeling.jobs.models import Job
from labeling.learning.models import ModelVersion, Promotion
from labeling.overview.diary import diary, sentence
from labeling.overview.next_steps import next_steps
from labeling.people.models import User
from labeling.queue.selectors import progress
from labeling.text.plain import isolated
from labeling.truth.models import Pause
from labeling.truth.services import request_review, rule
from tests.factories import make_items, make_member, make_project
from tests.frontier.test_picture import Scene

pytestmark = pytest.mark.django_db


def get(user: User, scene: Scene, **query: str) -> tuple[int, str]:
    client = Client()
    client.force_login(user)
    response = client.get(reverse("project", args=[scene.project.slug]), query)
    return response.status_code, response.content.decode()


def test_a_labeler_sees_own_numbers_and_the_button_but_no_band_score_or_model() -> None:
    scene = Scene()
    labeler = make_member(scene.project)
    status, page = get(labeler, scene)
    assert status == 200
    assert reverse("label", args=[scene.project.slug]) in page
    for word in (
        "data-frontier",
        "Model accuracy",
        "Ground truths",
        "Activity",
        "Who is needed",
        "The machine",
    ):
        assert word not in page


@pytest.mark.parametrize("fragment", ["says", "picture", "needs", "figures", "band", "running", "diary"])
def test_a_labeler_cannot_fetch_a_fragment_either(fragment: str) -> None:
    scene = Scene()
    assert get(make_member(scene.project), scene, fragment=fragment, ladder="functional", band="0")[0] == 403


def test_a_reviewer_sees_the_picture_but_not_the_admins_part() -> None:
    scene = Scene()
    reviewer = make_member(scene.project, Role.REVIEWER)
    status, page = get(reviewer, scene)
    assert status == 200
    assert "data-frontier" in page
    assert "Activity" not in page
    assert get(reviewer, scene, fragment="running")[0] == 403
    assert get(reviewer, scene, fragment="diary")[0] == 403


def test_an_admin_sees_everything_and_each_live_fragment_is_a_part_of_the_page() -> None:
    scene = Scene()
    log_activity(
        project=scene.project, kind="model_promoted", actor=scene.project.created_by, number=3, before=4
    )
    Job.objects.create(kind="train", project_id=scene.project.pk, done=3, total=9)
    status, page = get(scene.project.created_by, scene)
    assert status == 200
    assert "rolled back from version 4 to version 3" in page
    assert ".80" in page
    for fragment, word in (
        ("says", "The machine decides"),
        ("picture", "data-frontier"),
        ("needs", "Who is needed"),
        ("figures", "Ground truths"),
        ("running", "Running"),
        ("diary", "rolled back"),
        ("mine", "Median time"),
    ):
        status, part = get(scene.project.created_by, scene, fragment=fragment)
        assert status == 200
        assert word in part
        assert "<html" not in part
    assert get(scene.project.created_by, scene, fragment="nonsense")[0] == 404


def test_strangers_do_not_learn_that_the_project_exists() -> None:
    scene = Scene()
    assert get(make_project().created_by, scene)[0] == 404


def test_a_band_shows_its_next_photos_in_the_queues_order() -> None:
    scene = Scene()
    _status, part = get(scene.project.created_by, scene, fragment="band", ladder="functional", band="1")
    expected = [item.image.sha256 for item in scene.items["functional"][3:6]]
    places = [part.index(sha) for sha in expected]
    assert places == sorted(places)
    assert scene.items["functional"][0].image.sha256 not in part
    assert get(scene.project.created_by, scene, fragment="band", ladder="functional", band="x")[0] == 404


def test_a_project_without_a_model_teaches_what_comes_first() -> None:
    project = make_project()
    make_items(project, 3)
    client = Client()
    client.force_login(project.created_by)
    page = client.get(reverse("project", args=[project.slug])).content.decode()
    assert "No version is promoted yet" in page
    assert "at least two ground truths" in page


def test_next_steps_name_what_is_pressing() -> None:
    scene = Scene()
    texts = [step.text for step in next_steps(scene.project, progress(scene.project))]
    assert "Add members" in texts
    labelers = [make_member(scene.project), make_member(scene.project)]
    Pause.objects.create(project=scene.project, labeler=labelers[0], correct=1, asked=20, bar=0.8)
    for place in range(10):
        scene.settle(scene.items["functional"][place], "functional")
        scene.settle(scene.items["defective"][place], "defective")
    steps = next_steps(scene.project, progress(scene.project))
    assert [step.text for step in steps] == ["1 labeler is paused", "Train again"]
    assert "20 ground truths" in steps[1].why
    Job.objects.create(
        project_id=scene.project.pk,
        kind="embed",
        state="succeeded",
        result={"backbones": [{"name": scene.model.backbone, "content_hash": "after an upgrade", "dim": 2}]},
    )
    embedded_anew = next_steps(scene.project, progress(scene.project))[1]
    assert embedded_anew.text == "Train again: photos are embedded otherwise now"
    assert "scores no photos that come in" in embedded_anew.why
    failing = {"name": scene.model.backbone, "error": "Its weights are not there."}
    Job.objects.create(
        project_id=scene.project.pk,
        kind="embed",
        state="succeeded",
        result={"backbones": [{"name": "own", "content_hash": "1", "dim": 2}, failing]},
    )
    failed = next_steps(scene.project, progress(scene.project))[1]
    assert failed.text == "Version 1 scores no photos that come in: its backbone fails"
    assert f"{scene.model.backbone}: Its weights are not there. Restore its weights" in failed.why
    assert failed.page == "backbones"
    other = {"name": "a candidate", "error": "Its weights are not there."}
    same = {"name": scene.model.backbone, "content_hash": scene.model.backbone_hash, "dim": 2}
    Job.objects.create(
        project_id=scene.project.pk, kind="embed", state="succeeded", result={"backbones": [same, other]}
    )
    assert next_steps(scene.project, progress(scene.project))[1].text == "Train again"


def test_a_model_that_never_finds_a_class_is_not_praised() -> None:
    """Nine in ten right by always saying the common class: no reason to promote or to be content."""
    scene = Scene()
    version = scene.model
    figures = {
        "order": ["functional", "defective"],
        "audit": None,
        "cross_validated": version.metrics["cross_validated"]
        | {
            "classes": {
                "functional": {"support": 18, "recall": {"value": 1.0, "low": 0.8, "high": 1.0}},
                "defective": {"support": 2, "recall": {"value": 0.0, "low": 0.0, "high": 0.6}},
            }
        },
    }
    blind = ModelVersion.objects.create(
        project=scene.project,
        number=version.number + 1,
        snapshot=version.snapshot,
        backbone=version.backbone,
        backbone_hash=version.backbone_hash,
        classes=version.classes,
        artifact="blind",
        manifest={},
        metrics=figures,
    )
    texts = [step.text for step in next_steps(scene.project, progress(scene.project))]
    assert f"Version {blind.number} never finds “Defective”: label more photos of it" in texts
    assert not any("promote" in text for text in texts)
    Promotion.objects.create(project=scene.project, model_version=blind, by=None)
    texts = [step.text for step in next_steps(scene.project, progress(scene.project))]
    assert f"Version {blind.number} never finds “Defective”: label more photos of it" in texts


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (
            "band_opened",
            {"band": 2, "cause": "pace", "reason": ""},
            "Band 3 opened: the one outside it is settled.",
        ),
        ("role_set", {"username": "kim", "role": "labeler", "previous": None}, "Ada added kim as labeler."),
        ("guideline_changed", {"number": 2, "note": "Cracks"}, "Ada published guideline version 2: “Cracks”"),
        (
            "intake_finished",
            {"source": "cam", "added": 40000, "duplicate": 1, "refused": 0, "pending": 0},
            "Intake of cam: 40,000 photos came in, 1 was here already.",
        ),
        (
            "intake_finished",
            {"source": "cam", "added": 0, "duplicate": 2, "refused": 1},
            "Intake of cam: no photo came in, 2 were here already, 1 was refused.",
        ),
        ("ruled", {"outcome": "class", "key": "defective"}, "Ada ruled on a photo: defective."),
        ("ruled", {"outcome": "send_back", "key": ""}, "Ada sent a photo back to be asked again."),
        (
            "settings_changed",
            {
                "changes": {
                    "answers_per_image": [2, 3],
                    "sweep_allowed": [False, True],
                    "strategy": ["random", "inward"],
                    "no_more": [1, 2],
                    "further_backbones": [[], ["a", "b"]],
                }
            },
            "Ada changed the settings: Answers per photo: 2 → 3; Further backbones: – → a, b; no more: 1 → 2; "
            "Strategy: Random → Inward, from the extremes to the boundary; "
            "Labelers may sweep the outer bands: no → yes.",
        ),
        (
            "frontier_policy",
            {"changes": {"mode": ["off", "on"], "precision": [0.98, 0.955], "planned_labels": [500, 1000]}},
            "Ada changed what the machine may decide: Decision mode: Off → On; "
            "Planned random labels: 500 → 1000; Target precision, in %: 98 → 95.5.",
        ),
        ("decided", {"mode": "on", "photos": 1, "audited": 0}, "The machine decided 1 photo."),
        (
            "decided",
            {"mode": "on", "photos": 1234567, "audited": 1},
            "The machine decided 1,234,567 photos; 1 of them goes to people, blind, as the audit.",
        ),
        ("decided", {"mode": "shadow", "photos": 1}, "In shadow, the machine would have decided 1 photo."),
        ("random_drawn", {"photos": 1}, "Ada had 1 photo drawn at random, for the proof."),
        ("random_drawn", {"photos": 20}, "Ada had 20 photos drawn at random, for the proof."),
        (
            "certificate_suspended",
            {"reason": "audit", "class": "dent", "errors": 2, "audited": 9, "photos": 1},
            f"The certificate for {isolated('dent')} is suspended: 2 of 9 audited decisions were wrong. "
            "1 photo went back to people.",
        ),
        (
            "labeler_paused",
            {"labeler": "kim", "correct": 3, "asked": 9, "to_review": 1},
            f"{isolated('kim')} is paused: 3 of the last 9 gold answers were right. 1 unconfirmed answer went to review.",
        ),
        ("something_new", {}, "Ada: something new"),
        ("band_opened", {}, "Ada: band opened"),
    ],
)
def test_every_activity_reads_as_a_sentence(kind: str, data: dict[str, object], said: str) -> None:
    project = make_project()
    project.created_by.first_name = "Ada"
    entry = Activity(project=project, kind=kind, actor=project.created_by, data=data)
    assert sentence(entry) == said


def test_the_diary_calls_classes_by_their_names(db: None) -> None:
    project = make_project()
    names = class_names_by_key(current_guideline(project))
    entry = Activity(
        project=project,
        kind="decision_overruled",
        actor=project.created_by,
        data={"said": "functional", "reason": ""},
    )
    assert f"“{isolated('Functional')}”" in sentence(entry, names)
    entry.data["said"] = "long_gone"
    assert "long_gone" in sentence(entry, names)


def test_rulings_are_in_the_diary_and_many_in_a_row_are_one_line(db: None) -> None:
    project = make_project()
    rosa, kim = make_member(project, "reviewer", "rosa"), make_member(project, "reviewer", "kim")
    disputes = [request_review(project=project, item=item, by=None) for item in make_items(project, 4)]
    for dispute, by in zip(disputes, (rosa, rosa, rosa, kim), strict=True):
        rule(project=project, dispute_id=dispute.pk, reviewer=by, outcome="class", class_key="defective")
        entry = Activity.objects.filter(project=project).latest("id")
        assert (entry.kind, entry.actor, entry.data["outcome"]) == ("ruled", by, "class")
        assert entry.data["dispute"] == str(dispute.pk)
    for _n in range(2):
        log_activity(project=project, kind="gold_retired", actor=kim)
    assert [line.text for line in diary(project, limit=4)] == [
        "kim retired 2 gold photos.",
        "kim ruled on a photo: Defective.",
        "rosa ruled on 3 photos.",
        "Hilltop asked for a review.",
    ]


def test_only_admins_read_of_rulings(db: None) -> None:
    project = make_project()
    labeler, reviewer = make_member(project), make_member(project, "reviewer", "rosa")
    (item,) = make_items(project, 1)
    dispute = request_review(project=project, item=item, by=None)
    rule(project=project, dispute_id=dispute.pk, reviewer=reviewer, outcome="hold", reason="between")
    told = {}
    for user in (labeler, reviewer, project.created_by):
        client = Client()
        client.force_login(user)
        told[user] = "ruled that a photo" in client.get(f"/p/{project.slug}/").content.decode()
    assert list(told.values()) == [False, False, True]
