"""Every block of the docs that is not for a shell is run, or held against what reads such a thing; no language is forgotten.

What asks a Hilltop is none of them: ``test_commands.py`` runs it, and ``tests/client/test_live.py`` docs/agent.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from django.urls import resolve
from jsonschema import Draft202012Validator
from pytest_django import Settings
from standardwebhooks import Webhook

from config.database import ROOT
from labeling.catalog import backbones
from labeling.gateway.schema import prepared
from labeling.serving.gate.limits import Limits
from tests import database
from tests.docs.blocks import SHELLS, Block, blocks
from tests.tiny_clip import make_clip

#: At the beginning of a line or of a column; in a sentence a method stands alone.
_ROUTE = re.compile(
    r"(?:^|  )((?:(?:GET|POST|PUT|PATCH|DELETE),? +)+)([a-z][\w{}/.-]*)((?:\[/\{\w+\}\])?)", re.MULTILINE
)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(prepared("en", "application/vnd.oai.openapi+json")[0])
    return told


def fits(value: Any, name: str, schema: dict[str, Any]) -> None:
    where = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
    Draft202012Validator(where).validate(value)


def _refusal(block: Block, schema: dict[str, Any]) -> None:
    fits(json.loads(block.text), "ErrorOut", schema)


def _prediction(block: Block, schema: dict[str, Any]) -> None:
    fits(json.loads(block.text), "PredictOut", schema)


def _bucket(block: Block, _schema: dict[str, Any]) -> None:
    from storages.backends.s3 import S3Storage

    for options in json.loads(block.text).values():
        S3Storage(**options)


def _protocol(block: Block, schema: dict[str, Any]) -> None:
    """``test_commands.py`` sends it."""
    fits(json.loads(block.text), "ProtocolInRequest", schema)


def _slack(block: Block, _schema: dict[str, Any]) -> None:
    told = json.loads(block.text)["settings"]["interactivity"]["request_url"]
    assert resolve(told.removeprefix("https://label.example.com")).kwargs == {}


def _webhook(block: Block, schema: dict[str, Any]) -> None:
    """What it verifies is signed here; what its comment names is what each event has."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"type": "photo.decided"}'
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("1", now, body),
    }
    known: dict[str, Any] = {"body": body, "headers": headers}
    exec(block.text.replace("whsec_…", secret), known)
    assert known["event"] == json.loads(body)
    named = set(
        re.findall(r'"(\w+)"', next(line for line in block.text.splitlines() if line.startswith("#")))
    )
    for event in schema["webhooks"].values():
        content = event["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert set(content["properties"]) == named


def _gate(block: Block, _schema: dict[str, Any]) -> None:
    limits = Limits.read(block.text, {})
    assert limits.accuracy is not None and limits.latency_ms is not None


def _pipeline(block: Block, _schema: dict[str, Any]) -> None:
    """What it has ``manage.py`` do is what the page has a reader do, and what it keeps is what those write."""
    (job,) = yaml.safe_load(block.text)["jobs"].values()
    written = {words for each in blocks() if each.language in SHELLS for words in each.commands}
    ran = [step["run"] for step in job["steps"] if "manage.py" in step.get("run", "")]
    assert ran and set(ran) <= written
    kept = [step["with"]["path"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert kept and all(any(name in command for command in ran) for name in kept)


def _compose(block: Block, _schema: dict[str, Any]) -> None:
    known = set(re.findall(r"\$\{(\w+)", (ROOT / "config" / "deploy" / "compose.yaml").read_text()))
    assert set(re.findall(r"^(\w+)=", block.text, re.MULTILINE)) - known == set()


def _second_login(block: Block, _schema: dict[str, Any]) -> None:
    """On the tests' own server, which takes it back: who signs in by the second login is the first one from then on."""
    with psycopg.connect(database.url_of("postgres")) as line:
        line.execute("CREATE ROLE hilltop LOGIN PASSWORD 'before'")
        line.execute(block.text.encode())
        row = line.execute(
            "SELECT rolcanlogin, rolconfig, pg_has_role(rolname, 'hilltop', 'SET') FROM pg_roles WHERE rolname = 'hilltop_b'"
        ).fetchone()
        line.rollback()
    assert row == (True, ["role=hilltop"], True)


def _routes(block: Block, schema: dict[str, Any]) -> None:
    """Each method of each address is in the schema."""
    known = [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path.removeprefix("/api/v1/"))))
        for path, methods in schema["paths"].items()
        for method in methods
    ]
    named = {
        (method, re.sub(r"[{}]", "", address + more))
        for methods, address, further in _ROUTE.findall(block.text)
        for more in {"", further.strip("[]")}
        for method in re.findall(r"[A-Z]+", methods)
    }
    assert named
    lost = [each for each in named if not any(each[0] == m and p.fullmatch(each[1]) for m, p in known)]
    assert sorted(lost) == []


def _weights(block: Block, _schema: dict[str, Any]) -> None:
    """Files that lie as is written are offered under the names that are written."""
    folder = Path(backbones.settings.WEIGHTS_DIR)
    for line in block.text.splitlines():
        file, _arrow, name = (part.strip() for part in line.partition("→"))
        if name.startswith("clip:"):
            make_clip(folder / "clip" / "NAME")
        elif name:
            (folder.parent / file).parent.mkdir(parents=True, exist_ok=True)
            (folder.parent / file).touch()
        assert not name or backbones.is_choice(name), name


def _words(block: Block, _schema: dict[str, Any]) -> None:
    """``test_commands.py`` finds them in what ``make demo`` prints."""
    assert block.text.startswith("Hilltop is at")


CHECKS: dict[str, Callable[[Block, dict[str, Any]], None]] = {
    "json docs/api.md *": _refusal,
    "json docs/serving.md *": _prediction,
    "json docs/configuration.md *": _bucket,
    "json docs/inspections.md *": _protocol,
    "json docs/slack.md *": _slack,
    "python docs/api.md *": _webhook,
    "toml docs/bundles.md *": _gate,
    "yaml docs/bundles.md *": _pipeline,
    "ini docs/many-machines.md *": _compose,
    "sql docs/operating.md *": _second_login,
    "text docs/api.md *": _routes,
    "text docs/configuration.md *": _weights,
    "text docs/getting-started.md *": _words,
}


def known_as(block: Block) -> str:
    return f"{block.language} {block.page} {block.text}"


def others() -> list[Block]:
    return [block for block in blocks() if not block.is_run]


@pytest.mark.django_db
@pytest.mark.parametrize("block", others(), ids=lambda block: f"{block.page}-{block.language}")
def test_it_is_what_it_says(block: Block, schema: dict[str, Any], settings: Settings, tmp_path: Path) -> None:
    settings.WEIGHTS_DIR = tmp_path / "weights"
    (check,) = [check for pattern, check in CHECKS.items() if fnmatchcase(known_as(block), pattern)]
    check(block, schema)
