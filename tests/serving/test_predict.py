"""What ``predict`` says is what the pool's scoring says, of each photo by itself, and what it is worth."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from config.database import ROOT
from labeling.catalog.models import Image, Item, Membership, Role
from labeling.learning import services as learning
from labeling.learning.models import Score
from labeling.queue.models import Placement
from labeling.serving import asking
from labeling.serving.asking import ServiceAway
from labeling.serving.compute.service import Service
from labeling.serving.predicting import MOST_PHOTOS, predict, top
from labeling.store.folders import MODELS
from tests.factories import make_user
from tests.learning.test_from_photos_to_scores import stripes_or_disc
from tests.serving.conftest import KEYS, Served

TELLS = 1e-4


def post(served: Served, data: dict[str, Any], *, by: Any = None, json: bool = False) -> Any:
    client = Client()
    client.force_login(by or served.project.created_by)
    address = f"/api/v1/projects/{served.project.slug}/predict"
    return client.post(address, data, content_type="application/json") if json else client.post(address, data)


def file(data: bytes, name: str = "photo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/png")


def test_sent_photos_get_the_scores_that_the_pool_has(served: Served, service: Service) -> None:
    sent = [file(stripes_or_disc(index)) for index in range(18)]
    answer = post(served, {"photos": sent})
    assert answer.status_code == 200, answer.content
    kept = {
        score.item.image.sha256: score for score in Score.objects.select_related("item__image", "predicted")
    }
    told = answer.json()["photos"]
    assert [each["sha256"] for each in told] == [item.image.sha256 for item in served.items[:18]]
    for each in told:
        score = kept[each["sha256"]]
        assert [each["scores"][key] for key in KEYS] == pytest.approx(score.probabilities, abs=TELLS)
        assert each["class"] == score.predicted.key
        assert each["confidence"] == pytest.approx(score.confidence, abs=TELLS)
        assert (each["version"], each["error"]) == (1, None)


def test_a_photo_that_is_sent_is_kept_nowhere(served: Served, service: Service) -> None:
    before = Image.objects.count(), Item.objects.count()
    assert post(served, {"photos": [file(stripes_or_disc(99))]}).json()["photos"][0]["class"] == KEYS[1]
    assert (Image.objects.count(), Item.objects.count()) == before


def test_photos_that_are_here_are_asked_by_hash_scored_or_not(served: Served, service: Service) -> None:
    hashes = [served.items[at].image.sha256 for at in (3, 19)]
    answer = post(served, {"sha256": [*hashes, "0" * 64]}, json=True)
    scored, fresh, none = answer.json()["photos"]
    assert list(scored["scores"].values()) == Score.objects.get(item=served.items[3]).probabilities
    assert fresh["class"] == KEYS[1] and sum(fresh["scores"].values()) == pytest.approx(1, abs=TELLS)
    assert none["error"]["code"] == "not_here" and none["class"] == ""


def test_what_cannot_be_read_is_said_and_stops_no_other(served: Served, service: Service) -> None:
    whole = stripes_or_disc(0)
    sent = [file(b"not a photo"), file(whole), file(whole[: len(whole) // 2]), file(b"")]
    answer = post(served, {"photos": sent, "sha256": served.items[0].image.sha256})
    assert answer.status_code == 200, answer.content
    told = answer.json()["photos"]
    assert [each["error"] and each["error"]["code"] for each in told] == [
        "not_an_image", None, "truncated", "empty", None,
    ]  # fmt: skip
    assert told[1]["class"] == told[4]["class"] == KEYS[0]
    assert "JPEG" in told[0]["error"]["message"]


def test_requests_that_cannot_be_answered_say_what_to_do(served: Served, service: Service) -> None:
    assert post(served, {}).json()["error"]["code"] == "invalid"
    many = ["0" * 64] * (MOST_PHOTOS + 1)
    assert post(served, {"sha256": many}, json=True).status_code == 422
    learning.promote(model_version=served.versions[1], by=None)
    (MODELS.root / served.versions[1].artifact / "head.safetensors").write_bytes(b"damaged")
    answer = post(served, {"photos": [file(stripes_or_disc(1))]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "damaged")


def test_without_the_service_it_is_said_when_to_ask_again(
    served: Served, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PREDICT_SOCKET = tmp_path / "nobody"
    answer = post(served, {"photos": [file(stripes_or_disc(0))]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "predictions_away")
    assert int(answer["Retry-After"]) > 0
    scored = post(served, {"sha256": [served.items[0].image.sha256]}, json=True)
    assert scored.status_code == 200, "stored scores need nobody"
    monkeypatch.setattr(asking, "_ask", lambda *_: (503, b'{"code": "busy"}'))
    with pytest.raises(ServiceAway):
        predict(project=served.project, sent=[("0" * 64, stripes_or_disc(0))], hashes=[])


def test_a_viewer_may_and_who_answers_photos_may_not(served: Served, service: Service) -> None:
    for role, status in ((Role.VIEWER, 200), (Role.LABELER, 403), (Role.REVIEWER, 403)):
        person = make_user()
        Membership.objects.create(project=served.project, user=person, role=role)
        assert post(served, {"photos": [file(stripes_or_disc(0))]}, by=person).status_code == status


def test_the_band_is_the_one_in_which_the_order_of_today_has_such_photos(
    served: Served, service: Service
) -> None:
    project = served.project
    ranking = project.rankings.create(
        number=900, strategy="inward", bands=3, model_version=served.champion, summary={}
    )
    project.rankings.exclude(pk=ranking.pk).update(current=False)
    project.rankings.filter(pk=ranking.pk).update(current=True)
    known = Score.objects.select_related("item__image")
    confidences = sorted(known.values_list("confidence", flat=True))
    middle = confidences[len(confidences) // 2]
    for class_id in served.champion.classes:
        Placement.objects.create(
            ranking=ranking, predicted_id=class_id, ladder_id=class_id,
            lows=[1.1, middle, 0.0], edges=[middle - 1e-6, 1.1], ridge=[0] * 24,
        )  # fmt: skip
    found = predict(
        project=project, sent=[], hashes=[score.item.image.sha256 for score in known.order_by("item")]
    )
    assert [each.band for each in found] == [
        1 if score.confidence >= middle else 2 for score in known.order_by("item")
    ]


def test_the_class_of_equal_scores_and_of_one_class_is_defined() -> None:
    assert top([0.5, 0.5]) == (0, 0.0)
    assert top([1.0]) == (0, 1.0)


def test_items_of_other_projects_are_not_here(served: Served, service: Service) -> None:
    item = served.items[0]
    Item.objects.filter(pk=item.pk).update(project=None)
    (found,) = predict(project=served.project, sent=[], hashes=[item.image.sha256])
    assert found.error == "not_here"


def test_an_answer_that_cannot_be_read_is_a_service_that_is_away(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_ask", lambda *_: (500, b"Internal server error"))
    answer = post(served, {"photos": [file(stripes_or_disc(0))]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "predictions_away")
    with pytest.raises(ServiceAway, match="500"):
        asking.metrics()


@pytest.mark.django_db
def test_who_waits_for_the_service_holds_no_connection_and_they_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[bool] = []
    asked: dict[str, Any] = {"project": 1, "version": 1, "shadow": None}
    asked["meanwhile"] = lambda: looked_up.append(connection.connection is not None)
    held: list[bool] = []

    def ask(*given: Any) -> tuple[int, bytes]:
        given[-1]()
        held.append(connection.connection is not None)
        with pytest.raises(ServiceAway, match="already"):
            asking.probabilities([], **asked)
        return 200, b'{"version": 1, "photos": []}'

    def wait() -> None:
        connection.ensure_connection()
        try:
            asking.probabilities([], **asked)
            asking.probabilities([], **asked)  # it gave its place back
        finally:
            connection.close()

    monkeypatch.setattr(asking, "_ask", ask)
    monkeypatch.setattr(asking, "_open", threading.BoundedSemaphore(1))
    with ThreadPoolExecutor(1) as outside_of_the_tests_transaction:
        outside_of_the_tests_transaction.submit(wait).result()
    assert (looked_up, held) == ([True, False], [False, False])


def test_figures_of_the_service_load_no_network() -> None:
    script = """
import sys
from config.predict import application
said = []
asked = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics"}
body = b"".join(application(asked, lambda status, _headers: said.append(status)))
assert said == ["200 OK"] and b"hilltop_predict_requests" in body
assert not {"torch", "numpy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
