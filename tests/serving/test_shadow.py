"""A challenger answers unseen: what it says is counted, and nobody's answer waits for it or changes by it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.models import Activity
from labeling.overview.diary import sentence
from labeling.refusals import Refused
from labeling.serving.compute import shadowing
from labeling.serving.compute.service import Service
from labeling.serving.models import Shadow, ShadowComparison
from labeling.serving.selectors import shadow_panel
from labeling.serving.services import Answers, record_shadow, set_shadow
from tests.learning.test_from_photos_to_scores import stripes_or_disc
from tests.serving.conftest import Served
from tests.serving.test_predict import file, post


def test_answers_are_counted_by_pair_and_by_distance(served: Served) -> None:
    first, second = served.versions
    one, other = first.classes
    record_shadow(
        champion=Answers(first.pk, [one, other], [[0.9, 0.1], [0.8, 0.2]]),
        challenger=Answers(second.pk, [other, one], [[0.15, 0.85], [0.95, 0.05]]),
    )
    record_shadow(
        champion=Answers(first.pk, [one, other], [[1.0, 0.0]]),
        challenger=Answers(second.pk, [other, one], [[1.0, 0.0]]),
    )
    kept = ShadowComparison.objects.get()
    assert (kept.photos, kept.agreed) == (3, 1)
    assert kept.pairs == {str(one): {str(one): 1, str(other): 2}}
    assert kept.apart == [1, 0, 0, 0, 0, 0, 0, 1, 0, 1]
    (told,) = shadow_panel(served.project).compared
    assert (told.number, told.agreed.part, told.agreed.whole, told.far) == (2, 1, 3, 2)
    assert [(each.champion, each.challenger, each.photos) for each in told.differences] == [
        ("Functional", "Defective", 2)
    ]


def test_the_challenger_gets_what_the_champion_answered_and_says_nothing(
    served: Served, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_shadow(project=served.project, by=served.project.created_by, number=2)
    told: list[Any] = []
    came = threading.Event()

    def record(**answers: Answers) -> None:
        told.append(answers)
        came.set()

    # In its own thread it could not see what this test has not committed.
    monkeypatch.setattr(shadowing, "record_shadow", record)
    service._versions.get(served.versions[1].pk)
    answer = post(served, {"photos": [file(stripes_or_disc(at)) for at in (0, 1)] + [file(b"no photo")]})
    assert [each["version"] for each in answer.json()["photos"]] == [1, 1, None]
    assert came.wait(60)
    (both,) = told
    said = [list(each["scores"].values()) for each in answer.json()["photos"][:2]]
    assert both["champion"].version == served.champion.pk
    assert both["champion"].probabilities == [pytest.approx(row, abs=1e-6) for row in said]
    assert both["challenger"].version == served.versions[1].pk and len(both["challenger"].probabilities) == 2


def test_an_admin_says_who_answers_in_the_shadow_and_the_diary_keeps_it(served: Served) -> None:
    client = Client()
    client.force_login(served.project.created_by)
    address = f"/api/v1/projects/{served.project.slug}/shadow"
    assert client.get(address).json() == {"version": None}
    assert client.put(address, {"version": 2}, content_type="application/json").json() == {"version": 2}
    assert client.get(address).json() == {"version": 2}
    for number, code in ((1, "is_champion"), (9, "no_version")):
        with pytest.raises(Refused) as refused:
            set_shadow(project=served.project, by=served.project.created_by, number=number)
        assert refused.value.code == code
    page = client.get(reverse("models-shadow", args=[served.project.slug])).content.decode()
    assert "Version 2 answers beside the champion" in " ".join(page.split())
    client.post(reverse("models-shadow", args=[served.project.slug]), {"version": ""})
    assert not Shadow.objects.exists()
    said = [sentence(each) for each in Activity.objects.filter(kind__startswith="shadow").order_by("pk")]
    assert "version 2 answer in the shadow" in said[0] and "no version" in said[1]
