"""A derived project asks another question of the same photos, and embeds none of them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

import labeling.explorer.tasks
import labeling.frontier.tasks  # what a settled photo and a first model set off
import labeling.monitors.tasks
import labeling.queue.tasks  # noqa: F401  (registers the handlers)
from labeling.catalog.models import Item, Membership, Project, Role
from labeling.jobs.models import Job, JobState
from labeling.jobs.services import enqueue
from labeling.learning import deriving
from labeling.learning.compute import embedding
from labeling.learning.deriving import derive_project, items_of, read_gold
from labeling.learning.job_lines import line
from labeling.learning.models import Promotion
from labeling.queue.models import Entry, Ranking
from labeling.refusals import Refused
from labeling.truth.models import Gold, GroundTruth
from tests.factories import make_items, make_member, make_project
from tests.learning.building import run_job, separable_project, settle

pytestmark = pytest.mark.django_db

CLASSES = [{"key": "mono", "name": "Mono"}, {"key": "poly", "name": "Poly"}]


def derive(source: Project, **options: Any) -> tuple[Project, Job]:
    fields: dict[str, Any] = {
        "slug": "kinds",
        "name": "Kinds",
        "question": "Mono or poly?",
        "classes": CLASSES,
        "by": source.created_by,
    }
    return derive_project(source=source, **(fields | options))


def run_all(project: Project) -> None:
    """Every job of the project, also those that jobs bring about, in the order in which they came."""
    while job := Job.objects.of_project(project.pk).live().order_by("created_at").first():
        assert run_job(job).state == JobState.SUCCEEDED, job.error


def test_a_derived_project_is_ranked_without_any_embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    source, items, _keys = separable_project(30, unlabeled=10)

    def never(*_: Any) -> Any:
        raise AssertionError("a network was asked for")

    monkeypatch.setattr(embedding, "embedder_for", never)
    project, job = derive(source)
    run_all(project)
    job.refresh_from_db()
    assert job.result == {"photos": 30, "already": 0, "gold": 0, "unknown": []}
    embedded = Job.objects.of_project(project.pk).get(kind="embed")
    assert embedded.result is not None
    assert (embedded.result["embedded"], embedded.result["already"]) == (0, 30)
    ranking = Ranking.objects.get(project=project, current=True)
    assert ranking.strategy == source.strategy
    assert Entry.objects.filter(ranking=ranking, band__gte=0).count() == 30
    theirs = Item.objects.filter(project=project)
    assert set(theirs.values_list("image", flat=True)) == {item.image_id for item in items}
    assert [item.name for item in theirs.order_by("pk")] == [item.name for item in items]


def test_nothing_of_the_other_questions_answers_comes_along() -> None:
    source, _items, _keys = separable_project(20)
    project, _job = derive(source)
    run_all(project)
    assert not GroundTruth.objects.filter(project=project).exists()
    assert not Item.objects.filter(project=project, audit_drawn_at__isnull=False).exists()
    own = dict(Item.objects.filter(project=project).values_list("image", "random_key"))
    other = dict(Item.objects.filter(project=source).values_list("image", "random_key"))
    assert all(own[image] != other[image] for image in own), "its audit is drawn anew"


def test_settings_come_along_and_it_trains_and_promotes_by_itself() -> None:
    source, _items, _keys = separable_project(8, answers_per_image=3, bands=4, gold_rate=0.02)
    project, _job = derive(source)
    assert (project.answers_per_image, project.bands, project.gold_rate) == (3, 4, 0.02)
    assert project.backbone == source.backbone
    assert project.retrain_every == deriving.RETRAIN_EVERY and project.promote_automatically
    assert project.question == "Mono or poly?" and project.description == ""


def test_its_first_model_comes_with_five_ground_truths_of_two_classes_and_is_promoted() -> None:
    source, _items, _keys = separable_project(24)
    project, _job = derive(source)
    run_all(project)
    own = list(Item.objects.filter(project=project).order_by("pk"))
    from labeling.truth.events import settled

    for at, item in enumerate(own[:10]):
        assert not Job.objects.of_project(project.pk).filter(kind="train").exists()
        settle(project, [item], [("mono", "poly")[at % 2]])
        settled.send(sender=GroundTruth, project=project, item_ids=[item.pk])
    run_all(project)
    assert Promotion.objects.get(project=project).by is None


def test_members_come_along_only_when_wished() -> None:
    source, _items, _keys = separable_project(8)
    labeler, reviewer = make_member(source), make_member(source, Role.REVIEWER)
    alone, _job = derive(source, slug="alone")
    assert [m.user for m in Membership.objects.filter(project=alone)] == [source.created_by]
    together, _job = derive(source, slug="together", with_members=True)
    roles = dict(Membership.objects.filter(project=together).values_list("user", "role"))
    assert roles == {source.created_by_id: "admin", labeler.pk: "labeler", reviewer.pk: "reviewer"}


def test_only_the_photos_settled_as_a_class_may_be_asked_about() -> None:
    source, items, keys = separable_project(20, unlabeled=4)
    project, _job = derive(source, only_class="defective")
    run_all(project)
    wanted = {item.image_id for item, key in zip(items[:16], keys[:16], strict=True) if key == "defective"}
    assert set(Item.objects.filter(project=project).values_list("image", flat=True)) == wanted
    with pytest.raises(Refused) as refusal:
        items_of(source, "broken")
    assert refusal.value.status == 422


def test_nothing_to_bring_over_is_refused_and_founds_nothing() -> None:
    source = make_project()
    with pytest.raises(Refused) as refusal:
        derive(source)
    assert refusal.value.code == "no_photos"
    make_items(source, 3)
    with pytest.raises(Refused) as refusal:
        derive(source, only_class="defective")
    assert refusal.value.code == "no_photos"
    with pytest.raises(Refused):
        derive(source, slug=source.slug)
    assert Project.objects.count() == 1 and not Job.objects.exists()


def test_known_answers_become_gold_and_never_ground_truth_that_trains() -> None:
    source, items, _keys = separable_project(12)
    named = [(items[0].name, "mono"), (items[1].image.sha256, "poly")]
    project, job = derive(source, gold=named)
    run_all(project)
    job.refresh_from_db()
    assert job.result is not None and job.result["gold"] == 2 and job.result["unknown"] == []
    assert Gold.objects.filter(project=project).count() == 2
    assert not GroundTruth.objects.trainable().filter(project=project).exists()
    with pytest.raises(Refused) as refusal:
        derive(source, slug="other", gold=[(items[0].name, "tri")])
    assert "tri" in refusal.value.message


def test_known_answers_of_photos_that_would_not_come_are_refused_and_the_first_are_named() -> None:
    source, items, keys = separable_project(12)
    strange = [(f"nowhere-{n}.png", "poly") for n in range(7)] + [("e" * 64, "mono")]
    with pytest.raises(Refused) as refusal:
        derive(source, gold=[(items[0].name, "mono"), *strange])
    told = refusal.value.fields["gold"]
    assert "(8)" in told and "“nowhere-4.png”…" in told and items[0].name not in told
    other = next(item for item, key in zip(items, keys, strict=True) if key != "defective")
    with pytest.raises(Refused) as refusal:
        derive(source, only_class="defective", gold=[(other.name, "mono")])
    assert other.name in refusal.value.fields["gold"]
    assert Project.objects.count() == 1 and not Job.objects.exists()


def test_known_answers_whose_photo_is_gone_when_the_job_runs_are_told_at_the_job() -> None:
    source, items, _keys = separable_project(8)
    project, job = derive(source, gold=[(items[0].name, "mono")])
    Item.objects.filter(pk=items[0].pk).update(name="renamed.png")
    run_job(job)
    job.refresh_from_db()
    assert "found no fresh photo: 1" in line(job).outcome
    assert not Gold.objects.filter(project=project).exists()


def test_a_job_that_runs_twice_brings_nothing_twice() -> None:
    source, _items, _keys = separable_project(10)
    project, job = derive(source)
    run_job(job)
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)
    assert run_job(job).result == {"photos": 0, "already": 10, "gold": 0, "unknown": []}
    assert Item.objects.filter(project=project).count() == 10


def test_gold_lines_are_read_with_and_without_a_header_and_bad_ones_are_named() -> None:
    assert read_gold("photo,class\na.png,mono\n\n b.png , poly\n") == [("a.png", "mono"), ("b.png", "poly")]
    assert read_gold("a.png,mono") == [("a.png", "mono")]
    with pytest.raises(Refused, match="Line 2"):
        read_gold("a.png,mono\nb.png\n")


def test_the_command_founds_a_project_and_says_what_is_wrong(tmp_path: Path, capsys: Any) -> None:
    source, items, _keys = separable_project(8)
    gold = tmp_path / "gold.csv"
    gold.write_text(f"{items[0].name},mono\n")
    call_command(
        "derive", "--from", source.slug, "--slug", "kinds", "--name", "Kinds", "--question", "Mono or poly?",
        "--class", "mono=Mono", "--class", "poly=Poly", "--gold", str(gold),
    )  # fmt: skip
    project = Project.objects.get(slug="kinds")
    run_all(project)
    assert "Created “Kinds”" in capsys.readouterr().out
    assert set(project.label_classes.values_list("key", flat=True)) == {"mono", "poly"}
    assert Gold.objects.filter(project=project).count() == 1
    for options, said in (
        (["--from", "nowhere"], "no project"),
        (["--from", source.slug, "--class", "mono=Mono"], "at least two classes"),
        (["--from", source.slug, "--gold", str(tmp_path / "none.csv")], "cannot be read"),
        (["--from", source.slug, "--by", "nobody"], "no account"),
        (["--from", source.slug, "--class", "=A", "--class", "b=B"], "“=A” is not KEY=NAME"),
        (["--from", source.slug, "--class", "a=", "--class", "b=B"], "“a=” is not KEY=NAME"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("derive", *options, "--slug", "x", "--name", "X", "--question", "X?")


def test_waiting_ends_with_the_first_order_while_an_adaptation_still_waits(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    source, _items, _keys = separable_project(8)

    def work(_seconds: float) -> None:
        """What a worker does meanwhile: everything but the long adaptation."""
        project = Project.objects.get(slug="kinds")
        enqueue(kind="adapt", queue="gpu", project_id=project.pk, dedupe=f"adapt:{project.pk}")
        waiting = Job.objects.of_project(project.pk).live().exclude(kind="adapt")
        run_job(waiting.order_by("created_at")[0])

    monkeypatch.setattr("labeling.learning.management.commands.derive.time.sleep", work)
    call_command(
        "derive", "--from", source.slug, "--slug", "kinds", "--name", "Kinds", "--question", "Mono or poly?",
        "--class", "mono=Mono", "--class", "poly=Poly", "--wait",
    )  # fmt: skip
    assert "8 photos in a new order" in capsys.readouterr().out
    assert Ranking.objects.filter(project__slug="kinds", current=True, number__gte=1).exists()
    assert Job.objects.get(kind="adapt").state == JobState.QUEUED


def signed_in(project: Project, role: str | None = None) -> Client:
    client = Client()
    client.force_login(make_member(project, role) if role else project.created_by)
    return client


FORM = {
    "name": "Kinds",
    "question": "Mono or poly?",
    "slug": "",
    "only_class": "",
    "classes-TOTAL_FORMS": "2",
    "classes-INITIAL_FORMS": "0",
    "classes-0-name": "Mono",
    "classes-1-name": "Poly",
}


def test_the_page_founds_a_project_and_leads_to_it() -> None:
    source, _items, _keys = separable_project(8)
    client = signed_in(source)
    address = reverse("derive", args=[source.slug])
    page = client.get(address).content.decode()
    assert "8 photos" in page and "Functional" in page
    answer = client.post(address, FORM)
    assert answer.status_code == 302 and answer["Location"] == reverse("jobs", args=["kinds"])
    assert Project.objects.get(slug="kinds").created_by == source.created_by


def test_the_page_keeps_what_was_typed_when_it_refuses() -> None:
    source, _items, _keys = separable_project(8)
    address = reverse("derive", args=[source.slug])
    answer = signed_in(source).post(address, FORM | {"slug": source.slug})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Mono or poly?" in page and "is taken" in page
    answer = signed_in(source).post(address, FORM | {"classes-1-name": ""})
    assert answer.status_code == 422 and "at least two classes" in answer.content.decode()
    assert Project.objects.count() == 1


@pytest.mark.parametrize("role", [Role.LABELER, Role.REVIEWER])
def test_only_admins_derive(role: str) -> None:
    source, _items, _keys = separable_project(8)
    client = signed_in(source, role)
    assert client.post(reverse("derive", args=[source.slug]), FORM).status_code == 403
    assert client.post(f"/api/v1/projects/{source.slug}/derive", {}, "application/json").status_code == 403
    assert Project.objects.count() == 1


def test_the_api_derives_too() -> None:
    source, _items, _keys = separable_project(8)
    client = signed_in(source)
    body = {"slug": "kinds", "name": "Kinds", "question": "Mono or poly?", "classes": CLASSES}
    answer = client.post(f"/api/v1/projects/{source.slug}/derive", body, "application/json")
    assert answer.status_code == 202, answer.json()
    assert answer.json()["project"]["slug"] == "kinds" and answer.json()["job"]["kind"] == "derive"
    again = client.post(f"/api/v1/projects/{source.slug}/derive", body, "application/json")
    assert again.status_code == 422 and "slug" in again.json()["error"]["fields"]
