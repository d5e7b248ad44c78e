"""Broken photos, archives and tables: each comes in or is refused for a reason, and stops no other."""

from __future__ import annotations

import hashlib
import json
import random
import time

from benchmarks.chaos.exports import Reader
from benchmarks.chaos.people import MAJORITY, STRICT
from benchmarks.chaos.pictures import Pictures, multipart
from benchmarks.fuzz import mutations
from benchmarks.fuzz.found import PATIENCE_S, Found
from benchmarks.fuzz.world import World
from benchmarks.wire import Wire
from labeling.learning.deriving import read_gold
from labeling.refusals import Refused

#: Broken photos that go together, with one that is whole.
TOGETHER = 10
TABLES = 50
CLASSES = ("functional", "defective")


class Files:
    """An admin who sends what nobody should."""

    def __init__(self, url: str, token: str, world: World, found: Found, dice: random.Random) -> None:
        self._wire = Wire(url, token, timeout=PATIENCE_S)
        self._reader = Reader(url, token)
        self._world, self._found, self._dice = world, found, dice
        self._pictures = Pictures(dice.getrandbits(32))

    def fuzz(self, until: float) -> None:
        """Until the time (``time.monotonic``) is over, all kinds in turn."""
        while time.monotonic() < until:
            for send in (self.photos, self.archive, self.decide, self.tables):
                send()

    def photos(self) -> None:
        files = {f"{number}.png": self._broken() for number in range(TOGETHER)}
        self._found.cases["photos"] += TOGETHER
        whole = next(iter(self._pictures.more(1).values()))
        self._intake("photos", "files", files | {"whole.png": whole}, whole)

    def archive(self) -> None:
        self._found.cases["archives"] += 1
        self._intake("archive", "zip", {"photos.zip": mutations.archive(self._dice)})

    def decide(self) -> None:
        """One photo, which is told at once who decides it."""
        self._found.cases["decisions"] += 1
        body, content_type = multipart({"p.png": self._broken()}, "photo")
        self._wire.close()  # the server hangs up on who was silent for a while
        try:
            told = self._wire.ask("POST", f"projects/{STRICT}/decide", body, content_type)
        except OSError as error:
            self._found.hangs.append(f"decide: {error!r}")
            return
        self._found.answer("decide", *told)

    def tables(self) -> None:
        """Known answers, read as the pages and commands read them."""
        for _ in range(TABLES):
            self._found.cases["tables"] += 1
            table = mutations.table(self._dice, ("1.png", self._world.real["sha256"], "앞면.png"), CLASSES)
            began = time.monotonic()
            try:
                read_gold(table)
            except Refused as refusal:
                if not str(refusal.message):
                    self._found.without_reason.append(f"a table: {table[:200]!r}")
            except Exception as error:
                self._found.server_errors.append(f"a table, {error!r}: {table[:200]!r}")
            if time.monotonic() - began > PATIENCE_S:
                self._found.hangs.append(f"a table of {len(table)} bytes")

    def _broken(self) -> bytes:
        return mutations.mutated(mutations.photo(self._dice), self._dice)

    def _intake(self, what: str, field: str, files: dict[str, bytes], whole: bytes = b"") -> None:
        body, content_type = multipart(files, field)
        self._wire.close()
        try:
            status, content = self._wire.ask("POST", f"projects/{MAJORITY}/intake", body, content_type)
        except OSError as error:
            self._found.hangs.append(f"{what}: {error!r}")
            return
        self._found.answer(what, status, content)
        if status != 202:
            self._found.refused[json.loads(content)["error"]["code"]] += 1
            return
        self._look_into(what, f"projects/{MAJORITY}/intake/{json.loads(content)['id']}", whole)

    def _look_into(self, what: str, batch: str, whole: bytes) -> None:
        """When it is over: why was each file refused that was?"""
        deadline = time.monotonic() + PATIENCE_S
        while (state := self._reader.get(batch))["state"] == "running":
            if time.monotonic() > deadline:
                self._found.hangs.append(f"{what}: {state}")
                return
            time.sleep(0.1)
        job = state["job"]
        if job and job["state"] == "failed":
            self._found.refused["the whole intake"] += 1
            if "unexpected" in job["error"]:
                self._found.server_errors.append(f"{what}: {job['error']}")
            elif not job["error"]:
                self._found.without_reason.append(f"{what}: {state}")
        came_in = set()
        for file in self._reader.rows(f"{batch}/files"):
            if file["outcome"] == "refused":
                self._found.refused[file["reason"]] += 1
                if not file["reason"] or not file["detail"]:
                    self._found.without_reason.append(f"{what}: {file}")
            elif file["sha256"]:
                came_in.add(file["sha256"])
        if whole and hashlib.sha256(whole).hexdigest() not in came_in:
            self._found.good_lost.append(f"{what}: {state}")
