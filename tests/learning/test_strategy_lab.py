"""The strategy lab replays labeling on a project's own ground truths, and says what can be told and what cannot."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from inference.replay import Difference
from labeling.catalog.models import Activity, Guideline, Item, LabelClass, Project
from labeling.jobs.models import Job, JobState
from labeling.jobs.progress import Progress
from labeling.jobs.services import cancel
from labeling.learning.lab import compute
from labeling.learning.lab import services as lab
from labeling.learning.lab.chart import lab_figure
from labeling.refusals import Refused
from labeling.truth.models import Annotation, Draw
from tests.factories import make_items, make_member, make_project
from tests.learning.building import points, run_job, separable_project, settle, store_vectors

pytestmark = pytest.mark.django_db

KEYS = ("functional", "defective")


def lab_project(count: int = 72, *, apart: float = 0.35, **settings: Any) -> tuple[Project, list[Item]]:
    project, items, _keys = separable_project(count, apart=apart, boundary_after=30, **settings)
    return project, items


def ask(project: Project, **wanted: Any) -> Job:
    given = {"strategies": ["random", "uncertain"], "labelers": "clean", "seeds": 2} | wanted
    return lab.request_lab(project=project, by=project.created_by, **given)


def answer(project: Project, item: Item, key: str, *, kind: str = "class") -> None:
    Annotation.objects.create(
        project=project,
        item=item,
        labeler=make_member(project),
        key=uuid4(),
        kind=kind,
        label_class=LabelClass.objects.get(project=project, key=key) if kind == "class" else None,
        reason="between" if kind == "hold" else "",
        guideline=Guideline.objects.get(project=project),
        view_ms=900,
    )


def test_a_run_keeps_a_curve_a_strategy_and_compares_every_pair() -> None:
    project, _items = lab_project()
    job = run_job(ask(project, strategies=["inward", "random", "uncertain"], labelers="strict"))
    assert job.state == JobState.SUCCEEDED, job.error + job.trace
    assert job.result is not None
    result = job.result
    assert [curve["name"] for curve in result["curves"]] == ["inward", "random", "uncertain"]
    for curve in result["curves"]:
        taken = [point["ground_truths"] for point in curve["points"]]
        assert taken == sorted(taken) and taken[0] >= 20
        for point in curve["points"]:
            # Two blind answers a photo, and reviews on top.
            assert 2 * point["ground_truths"] <= point["decisions"] <= 3 * point["ground_truths"]
            assert point["accuracy"]["low"] <= point["accuracy"]["value"] <= point["accuracy"]["high"]
    assert len(result["at"]["pairs"]) == 6
    mirrored = {(pair["left"], pair["right"]): pair["difference"] for pair in result["at"]["pairs"]}
    assert all(mirrored[b, a] == pytest.approx(-gap) for (a, b), gap in mirrored.items())
    json.dumps(result, allow_nan=False)


def test_the_same_run_twice_says_the_same() -> None:
    project, _items = lab_project()
    first, second = run_job(ask(project)), run_job(ask(project))
    assert first.pk != second.pk and first.result == second.result


def test_clean_people_make_no_wrong_ground_truth_and_cost_one_decision_each() -> None:
    project, _items = lab_project()
    result: dict[str, Any] = run_job(ask(project)).result or {}
    for curve in result["curves"]:
        for point in curve["points"]:
            assert point["wrong"] == 0 and point["decisions"] == point["ground_truths"]


def test_errors_are_estimated_from_the_peoples_own_answers() -> None:
    project, items = lab_project()
    calm: dict[str, Any] = run_job(ask(project, labelers="noisy")).result or {}
    assert [group["answers"] for group in calm["noise"]] == [0, 0, 0]
    assert all(group["error"] == pytest.approx(0.05) for group in calm["noise"])
    for index, item in enumerate(items):
        answer(project, item, KEYS[index % 2])
        answer(project, item, KEYS[(index + 1) % 2])  # as often wrong as right
    torn: dict[str, Any] = run_job(ask(project, labelers="noisy")).result or {}
    assert sum(group["answers"] for group in torn["noise"]) == 144
    assert all(group["error"] > 0.3 for group in torn["noise"])
    assert torn["at"]["strategies"][0]["wrong"] > calm["at"]["strategies"][0]["wrong"]


def test_a_hold_counts_as_a_guess() -> None:
    project, items = lab_project()
    for item in items:
        answer(project, item, "", kind="hold")
    result: dict[str, Any] = run_job(ask(project)).result or {}
    for group in result["noise"]:
        assert group["error"] == pytest.approx(
            (1 + 0.5 * group["answers"]) / (20 + group["answers"]), abs=1e-4
        )


def test_audit_photos_are_the_test_set_where_there_are_enough() -> None:
    project, _items = lab_project(60)
    audited = make_items(project, lab.LEAST_AUDIT, seed=9)
    keys = [KEYS[index % 2] for index in range(len(audited))]
    store_vectors(project, audited, keys, apart=0.35)
    settle(project, audited, keys, draw=Draw.AUDIT)
    result: dict[str, Any] = run_job(ask(project)).result or {}
    assert result["test"] == {"kind": "audit", "photos": lab.LEAST_AUDIT}
    assert max(point["ground_truths"] for point in result["curves"][0]["points"]) <= 60


def test_without_enough_of_them_a_quarter_is_held_out() -> None:
    project, _items = lab_project(80)
    result: dict[str, Any] = run_job(ask(project)).result or {}
    assert result["test"] == {"kind": "held_out", "photos": 20}


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"strategies": ["random"]}, "strategies"),
        ({"strategies": ["random", "random"]}, "strategies"),
        ({"strategies": ["random", "magic"]}, "strategies"),
        ({"labelers": "nobody"}, "labelers"),
        ({"seeds": 1}, "seeds"),
        ({"seeds": 10_000}, "seeds"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_field(wanted: dict[str, Any], field: str) -> None:
    project, _items = lab_project()
    with pytest.raises(Refused) as refused:
        ask(project, **wanted)
    assert refused.value.status == 422 and set(refused.value.fields) == {field}
    assert not Job.objects.filter(kind="lab").exists()


def test_too_few_ground_truths_are_refused_and_the_page_says_what_is_missing() -> None:
    project, _items = lab_project(40)
    with pytest.raises(Refused) as refused:
        ask(project)
    assert refused.value.code == "too_few" and "40" in refused.value.message
    assert refused.value.message in page(project).replace("&#x27;", "'")


def test_one_class_alone_is_refused() -> None:
    project = make_project()
    items = make_items(project, 70)
    settle(project, items, ["functional"] * 70)
    with pytest.raises(Refused, match="two classes"):
        ask(project)


def test_while_a_run_is_under_way_there_is_no_second_one() -> None:
    project, _items = lab_project()
    job = ask(project)
    with pytest.raises(Refused, match=str(job.pk)) as refused:
        ask(project)
    assert (refused.value.code, refused.value.status) == ("under_way", 409)
    body = {"strategies": ["random", "typical"], "seeds": 2}
    answer = client(project).post(f"/api/v1/projects/{project.slug}/lab", body, "application/json")
    assert answer.status_code == 409 and answer.json()["error"]["fields"] == {"job": [str(job.pk)]}
    cancel(job=job)
    assert ask(project).pk != job.pk


def test_a_strategy_that_does_not_exist_is_told_before_what_is_missing() -> None:
    project, _items = lab_project(40)
    with pytest.raises(Refused) as refused:
        ask(project, strategies=["random", "magic"])
    assert set(refused.value.fields) == {"strategies"} and "magic" in refused.value.message


def test_a_running_comparison_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    project, _items = lab_project()
    job = ask(project)
    seen: list[int] = []
    report = Progress.report

    def stop_soon(self: Progress, done: int, total: int | None = None, message: str | None = None) -> None:
        seen.append(done)
        if len(seen) == 3:
            cancel(job=job)
            self.check()
        report(self, done, total, message)

    monkeypatch.setattr(Progress, "report", stop_soon)
    run_job(job)
    assert job.state == JobState.CANCELLED and job.result is None
    assert len(seen) == 3
    assert "cancelled" in page(project)
    jobs = client(project).get(f"/p/{project.slug}/jobs").content.decode()
    assert "nothing of it was kept" in jobs and "What it had done" not in jobs


def test_photos_without_embeddings_are_left_out_and_said() -> None:
    project, _items = lab_project()
    more = make_items(project, 6, seed=4)
    settle(project, more, [KEYS[index % 2] for index in range(6)])
    result: dict[str, Any] = run_job(ask(project)).result or {}
    assert result["ground_truths"] == 72 and result["left_out"] == 6


def test_when_nothing_is_embedded_the_job_says_what_to_do() -> None:
    project = make_project()
    items = make_items(project, 70)
    settle(project, items, [KEYS[index % 2] for index in range(70)])
    job = run_job(ask(project))
    assert job.state == JobState.FAILED and "Embed the photos" in job.error


def test_the_page_shows_the_finding_the_caveat_and_the_figures() -> None:
    project, _items = lab_project()
    before = page(project)
    assert "No comparison yet" in before
    run_job(ask(project, labelers="strict"))
    shown = page(project)
    assert "no fair sample" in shown
    assert 'class="line"' in shown and "human decisions, reviews included" in shown
    assert "Least confidence" in shown


def test_earlier_runs_stay_readable() -> None:
    project, _items = lab_project()
    first = run_job(ask(project))
    run_job(ask(project, strategies=["random", "typical"]))
    assert f"/p/{project.slug}/lab/{first.pk}" in page(project)
    response = client(project).get(f"/p/{project.slug}/lab/{first.pk}")
    assert response.status_code == 200 and "Least confidence" in response.content.decode()
    assert client(project).get(f"/p/{project.slug}/lab/{uuid4()}").status_code == 404


def test_a_form_that_is_no_good_comes_back_with_what_was_chosen() -> None:
    project, _items = lab_project()
    response = client(project).post(
        f"/p/{project.slug}/lab/run", {"strategies": ["committee"], "labelers": "noisy", "seeds": "x"}
    )
    text = " ".join(response.content.decode().split())
    assert response.status_code == 422
    assert 'value="committee" checked' in text and 'value="noisy" checked' in text
    assert "at least two strategies" in text and "whole number" in text


@pytest.mark.parametrize("typed", ["abc", "1", "21", "9" * 5_000, "²", "-3", ""])
def test_a_number_of_repetitions_that_is_none_is_refused_by_name_and_stays_in_its_field(typed: str) -> None:
    project, _items = lab_project()
    response = client(project).post(
        f"/p/{project.slug}/lab/run", {"strategies": ["random", "typical"], "seeds": typed}
    )
    text = " ".join(response.content.decode().split())
    assert response.status_code == 422
    assert "Repetitions: A whole number from 2 to 20." in text
    assert f'value="{typed[:20]}" required' in text
    assert not Job.objects.filter(kind="lab").exists()


def test_two_repetitions_show_no_interval_and_say_so_and_three_do() -> None:
    project, _items = lab_project()
    run_job(ask(project))
    text = page(project)
    assert 'class="line"' in text and 'class="area"' not in text
    assert "No interval is shown: 2 repetitions" in text and "95&nbsp;% intervals" not in text
    run_job(ask(project, seeds=3))
    text = page(project)
    assert 'class="area"' in text and "95&nbsp;% intervals over repetitions" in text


def test_adopting_a_strategy_changes_the_project_and_is_kept() -> None:
    project, _items = lab_project()
    response = client(project).post(f"/p/{project.slug}/lab/adopt", {"strategy": "committee"})
    assert response.status_code == 302
    project.refresh_from_db()
    assert project.strategy == "committee"
    assert Activity.objects.filter(project=project, kind="settings_changed").exists()


def test_an_unknown_strategy_is_not_adopted() -> None:
    project, _items = lab_project()
    client(project).post(f"/p/{project.slug}/lab/adopt", {"strategy": "magic"})
    project.refresh_from_db()
    assert project.strategy == "inward"


def test_every_strategy_has_a_name_and_the_library_knows_it() -> None:
    from django.forms import ChoiceField

    from inference import strategies
    from labeling.catalog.forms.projects import SettingsForm
    from labeling.catalog.strategies import PACED, STRATEGIES

    offered = SettingsForm.base_fields["strategy"]
    assert isinstance(offered, ChoiceField)
    assert set(STRATEGIES) == set(strategies.names()) == {name for name, _label in offered.choices}
    assert all(str(label) for label in STRATEGIES.values())
    assert {name for name in STRATEGIES if strategies.get(name).paced} == PACED


def told(**pairs: tuple[float, float]) -> dict[str, Any]:
    """A run's comparison in words' reach: ``a_b=(difference, half)``."""
    both = []
    for names, (gap, half) in pairs.items():
        left, right = names.split("_")
        for a, b, d in ((left, right, gap), (right, left, -gap)):
            both.append(
                {"left": a, "right": b, "difference": d, "half_interval": half, "clear": abs(d) > half}
            )
    accuracy = {"inward": 0.84, "uncertain": 0.83, "random": 0.8}
    return {
        "at": {
            "decisions": 100,
            "strategies": [{"name": name, "accuracy": value} for name, value in accuracy.items()],
            "pairs": both,
        }
    }


def test_the_advice_says_how_much_better_and_offers_only_what_beats_the_present_strategy() -> None:
    clear = told(inward_random=(0.04, 0.02), inward_uncertain=(0.01, 0.02), uncertain_random=(0.03, 0.04))
    found = lab.advice(clear, "random")
    assert found.best == "inward"
    assert "4.0 points ± 2.0 points" in found.headline and "100" in found.headline
    assert lab.advice(clear, "uncertain").best == ""
    assert lab.advice(clear, "inward").best == ""


def test_the_advice_admits_when_no_difference_can_be_told() -> None:
    found = lab.advice(told(inward_random=(0.04, 0.05), inward_uncertain=(0.01, 0.02)), "random")
    assert found.best == "" and "no difference" in found.headline


def test_a_difference_is_clear_only_beyond_its_interval() -> None:
    assert compute._told(Difference(0.02, 0.03))["clear"] is False
    assert compute._told(Difference(-0.04, 0.03))["clear"] is True


def test_curves_stay_inside_their_plot() -> None:
    given = [
        {"decisions": 40.0, "accuracy": {"value": 0.7, "low": 0.6, "high": 0.8}},
        {"decisions": 230.0, "accuracy": {"value": 0.9, "low": 0.85, "high": 0.95}},
    ]
    curves = [{"name": "inward", "points": given}]
    figure = lab_figure(curves, {}, 100, title="")
    assert (figure.x.low, figure.x.high) == (0, 250) and 0.0 <= (figure.y.low or 0) <= 0.6
    assert 0.95 <= (figure.y.high or 0) <= 1.0
    bare = lab_figure(curves, {}, 100, title="", bands=False)
    for view, without in zip(figure.views, bare.views, strict=True):
        for x, y in points(view.series[0].path + view.series[0].band):
            assert float(view.left) <= x <= float(view.right)
            assert float(view.top) <= y <= float(view.bottom)
        assert without.series[0].band == "" and without.series[0].path
        (compared,) = view.shapes
        assert float(view.left) < points(compared.path)[0][0] < float(view.right)


def client(project: Project) -> Client:
    signed_in = Client()
    signed_in.force_login(project.created_by)
    return signed_in


def page(project: Project) -> str:
    response = client(project).get(f"/p/{project.slug}/lab")
    assert response.status_code == 200
    return response.content.decode()
