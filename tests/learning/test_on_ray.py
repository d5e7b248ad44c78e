"""Mass work in a cluster of one machine: all of it is done once, whoever is killed, and what cannot be read is named."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config.database import ROOT
from inference import backbones
from inference.embed import Embedder
from labeling.catalog import remaking_on_ray, renditions, storage
from labeling.catalog.models import Image
from labeling.jobs import on_ray
from labeling.jobs.models import Job, JobState
from labeling.learning.compute.on_ray import embed
from labeling.learning.compute.stores import store_of
from tests.factories import TINY, make_project
from tests.learning.building import run_job
from tests.learning.test_embedding import with_photos

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore"),  # Ray's own are not ours to mend
    # Not imported to be looked for: it reads its settings then.
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5" * 64}
    # Or they would wait for all other tests.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  (Ray names it so)
    import ray

    folder = tempfile.mkdtemp(prefix="hilltop-ray-")
    try:
        ray.init(
            num_cpus=2,
            object_store_memory=80 * 2**20,
            include_dashboard=False,
            log_to_driver=False,
            runtime_env={
                "worker_process_setup_hook": "tests.tiny_network.known",
                "env_vars": {"PYTHONPATH": str(ROOT)},  # the hook is called before the path is ours
            },
            _temp_dir=folder,
        )
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def shared_folders(cluster: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMBEDDINGS_DIR = Path(os.environ["HILLTOP_VAR"]) / "embeddings"  # the cluster's processes' own
    shutil.rmtree(settings.EMBEDDINGS_DIR, ignore_errors=True)
    monkeypatch.setattr(on_ray, "BLOCK", 4)
    on_ray.connect()


def place(sha256: str) -> Path:
    return Path(default_storage.path(storage.original_name(sha256)))


def kill_who_reads(pipe: Path, data: bytes) -> None:
    """Wait until a process of the cluster reads from ``pipe``, kill it there, and put a file in the pipe's place."""
    while True:
        try:
            mouth = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as error:
            assert error.errno == errno.ENXIO
            time.sleep(0.05)
    for process in psutil.Process().children(recursive=True):
        if "ray::Map" in " ".join(process.cmdline()):
            process.send_signal(signal.SIGKILL)
    pipe.unlink()
    pipe.write_bytes(data)
    os.close(mouth)


def test_embedding_goes_on_after_kills_and_names_what_cannot_be_read() -> None:
    project = make_project()
    hashes = [item.image.sha256 for item in with_photos(project, 20, start=9000)]
    Job.objects.all().delete()
    store = store_of(backbones.load(TINY))
    last = place(hashes[-1])
    data = last.read_bytes()
    last.unlink()
    os.mkfifo(last)  # nobody writes into it, so whoever comes to the last photo waits there

    wanted, told = embed(project, TINY)
    assert wanted == 20
    assert len(next(told)) == 4
    told.close()  # type: ignore[attr-defined]  # who drives it is stopped
    store.refresh()
    missing = store.missing(hashes)
    assert 4 <= len(missing) <= 16 and not Job.objects.exists()

    lost, damaged = missing[:2]
    place(lost).unlink()
    place(damaged).write_bytes(b"half a photo")
    killer = threading.Thread(target=kill_who_reads, args=(last, data), daemon=True)
    killer.start()
    out, err = io.StringIO(), io.StringIO()
    call_command("on_ray", "embed", project.slug, stdout=out, stderr=err)
    killer.join(10)
    assert not killer.is_alive(), "nobody was killed"

    assert f"{len(missing) - 2} done, 2 cannot be read, 0 left out" in out.getvalue()
    assert sorted(line.split(":")[0] for line in err.getvalue().splitlines()) == sorted(
        [f"{lost} missing_file", f"{damaged} truncated"]
    )
    store.refresh()
    assert sorted(store.missing(hashes)) == sorted([lost, damaged])
    sound = [each for each in hashes if each not in (lost, damaged)]
    plain = Embedder(backbones.load(TINY), threads=1).embed(
        (each, place(each).read_bytes()) for each in sound
    )
    assert np.array_equal(store.rows(sound), np.concatenate([batch.vectors for batch in plain]))

    job = run_job(Job.objects.get(kind="embed"))
    assert job.state == JobState.SUCCEEDED and job.result is not None
    assert (job.result["already"], job.result["embedded"], job.result["failed"]) == (18, 0, 2)


def test_renditions_are_made_anew() -> None:
    images = [item.image for item in with_photos(make_project(), 6, start=9100)]
    lost = images[2].sha256
    Image.objects.filter(pk__in=[image.pk for image in images]).update(
        rendered=renditions.VERSION - 1, width=1
    )
    for image in images:
        for variant in storage.VARIANTS:
            default_storage.delete(storage.rendition_name(image.sha256, variant))
    place(lost).unlink()
    wanted, told = remaking_on_ray.remake()
    outcomes = [each for block in told for each in block]
    assert wanted == len(outcomes) == 6
    assert [each["sha256"] for each in outcomes if "reason" in each] == [lost]
    for image in images:
        image.refresh_from_db()
        assert image.rendered == renditions.VERSION
        whole = image.sha256 != lost
        assert storage.is_whole(image.sha256) == whole and image.width == (96 if whole else 1)
    assert remaking_on_ray.remake()[0] == 0


def test_a_block_that_machines_fail_over_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    hand = object.__new__(on_ray._Hand)
    hand._work = lambda _hashes: 1 / 0  # type: ignore[assignment,return-value]
    hand._deaths = ray.remote(num_cpus=0)(on_ray._Deaths).remote()
    project = make_project()
    with_photos(project, 5, start=9200)

    def outcomes(hashes: Any, *_given: Any, **_named: Any) -> Iterator[list[on_ray.Outcome]]:
        yield json.loads(hand({"block": bytes.fromhex("".join(hashes))})["told"])

    monkeypatch.setattr(on_ray, "outcomes", outcomes)
    for why in (*["ZeroDivisionError"] * on_ray.MOST_DEATHS, f"{on_ray.MOST_DEATHS} processes died"):
        err = io.StringIO()
        with pytest.raises(CommandError, match="5 photos were left out"):
            call_command("on_ray", "embed", project.slug, stdout=io.StringIO(), stderr=err)
        assert why in err.getvalue()


def test_who_cannot_be_served_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="no project"):
        call_command("on_ray", "embed", "nowhere")
    with pytest.raises(CommandError, match="no-such-network"):
        call_command("on_ray", "embed", make_project().slug, "--backbone", "no-such-network")
    monkeypatch.setattr(on_ray, "_machines", lambda: [{"CPU": 8}, {"CPU": 8}])
    with pytest.raises(CommandError, match="bucket"):
        call_command("on_ray", "renditions")
