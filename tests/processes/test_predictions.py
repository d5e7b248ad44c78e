"""The prediction service as a process: through a file, for its own account, over a promotion, and away."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from config.database import ROOT
from labeling.learning import services
from labeling.learning.models import Score
from labeling.serving import asking
from labeling.serving.asking import ServiceAway
from labeling.serving.predicting import Prediction, predict
from tests.learning.test_from_photos_to_scores import stripes_or_disc
from tests.serving.conftest import Served, served_project
from tests.stack import Stack

PATIENCE_S = 120.0


@pytest.fixture
def process(transactional_db: None, settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A service on the test's database and folders. Its socket's path is short, wherever the tests run."""
    with tempfile.TemporaryDirectory() as folder:
        settings.PREDICT_SOCKET = Path(folder) / "predict.sock"
        stack = Stack(HILLTOP_PREDICT_SOCKET=str(settings.PREDICT_SOCKET))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.serving.tiny_service"],
            cwd=ROOT,
            env=stack.environment(),
            start_new_session=True,
        )
        try:
            _wait(process)
            yield process
        finally:
            _end(process)


def _wait(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            asking._ask("GET", "/", None, 2.0)  # any address but the figures' loads it
        except ServiceAway:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Program(threading.Thread):
    """Asks again and again, until it is told to end."""

    def __init__(self, served: Served) -> None:
        super().__init__()
        self.over = threading.Event()
        self.said: list[Prediction] = []
        self.failed: list[BaseException] = []
        self._served = served

    def run(self) -> None:
        photo = stripes_or_disc(1)
        try:
            while not self.over.is_set():
                self.said += predict(project=self._served.project, sent=[("0" * 64, photo)], hashes=[])
        except BaseException as error:
            self.failed.append(error)
        finally:
            connections.close_all()

    def wait_for(self, version: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self.failed and (not self.said or self.said[-1].version != version):
            assert time.monotonic() < deadline, f"version {version} does not answer"
            time.sleep(0.01)


def test_a_promotion_fails_nobody_and_without_the_process_it_is_away(
    process: subprocess.Popen[bytes], settings: Any
) -> None:
    served = served_project()
    mode = settings.PREDICT_SOCKET.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600

    sent = [(item.image.sha256, stripes_or_disc(at)) for at, item in enumerate(served.items[:18])]
    told = predict(project=served.project, sent=sent, hashes=[])
    kept = Score.objects.filter(model_version=served.champion).order_by("item")
    for prediction, score in zip(told, kept, strict=True):
        assert list(prediction.scores.values()) == pytest.approx(score.probabilities, abs=1e-4)

    programs = [Program(served) for _ in range(3)]
    for program in programs:
        program.start()
    try:
        for program in programs:
            program.wait_for(1)
        services.promote(model_version=served.versions[1], by=None)
        for program in programs:
            program.wait_for(2)
    finally:
        for program in programs:
            program.over.set()
        for program in programs:
            program.join()
    assert [program.failed for program in programs] == [[], [], []]
    for program in programs:
        versions = [each.version for each in program.said]
        assert versions == sorted(versions) and set(versions) == {1, 2}
    slug = served.project.slug
    shown = asking.metrics().decode()
    assert f'hilltop_predict_photos_total{{outcome="scored",project="{slug}",version="2"}}' in shown

    _end(process)
    with pytest.raises(ServiceAway):
        asking.metrics()
