"""The session's own PostgreSQL and photo store, and a real server for tests that need one.

Everything lives in one temporary folder, so that a test never touches ``var/`` or whatever ``DATABASE_URL``
names. The server is started before Django reads its settings; pytest-xdist's workers inherit its address and
each get a database and a ``var/`` of their own.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.database import start_embedded

# Or each process that the tests start compiles all of ours anew, where the machine's own word is to keep nothing.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Before numpy loads its BLAS, in processes that tests start too: each core has a process of the tests' own already.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
_MARK = "HILLTOP_TEST_FOLDER"
_first = _MARK not in os.environ
if _first:
    _own_folder = Path(tempfile.mkdtemp(prefix="hilltop-tests-"))
    # Registered before the server registers its own end, so it runs after that: first stop, then remove.
    atexit.register(shutil.rmtree, _own_folder, ignore_errors=True)
    _own_folder.chmod(0o755)  # as root, the database server runs as another user
    # Being told to end is an end like any other: the server is stopped and the folder removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ[_MARK] = str(_own_folder)
    # Tests may lose a power cut; they may not wait for the disk. Nor may they go by what autovacuum found between two of
    # them: that the tables are empty, upon which a plan loops over all rows within a loop over all rows.
    os.environ["DATABASE_URL"] = start_embedded(
        _own_folder / "postgres",
        keep_running=False,
        extra="fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off\n",
    )
_folder = Path(os.environ[_MARK])
_process = os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ["HILLTOP_VAR"] = str(_folder / _process)
(Path(os.environ["HILLTOP_VAR"]) / "static").mkdir(parents=True, exist_ok=True)
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["HILLTOP_STATIC"] = "plain"
os.environ["HILLTOP_DEBUG"] = "0"
os.environ.pop("HILLTOP_ROLE", None)

import django  # noqa: E402  (reads the environment above)

django.setup()
# Until the tests are collected nearly all that is made stays, and afterwards a test leaves little.
gc.set_threshold(200_000, 50, 100)

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402
from django.utils import translation  # noqa: E402
from hypothesis import settings as examples  # noqa: E402

from inference import backbones  # noqa: E402
from labeling.catalog import backbones as offered  # noqa: E402
from labeling.store import on_disk  # noqa: E402
from tests import database, kept, quick  # noqa: E402
from tests.stack import Stack  # noqa: E402

if _first:
    database.begin_template(_folder)
TransactionTestCase._fixture_teardown = lambda _case: database.empty()
# The tests' small network is a backbone like the packaged ones. Workers that ``tests.stack`` starts know it too.
backbones.FAMILIES["tiny"] = "tests.tiny_network"
offered.PACKAGED += ("tiny:net",)
# As of the database: what a test writes may lose a power cut.
os.fsync = lambda _file: None
on_disk.sync_disk = lambda _folder: None
# The same made-up examples in every run, or a fault that has nothing to do with a change would refuse it some day. Whoever
# asks for more of them gets other ones each time.
examples.register_profile("same", derandomize=True)
if "HILLTOP_TEST_EXAMPLES" not in os.environ:
    examples.load_profile("same")
# Each test client makes the middleware anew, and looking through all static files was much of its request.
settings.WHITENOISE_AUTOREFRESH = True
PBKDF2PasswordHasher.iterations = 1  # a third of a second for each password is meant, and not for tests


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick", action="store_true", help="what concerns the changes since main, and all that is fast"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("quick") and _first:
        quick.begin()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each process reads its settings after it has named its own ``var/``; pytest-django would read them before."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_collection_finish() -> None:
    """A tenth of the processor went into looking again and again at what stays: torch, Django, and the tests themselves."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.config.getoption("quick"):
        quick.skip_when_late(item)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("quick"):
        config.hook.pytest_deselected(items=quick.choose(items))
    else:
        _spread(items)


def _spread(items: list[pytest.Item]) -> None:
    """So that processes which take tests from each other's ends rarely build one thing twice.

    The gateway's tests come first, for some call an asynchronous view, which nothing can after a browser's test: Playwright
    keeps its event loop running in the thread. Then the library's, whose files share networks; the many small ones, which
    either process may take; what needs the live server, some of it for half a minute; and last the browser's, most of
    which are short, so that the processes end together.
    """
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        room = item.path.relative_to(here).parts[0]
        if room == "browser":
            return 4
        if "transactional_db" in item.fixturenames:
            return 3
        return {"gateway": 0, "inference": 1}.get(room, 2)

    items.sort(key=place)


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """The test client leaves the language of its last request behind; the next test begins in English."""
    translation.activate("en")
    yield


@pytest.fixture(autouse=True)
def _nothing_given() -> None:
    kept.forget_what_was_given()


@pytest.fixture(autouse=True)
def _no_lot_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    """One count of requests in a hundred also sweeps: a query more, in whichever test it falls."""
    monkeypatch.setattr("labeling.people.rate_limits.SWEEP_EVERY", sys.maxsize)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """In pytest-django's place: a clone of the database that was migrated once."""
    name = f"test_{_process}"
    database.clone(_folder, name)
    connection.settings_dict["NAME"] = name
    with django_db_blocker.unblock():
        database.tables()
        yield
        connections.close_all()
    connection.close_pool()
    database.drop(name)


@pytest.fixture(scope="session")
def _stack(django_db_setup: None, django_db_blocker: object) -> Iterator[Stack]:
    stack = Stack()
    yield stack
    stack.stop()


@pytest.fixture
def live_stack(transactional_db: None, _stack: Stack) -> Iterator[Stack]:
    """A real web server (granian, ASGI) in its own process, on the test database.

    What a test commits through the ORM, the server sees, and the other way round. The server is kept between
    tests; ``live_stack.start_worker()`` adds a job worker, which ends with the test.
    """
    _stack.ensure_web()
    yield _stack
    _stack.stop_workers()
    _stack.settle()
