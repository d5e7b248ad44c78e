"""Mass work on a Ray cluster: photos in, what became of each out, as machines are done with them.

Ray Data keeps one process for each GPU, or machine, of the cluster, hands it blocks of photos, gives those of a machine that
died to another one, and takes up machines that join. Whoever does a block also stores what came of it, in the store of all
machines; only who calls :func:`outcomes` speaks to the database. So a run that ended goes on with what is missing still.

The one file that imports Ray (the extra ``ray``), and only where it is called.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import django
from django.utils.module_loading import import_string

from labeling.store import copies, objects

logger = logging.getLogger(__name__)

#: Photos that a process takes at a time: what is done again when it is killed. A GPU needs a second for them, two cores 20.
BLOCK = 2_048
#: Photos that are listed before any of them is handed out: 32 bytes each in the memory of who lists them.
PASS = 2**22
#: Processes that may die over a block before it is left out: machines come and go, and a photo may crash its decoder.
MOST_DEATHS = 3
#: Bytes of shared memory on a machine that is no cluster: blocks of hashes are small.
_SHARED = 2**27

#: {"sha256": …}, and what the kind of work tells of it; "trouble", where the machine and not the photo was at fault.
Outcome = dict[str, Any]


class ClusterTrouble(Exception):
    """The work cannot be done there. Its text is for people."""


class Work(Protocol):
    """What is done to photos. It is made once in each process, of what is given and ``threads``, cores that it may use."""

    def __call__(self, hashes: Sequence[str], /) -> list[Outcome]:
        """What became of each, in JSON's types. Called again with the same photos it changes nothing."""


def connect(address: str = "") -> None:
    """Join the cluster at ``address``; without one, make one of this machine that ends with this process.

    Raises :class:`ClusterTrouble`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    own: dict[str, Any] = {}
    if not address:
        own = {"include_dashboard": False, "object_store_memory": _SHARED}
        # Or Ray writes one into the home of whoever runs it.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
        import ray.data
    except ImportError:
        raise ClusterTrouble("Ray is not installed here. Install it with: pip install 'ray[data]'") from None
    if not ray.is_initialized():
        try:
            ray.init(address=address or "local", logging_level=logging.WARNING, **own)
        except (ConnectionError, ValueError, ray.exceptions.RayError) as error:
            raise ClusterTrouble(f"There is no cluster at {address or 'this machine'}: {error}") from error
    if len(_machines()) > 1 and not objects.is_remote():
        raise ClusterTrouble(
            "The cluster has several machines, and photos are kept in this one's files. Keep them in a bucket first "
            "(HILLTOP_STORAGE; manage.py move takes them there)."
        )
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.max_errored_blocks = -1  # the others go on; what is not told of is missing still
    context.max_consecutive_actor_init_deaths = MOST_DEATHS


def outcomes(
    hashes: Iterable[str], work: str, given: dict[str, Any], *, gpus: bool
) -> Iterator[list[Outcome]]:
    """Have all photos worked on in the cluster that was joined; what became of them, a block at a time, in any order.

    Args:
        hashes: SHA-256 in hex, each once.
        work: dotted name of a class that is a :class:`Work`.
        given: what it is made of, beside ``threads``.
        gpus: whether it takes a GPU, where there are some.

    Raises:
        ClusterTrouble: no machine can do it.
    """
    import ray.data
    from ray.exceptions import RayError

    deaths = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(_Deaths).remote()
    listed = iter(hashes)
    while some := list(islice(listed, PASS)):
        starts = range(0, len(some), BLOCK)
        blocks = [{"block": bytes.fromhex("".join(some[start : start + BLOCK]))} for start in starts]
        told = ray.data.from_items(blocks, override_num_blocks=len(blocks)).map(
            _Hand,  # type: ignore[arg-type]
            fn_constructor_args=(work, given, copies.store_name(), deaths),
            **_share(gpus),
        )
        try:
            for each in told.iter_rows():
                yield json.loads(each["told"])
        except RayError as error:
            raise ClusterTrouble(f"The cluster gave up: {str(error).strip().splitlines()[-1]}") from error


class _Hand:
    """One process of the cluster."""

    def __init__(self, work: str, given: dict[str, Any], store: str, deaths: Any) -> None:
        import ray

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        django.setup()
        if copies.store_name() != store:
            raise RuntimeError(
                "This machine's HILLTOP_STORAGE is another one than where the work was asked for."
            )
        cores = int(ray.get_runtime_context().get_assigned_resources().get("CPU", 0))
        self._work: Work = import_string(work)(**given, threads=cores or None)
        self._deaths = deaths

    def __call__(self, row: dict[str, bytes]) -> dict[str, str]:
        import ray

        text = row["block"].hex()
        hashes = [text[start : start + 64] for start in range(0, len(text), 64)]
        try:
            if (before := ray.get(self._deaths.before.remote(hashes[0]))) >= MOST_DEATHS:
                raise ClusterTrouble(f"{before} processes died over it")
            told = self._work(hashes)
        except Exception as error:  # the next block may be luckier, and what is stored of this one is stored
            logger.exception("a block of %d photos failed", len(hashes))
            trouble = f"{type(error).__name__}: {error}"
            told = [{"sha256": sha256, "trouble": trouble} for sha256 in hashes]
        return {"told": json.dumps(told)}


class _Deaths:
    """How often each block was begun: who had begun one that is begun again is dead."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()

    def before(self, block: str) -> int:
        self._begun[block] += 1
        return self._begun[block] - 1


def _machines() -> list[dict[str, float]]:
    """What those have to give that can work."""
    import ray

    found = (each["Resources"] for each in ray.nodes() if each["Alive"])
    return [each for each in found if each.get("CPU") or each.get("GPU")]


def _share(gpus: bool) -> dict[str, Any]:
    """How many processes there are from the beginning (more, when machines join), and what each takes."""
    from ray.data import ActorPoolStrategy

    machines = _machines()
    if gpus and (n := int(sum(each.get("GPU", 0) for each in machines))):
        return {"num_gpus": 1, "compute": ActorPoolStrategy(min_size=n)}
    cores = [int(each.get("CPU", 0)) for each in machines if each.get("CPU", 0) >= 1]
    if not cores:
        raise ClusterTrouble("No machine of the cluster has a core to give.")
    return {
        "num_cpus": min(cores),
        "compute": ActorPoolStrategy(min_size=sum(each // min(cores) for each in cores)),
    }
