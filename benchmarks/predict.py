"""How fast does ``predict`` answer, beside bare ONNX Runtime in the same run, and does a promotion fail anybody?

``python -m benchmarks.predict [--quick] [--backbone NAME] [--source elpv|jpeg]``

A real Hilltop (granian, the prediction service, PostgreSQL) is asked over HTTP by clients on the same cores.
*Bare* is the network alone in ONNX Runtime, in this process, on pixels that lie ready: of many photos the faster of one
network a core and one over all cores, of one photo the faster of one thread and all. What decoding costs is told beside it.
All take turns, and the best round of each counts. Of many photos each client sends as many a request as one takes, and for
comparison sixteen; ``PASSES`` times over, so that the beginning, when nothing can be worked on yet, is a small part. Beside
a photo by itself stand its floors: the service without the web server, and the web server asked for what is not there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.bench_project import SLUG, Member, close_connections, make_project, set_up_django
from benchmarks.client import Person
from benchmarks.embed import CACHE, Photo, decode_all, in_batches, in_lanes, jpeg_photos
from benchmarks.running import Target, hilltop, own_database
from benchmarks.wire import Wire
from labeling.catalog.elpv import Cell, clear_cells

if TYPE_CHECKING:
    import numpy.typing as npt

    from inference.embed import Forward
    from labeling.catalog.models import Project

BOUNDARY = "hilltop-benchmark"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
PATH = f"projects/{SLUG}/predict"
#: Clients at a time where photos come in batches, and how often each photo is sent then; clients during promotions.
CLIENTS, PASSES, ASKING = 4, 4, 4
#: Photos of one request: the most, and fewer.
MOST, FEWER = 64, 16
#: Photos of each class that the first version learns from, and those that the second has more.
LEARNED, MORE = 60, 10


def form(photos: Sequence[bytes]) -> bytes:
    """A whole body, as a client sends it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photos"; filename="{at}"\r\n\r\n'.encode()
        + photo
        + b"\r\n"
        for at, photo in enumerate(photos)
    ]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def known(project: Project, cells: Sequence[Cell]) -> None:
    """Photos in the project, settled as the experts judged them."""
    from labeling.catalog.selectors import current_guideline
    from labeling.catalog.services import add_image, add_items
    from labeling.truth.imported import Word, bring_truths

    images = [(add_image(data=cell.path.read_bytes())[0], cell.path.name) for cell in cells]
    items = add_items(project=project, images=images, source="benchmark")
    classes = dict(project.label_classes.values_list("key", "pk"))
    words = [
        Word(item.pk, "class", classes["defective" if cell.probability > 0.5 else "functional"])
        for item, cell in zip(items, cells, strict=True)
    ]
    bring_truths(project=project, words=words, guideline=current_guideline(project), supersedes={})


def cells_of(number: int) -> list[Cell]:
    """Of both classes in turn: those that the first version learns from (0), and those that the second has more (1)."""
    count, skip = (MORE, LEARNED) if number else (LEARNED, 0)
    both = [clear_cells(count=count, defective=defective, skip=skip) for defective in (False, True)]
    return [cell for pair in zip(*both, strict=True) for cell in pair]


def two_versions(project: Project, admin: Person) -> None:
    """Trained by the worker, the first promoted and all scored by it."""
    for number in (0, 1):
        known(project, cells_of(number))
        admin.wait_until_settled(SLUG, {"embed"})
        admin.wait_for(SLUG, admin.post(f"projects/{SLUG}/train", {"seed": 0}))
    admin.post(f"projects/{SLUG}/models/1/promote")
    admin.wait_until_settled(SLUG, {"embed", "train", "rank"})


class Asking:
    """Clients that send bodies in turn, each over its own line, until they are told to end, or have sent ``most``."""

    def __init__(
        self, target: Target, token: str, bodies: Sequence[bytes], *, clients: int, most: int = 0
    ) -> None:
        self.statuses: Counter[int] = Counter()
        self.versions: Counter[int] = Counter()
        self.milliseconds: list[float] = []
        self.over = threading.Event()
        self._left = itertools.count()
        self._most = most
        self._guard = threading.Lock()
        self._threads = [
            threading.Thread(target=self._ask, args=(Wire(target.url, token), bodies)) for _ in range(clients)
        ]

    def start(self) -> Asking:
        for thread in self._threads:
            thread.start()
        return self

    def end(self) -> Asking:
        for thread in self._threads:
            thread.join()
        return self

    def _ask(self, wire: Wire, bodies: Sequence[bytes]) -> None:
        while not self.over.is_set() and ((at := next(self._left)) < self._most or not self._most):
            began = time.perf_counter()
            try:
                status, answer = wire.ask("POST", PATH, bodies[at % len(bodies)], FORM)
            except OSError:
                status, answer = 0, b""
            took = (time.perf_counter() - began) * 1000
            told = json.loads(answer)["photos"] if status == 200 else []
            with self._guard:
                self.statuses[status if all(each["error"] is None for each in told) else -1] += 1
                self.milliseconds.append(took)
                self.versions.update(each["version"] for each in told)
        wire.close()

    @property
    def failed(self) -> int:
        return sum(self.statuses.values()) - self.statuses[200]


def over_promotions(
    target: Target, admin: Person, token: str, bodies: Sequence[bytes], times: int
) -> dict[str, Any]:
    """Clients go on while the other version is promoted, again and again, each time until it answers."""
    asking = Asking(target, token, bodies, clients=ASKING).start()
    taken_over: list[float] = []
    try:
        for number in itertools.islice(itertools.cycle((2, 1)), times):
            began = time.monotonic()
            admin.post(f"projects/{SLUG}/models/{number}/promote")
            before = asking.versions[number]
            while asking.versions[number] == before:
                if time.monotonic() - began > 60:
                    raise SystemExit(f"version {number} does not answer, a minute after its promotion")
                time.sleep(0.01)
            taken_over.append(time.monotonic() - began)
            time.sleep(1.0)
    finally:
        asking.over.set()
        asking.end()
    return {
        "failed_over_promotion": asking.failed,
        "requests_over_promotion": sum(asking.statuses.values()),
        "promotions": times,
        "slowest_over_promotion_ms": round(max(asking.milliseconds), 1),
        "taken_over_s": round(max(taken_over), 2),
        "versions": dict(sorted(asking.versions.items())),
    }


def quantiles(milliseconds: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile."""
    ordered = sorted(milliseconds)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def single(target: Target, token: str, bodies: Sequence[bytes]) -> list[float]:
    asking = Asking(target, token, bodies, clients=1, most=len(bodies)).start().end()
    if asking.failed:
        raise SystemExit(f"single photos failed: {asking.statuses}")
    return asking.milliseconds


def nothing(target: Target, token: str, count: int) -> list[float]:
    """An address that is none: what the web server takes for any request, milliseconds each."""
    wire, took = Wire(target.url, token), []
    for _ in range(count):
        began = time.perf_counter()
        wire.ask("GET", "nothing")
        took.append((time.perf_counter() - began) * 1000)
    wire.close()
    return took


def loaded(target: Target, token: str, body: bytes) -> None:
    """Return when the service has loaded what it needs."""
    wire, until = Wire(target.url, token, timeout=120), time.monotonic() + 300
    while wire.ask("POST", PATH, body, FORM)[0] != 200:
        if time.monotonic() > until:
            raise SystemExit("the prediction service does not answer within five minutes")
        time.sleep(1)
    wire.close()


def service_alone(project: Project, version: int, photos: Sequence[Photo]) -> list[float]:
    """The same photos through the socket, without the web server."""
    from labeling.serving.asking import probabilities

    took = []
    for _key, data in photos:
        began = time.perf_counter()
        probabilities([data], project=project.pk, version=version, shadow=None)
        took.append((time.perf_counter() - began) * 1000)
    return took


def one_by_one(forward: Forward, pixels: npt.NDArray[Any], views: int) -> list[float]:
    took = []
    for start in range(0, len(pixels), views):
        began = time.perf_counter()
        forward(pixels[start : start + views])
        took.append((time.perf_counter() - began) * 1000)
    return took


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(
    target: Target, project: Project, person: Member, photos: Sequence[Photo], rounds: int, backbone_name: str
) -> dict[str, Any]:
    from inference import backbones
    from inference.embed import Embedder, cpu_forward
    from labeling.learning.selectors import champion

    backbone, threads = backbones.load(backbone_name), len(os.sched_getaffinity(0))
    views = backbone.preprocessing.views
    narrow, wide = (cpu_forward(backbone, CACHE / "onnx", each) for each in (1, threads))
    embedder = Embedder(backbone, threads=threads, cache_dir=CACHE / "onnx")
    pixels = decode_all(backbone, photos, threads)
    data = [each for _key, each in photos]
    singles = [form([each]) for each in data]
    together = {
        size: [form(data[start : start + size]) for start in range(0, len(data), size)]
        for size in (MOST, FEWER)
    }
    version = champion(project)
    assert version is not None

    def batches(size: int, passes: int = PASSES) -> None:
        bodies = together[size]
        asking = (
            Asking(target, person.token, bodies, clients=CLIENTS, most=passes * len(bodies)).start().end()
        )
        if asking.failed:
            raise SystemExit(f"batches failed: {asking.statuses}")

    loaded(target, person.token, singles[0])
    batches(FEWER, passes=1)
    times: dict[str, list[float]] = {}
    alone: dict[str, list[list[float]]] = {}
    turns: dict[str, Callable[[], object]] = {
        "predict": partial(batches, MOST),
        "predict, fewer a request": partial(batches, FEWER),
        "one network a core": lambda: in_lanes(narrow, pixels, threads, views),
        "one network over all cores": lambda: in_batches(wide, pixels, 32 * views),
        "bare with decoding": lambda: list(embedder.embed(photos)),
    }
    ones: dict[str, Callable[[], list[float]]] = {
        "predict": partial(single, target, person.token, singles),
        "service": partial(service_alone, project, version.pk, photos),
        "nothing": partial(nothing, target, person.token, len(photos)),
        "one thread": lambda: one_by_one(narrow, pixels, views),
        "all cores": lambda: one_by_one(wide, pixels, views),
    }
    for number in range(rounds):
        for name, work in turns.items():
            passes = PASSES if name.startswith("predict") else 1
            times.setdefault(name, []).append(seconds(work) / passes)
            print(
                f"round {number + 1}, {name}: {len(photos) / times[name][-1]:.1f}/s",
                file=sys.stderr,
                flush=True,
            )
        for name, each in ones.items():
            alone.setdefault(name, []).append(each())
            print(
                f"round {number + 1}, single, {name}: {quantiles(alone[name][-1])[0]:.1f} ms",
                file=sys.stderr,
                flush=True,
            )
    rate = {name: len(photos) / min(took) for name, took in times.items()}
    bare = max(rate["one network a core"], rate["one network over all cores"])
    best = {
        name: min((quantiles(each) for each in rounds_of), key=lambda pair: pair[0])
        for name, rounds_of in alone.items()
    }
    bare_single = min(best["one thread"][0], best["all cores"][0])
    return {
        "photos_per_s": round(rate["predict"], 1),
        "of_bare": round(rate["predict"] / bare, 3),
        "photos_per_s_fewer": round(rate["predict, fewer a request"], 1),
        "of_bare_fewer": round(rate["predict, fewer a request"] / bare, 3),
        "single_p50_ms": round(best["predict"][0], 2),
        "single_p99_ms": round(best["predict"][1], 2),
        "bare_single_ms": round(bare_single, 2),
        "of_bare_single": round(best["predict"][0] / bare_single, 3),
        "service_p50_ms": round(best["service"][0], 2),
        "nothing_p50_ms": round(best["nothing"][0], 2),
        "bare_per_s": round(bare, 1),
        "bare_with_decoding_per_s": round(rate["bare with decoding"], 1),
        "of_bare_with_decoding": round(rate["predict"] / rate["bare with decoding"], 3),
        "one_thread_single_ms": round(best["one thread"][0], 2),
        "threads": threads,
    }


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Runs it and prints its JSON as the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.predict", description=__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--source", choices=("elpv", "jpeg"), default="elpv")
    parser.add_argument("--photos", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--promotions", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="128 photos, 2 rounds, 3 promotions")
    chosen = parser.parse_args(arguments)
    count = min(chosen.photos, 128) if chosen.quick else chosen.photos
    rounds = min(chosen.rounds, 2) if chosen.quick else chosen.rounds
    times = min(chosen.promotions, 3) if chosen.quick else chosen.promotions

    from benchmarks.embed import elpv_photos

    photos = elpv_photos(count) if chosen.source == "elpv" else jpeg_photos(count)
    os.environ["HILLTOP_ADAPT_AFTER"] = "0"
    with own_database():
        set_up_django()
        project, person, _labelers = make_project(labelers=0, backbone=chosen.backbone, retrain_every=0)
        with hilltop() as target:
            two_versions(project, Person(target.url, "admin", "", token=person.token))
        with hilltop(workers=0) as target:
            told = measure(target, project, person, photos, rounds, chosen.backbone)
            admin = Person(target.url, "admin", "", token=person.token)
            bodies = [form([data]) for _key, data in photos]
            told |= over_promotions(target, admin, person.token, bodies, times)
        close_connections()
    result = {
        "benchmark": "predict",
        **told,
        "n": len(photos),
        "rounds": rounds,
        "backbone": chosen.backbone,
        "source": chosen.source,
        "how": f"over HTTP, clients on the same cores: {CLIENTS} with {MOST} photos a request (fewer: {FEWER}), one with "
        "one photo; nothing: an address that is none; "
        "bare is the network alone on decoded pixels, the faster of one thread and all cores; the best round of each",
    }
    print(json.dumps(result))
    return result


if __name__ == "__main__":
    main()
