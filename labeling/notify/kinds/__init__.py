"""The catalogue of events, a file a family. What is put in a file here is in the schema, on the page and deliverable;
its rows are heard by a migration (:mod:`labeling.notify.listening`)."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from labeling.notify.kinds.calls_back import UNDECIDED
from labeling.notify.kinds.kind import Kind
from labeling.notify.kinds.testing import TEST

KINDS: dict[str, Kind] = {
    kind.name: kind
    for file in iter_modules(__path__, f"{__name__}.")
    for kind in getattr(import_module(file.name), "KINDS", [])
}
#: Those that an endpoint may listen to.
CHOICES: dict[str, Kind] = {name: kind for name, kind in KINDS.items() if name not in (TEST, UNDECIDED)}
