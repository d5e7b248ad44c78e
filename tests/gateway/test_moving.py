"""A backup comes back byte for byte though people went on; a Hilltop moves to a server and a bucket, and back, whole."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connections
from psycopg import sql
from pytest_django import Settings

from config.database import start_embedded, stop_embedded
from config.supervise import hold_var
from labeling.catalog import services
from labeling.catalog.erased import FILE
from labeling.catalog.models import Erased, Image, IntakeBatch, IntakeFile, Project
from labeling.catalog.storage import original_name
from labeling.gateway.moving import backups, copying, databases
from labeling.gateway.moving.stores import Bucket, Folder, Store, of_backups, of_hilltop
from labeling.store import on_disk
from tests import database
from tests.factories import make_project, photo_bytes
from tests.store.conftest import in_bucket, s3  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class House:
    """A Hilltop's database and files, and the commands of ``manage.py`` run there."""

    url: str
    var: Path
    storage: dict[str, Any]
    settings: Settings
    monkeypatch: pytest.MonkeyPatch

    def run(self, command: str, *args: str, **options: Any) -> str:
        self.move_in()
        said = io.StringIO()
        call_command(command, *args, stdout=said, stderr=said, **options)
        return said.getvalue()

    def move_in(self) -> None:
        # The session's own lines to its database are none of a running Hilltop.
        connections.close_all()
        for connection in connections.all():
            connection.close_pool()
        self.monkeypatch.setenv("DATABASE_URL", self.url)
        self.monkeypatch.setenv("HILLTOP_VAR", str(self.var))
        self.settings.VAR = self.var
        self.settings.FILES_HERE = on_disk_at(self.var)
        self.settings.STORAGES = self.settings.STORAGES | {"default": self.storage}

    @property
    def store(self) -> Store:
        return of_hilltop(self.storage, self.var)

    def files(self) -> dict[str, copying.Content]:
        return {name: copying.content_at(self.store, name) for name in self.store.names()}

    def as_sql(self, folder: Path) -> str:
        """All that is in the database, as pg_dump writes it."""
        path = folder / f"{self.var.name}.dump"
        with databases.session(self.url) as line, databases.snapshot(line) as at:
            databases.dump(self.url, path, at)
        return as_sql(path)


def as_sql(dump: Path) -> str:
    written = subprocess.run(
        [databases._program("pg_restore"), "--file=-", dump], check=True, capture_output=True, text=True
    ).stdout
    lines = []
    in_data = False
    for line in written.splitlines():
        if line.startswith(("\\restrict", "\\unrestrict")):
            continue  # a word that is drawn anew each time, against what data could tell psql
        in_data = (in_data or line.startswith("COPY ")) and line != "\\."
        # Of what a table or index is restricted to, the server makes one thing and writes it in two ways.
        lines.append(line if in_data else re.sub(r"::(text|character varying)\b(\[\])?|[()]", "", line))
    return "\n".join(lines)


def on_disk_at(var: Path) -> dict[str, Any]:
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(var / "photos")},
    }


@pytest.fixture
def empty_database() -> Iterator[str]:
    with psycopg.connect(database.url_of("postgres"), autocommit=True) as line:
        name = f"moved_{os.getpid()}"
        line.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield database.url_of(name)
        line.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def house(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Photos with renditions, a model, vectors, an adapted backbone, an upload that waits, and a space with an index of
    pgvector's, which could not come along."""
    var = tmp_path / "var"
    here = House(
        database.url_of(str(connections["default"].settings_dict["NAME"])),
        var,
        on_disk_at(var),
        settings,
        monkeypatch,
    )
    here.move_in()
    project = make_project()
    images = [(services.add_image(data=photo_bytes(n))[0], f"{n}.png") for n in range(3)]
    services.add_items(project=project, images=images, source="test")
    waiting = IntakeBatch.objects.create(project=project, kind="upload", created_by=project.created_by)
    IntakeFile.objects.create(batch=waiting, name="later.png", path="0")
    for name, data in {
        f"staging/{waiting.pk}/0": photo_bytes(9),
        "models/cells/1/manifest.json": b"{}",
        "embeddings/abc/s1/vectors.npy": bytes(3000),
        "embeddings/abc/.compact.lock": b"",
        "backbones/cells-1/manifest.json": b"{}",
        "secret-key": b"not the one that is made anew",
    }.items():
        on_disk.write(var / name, data)
    with psycopg.connect(here.url, autocommit=True) as line:
        line.execute("CREATE EXTENSION vector")
        line.execute("CREATE SCHEMA derived CREATE TABLE space_1 (vector real[])")
        line.execute("CREATE INDEX ON derived.space_1 USING hnsw ((vector::halfvec(2)) halfvec_l2_ops)")
    yield here
    with psycopg.connect(here.url, autocommit=True) as line:
        line.execute("DROP SCHEMA derived CASCADE")
        line.execute("DROP EXTENSION vector")


@pytest.fixture
def bucket(s3: str) -> dict[str, Any]:  # noqa: F811
    return in_bucket(s3, f"moved-{uuid.uuid4().hex}")


class Writer:
    """Somebody who goes on storing photos, the file first and then its row, until the block ends."""

    def __init__(self, house: House) -> None:
        self._house, self._stopped, self._wrote = house, threading.Event(), threading.Condition()
        self.acknowledged: list[str] = []
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def wait_for_more(self) -> None:
        with self._wrote:
            before = len(self.acknowledged)
            assert self._wrote.wait_for(lambda: len(self.acknowledged) > before, timeout=60)

    def _write(self) -> None:
        while not self._stopped.is_set():
            data = f"photo {len(self.acknowledged)}".encode()
            sha256 = hashlib.sha256(data).hexdigest()
            on_disk.write(self._house.var / "photos" / original_name(sha256), data)
            Image.objects.create(sha256=sha256, format="PNG", width=1, height=1, size=len(data))
            with self._wrote:
                self.acknowledged.append(sha256)
                self._wrote.notify_all()
        connections.close_all()


def test_a_backup_taken_while_somebody_writes_comes_back_byte_for_byte(
    house: House, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, really = tmp_path / "backups", databases.dump
    house.move_in()
    with Writer(house) as writer:

        def dump(url: str, path: Path, at: str) -> None:
            writer.wait_for_more()  # in the files, and not in the dump
            really(url, path, at)

        writer.wait_for_more()
        before = list(writer.acknowledged)
        monkeypatch.setattr(databases, "dump", dump)
        said = io.StringIO()
        call_command("backup", str(where), stdout=said, stderr=said)
        monkeypatch.undo()
        writer.wait_for_more()
    assert "warning" not in said.getvalue()

    var = tmp_path / "restored"
    back = House(empty_database, var, on_disk_at(var), house.settings, house.monkeypatch)
    told = back.run("restore", str(where))
    manifest = backups.read(of_backups(str(where)))
    assert f"backup {manifest.name} is restored" in told and "HILLTOP_QUIET=1" in told

    dumped = where / backups.part(manifest.name, "database.dump")
    assert back.as_sql(tmp_path) == as_sql(dumped)
    with databases.session(back.url) as line:
        assert databases.digests(line) == manifest.tables
        photos = {sha256 for (sha256,) in line.execute("SELECT sha256 FROM catalog_image")}
    assert set(before) <= photos < set(Image.objects.values_list("sha256", flat=True))
    here, there = house.files(), back.files()
    assert {name: here[name] for name in there} == there
    assert {original_name(sha256) for sha256 in photos} <= there.keys()
    assert {name.split("/")[0] for name in there} > {
        "embeddings",
        "models",
        "backbones",
        "staging",
        "originals",
    }
    assert (var / "secret-key").read_bytes() == (house.var / "secret-key").read_bytes()
    # Once more: what was cut off and what is whole are one.
    assert f"backup {manifest.name} is restored" in back.run("restore", str(where))


def test_the_next_backup_holds_only_what_is_new_and_damage_is_found(
    house: House, empty_database: str, tmp_path: Path
) -> None:
    where = str(tmp_path / "backups")
    different = set(house.files().values())
    assert f"new {len(different) + 1} with" in house.run("backup", where)  # with the secret key
    services.add_image(data=photo_bytes(5))
    new = set(house.files().values()) - different
    assert f"new {len(new)} with" in house.run("backup", where) and len(new) > 1
    lean = house.run("backup", where, "--lean")
    assert f"files: {4 + 3 + 1} with" in lean and "new 0 with" in lean
    assert "is whole" in house.run("restore", where, "--check")

    photo = Image.objects.order_by("id")[0].sha256
    copy = Path(where) / backups.file_name(photo)
    copy.write_bytes(bytes(copy.stat().st_size))
    with pytest.raises(
        CommandError, match=rf"1 of \d+ files are lost or damaged, such as originals/.*{photo}"
    ):
        house.run("restore", where, "--check")
    var = tmp_path / "restored"
    back = House(empty_database, var, on_disk_at(var), house.settings, house.monkeypatch)
    with pytest.raises(CommandError, match=f"{photo} is damaged"):
        back.run("restore", where)


def test_what_was_erased_is_listed_beside_all_backups_and_in_what_is_restored(
    house: House, empty_database: str, tmp_path: Path
) -> None:
    where, digest = tmp_path / "backups", "d" * 64
    house.run("backup", str(where))
    Erased.objects.create(digest=digest, project=Project.objects.get(), everywhere=True)
    house.run("backup", str(where))
    Erased.objects.all().delete()
    oldest = backups.listed(of_backups(str(where)))[0]
    var = tmp_path / "restored"
    back = House(empty_database, var, on_disk_at(var), house.settings, house.monkeypatch)
    for _time in range(2):  # once more, as where it was cut off
        assert "erased since, or before: 1" in back.run("restore", str(where), "--backup", oldest)
    assert digest in (var / "photos" / FILE).read_text()
    house.run("backup", str(where))
    assert digest in (where / FILE).read_text(), "an older database does not shorten it"


def test_what_is_lost_where_it_was_is_said(house: House, tmp_path: Path) -> None:
    lost, waiting = Image.objects.order_by("id")[0].sha256, IntakeBatch.objects.get().pk
    (house.var / "photos" / original_name(lost)).unlink()
    shutil.rmtree(house.var / "staging")
    said = house.run("backup", str(tmp_path / "backups"))
    assert (
        f"1 photos are lost or damaged where they were, and not in the backup; take them in again: {lost}"
        in said
    )
    assert f"The uploads of 1 intakes that wait are not there; have them sent again: {waiting}" in said


def test_a_hilltop_moves_to_a_server_and_a_bucket_and_back(
    house: House,
    empty_database: str,
    bucket: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written, files = house.as_sql(tmp_path), house.files()
    really, left = Bucket.write, iter(range(4))

    def write(self: Bucket, name: str, file: Any) -> None:
        if next(left, None) is None:
            raise OSError("the line was cut")
        really(self, name, file)

    with monkeypatch.context() as cut:
        cut.setattr(Bucket, "write", write)
        with pytest.raises(CommandError, match="the line was cut"):
            house.run("move", "--database", empty_database, "--storage", json.dumps(bucket))
    said = house.run("move", "--database", empty_database, "--storage", json.dumps(bucket))
    assert f"files: {len(files)} with" in said and f"{len(files) - 4} were not there before" in said
    many = House(empty_database, tmp_path / "another", bucket, house.settings, house.monkeypatch)
    assert many.as_sql(tmp_path) == written
    assert many.files() == files

    # PostgreSQL, which is another account where this one is root, must get to its folder.
    with tempfile.TemporaryDirectory(dir=os.environ["HILLTOP_TEST_FOLDER"]) as folder:
        Path(folder).chmod(0o755)
        (var := Path(folder) / "var").mkdir(mode=0o755)
        many.var = var
        try:
            url = start_embedded(
                var / "postgres", keep_running=True, extra="fsync = off\nsynchronous_commit = off\n"
            )
            many.run("move", "--database", "here", "--storage", "here")
            back = House(url, var, on_disk_at(var), house.settings, house.monkeypatch)
            assert back.as_sql(tmp_path) == written
            assert back.files() == files
        finally:
            stop_embedded(var / "postgres")


def test_nothing_moves_from_a_running_hilltop_or_onto_another(
    house: House, empty_database: str, tmp_path: Path
) -> None:
    elsewhere = json.dumps(on_disk_at(tmp_path / "elsewhere"))
    with hold_var(), pytest.raises(CommandError, match="already running"):
        house.run("move", "--database", empty_database)
    with (
        psycopg.connect(house.url),
        pytest.raises(CommandError, match="1 connections to the database are open"),
    ):
        house.run("move", "--storage", elsewhere)
    with pytest.raises(CommandError, match="there already"):
        house.run("move", "--database", house.url)
    with pytest.raises(CommandError, match="none"):
        house.run("move", "--storage", "s3://bucket")
    with pytest.raises(CommandError, match="does not answer"):
        house.run("move", "--database", "postgresql://127.0.0.1:1/hilltop")
    Folder(tmp_path / "elsewhere" / "photos").write("originals/of/another", io.BytesIO(b"photo"))
    with pytest.raises(CommandError, match="Other files are there already, such as originals/of/another"):
        house.run("move", "--storage", elsewhere)
    with psycopg.connect(empty_database) as line:
        line.execute("CREATE TABLE public.of_another (id int)")
    with pytest.raises(CommandError, match="Another database is there already"):
        house.run("move", "--database", empty_database)
    assert house.var == django_settings.VAR  # and nothing was written to the tests' own
