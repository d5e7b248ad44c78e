"""One small change of each kind that the house is to make cheap, with the contract test that it must pass."""

from __future__ import annotations

from benchmarks.house.scratch import After, Example

STRATEGY = Example(
    name="strategy",
    most=3,
    edits={
        "inference/strategies/surest.py": '''"""The surest first: an example."""

from __future__ import annotations

import numpy as np

from inference.strategies.base import Ordering, Pool, top_two, with_model, without_model


class Surest:
    name = "surest"
    needs_model = True
    paced = False

    def order(self, pool: Pool, *, bands: int, seed: int, careful: int | None = None) -> Ordering:
        if pool.proba is None:
            return without_model(np.random.default_rng(seed).permutation(len(pool)))
        _ladder, confidence = top_two(pool.proba)
        return with_model(np.argsort(-confidence, kind="stable"), pool.proba, bands)
''',
        "inference/strategies/__init__.py": [
            After(
                "from inference.strategies.random_order", "from inference.strategies.surest import Surest\n"
            ),
            After("        RandomOrder(),", "        Surest(),\n"),
        ],
        "labeling/catalog/strategies.py": [After('    "random":', '    "surest": _("Surest first"),\n')],
    },
    tests=[
        "tests/inference/test_strategies.py",
        "tests/learning/test_strategy_lab.py",
        "-k",
        "surest or every_strategy_has_a_name",
    ],
)

FORMAT = Example(
    name="format",
    most=2,
    edits={
        "labeling/exchange/tables/tsv.py": '''"""Columns between tabs: an example."""

from __future__ import annotations

from collections.abc import Iterator

from labeling.exchange.tables.format import Format, Rows


def written(chunks: Rows, columns: tuple[str, ...]) -> Iterator[bytes]:
    for rows in chunks:
        lines = ("\\t".join(" ".join(str(row[name]).split()) for name in columns) for row in rows)
        yield "".join(line + "\\n" for line in lines).encode()


FORMAT = Format("text/tab-separated-values", "columns between tabs", written)
''',
        "labeling/exchange/tables/__init__.py": [
            After("from labeling.exchange.tables import csv", "from labeling.exchange.tables import tsv\n"),
            After("FORMATS: dict[str, Format] =", 'FORMATS["tsv"] = tsv.FORMAT\n'),
        ],
    },
    tests=["tests/gateway/test_export.py", "-k", "tsv"],
)

ROUTE = Example(
    name="route",
    most=2,
    edits={
        "labeling/gateway/api/pools.py": '''"""How many photos a project holds: an example."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request

from labeling.catalog.models import Item, Project
from labeling.catalog.permissions import Action
from labeling.gateway.api.base import ApiView, route
from labeling.gateway.api.endpoint import Json, endpoint
from labeling.gateway.api.shapes import Shape


class PoolOut(Shape):
    photos = serializers.IntegerField()


@route("projects/<slug:slug>/pool", "api-pool", "projects")
class PoolView(ApiView):
    @endpoint("get_pool", "How many photos there are", may=Action.ADMIN, returns=PoolOut)
    def get(self, request: Request, project: Project) -> Json:
        return {"photos": Item.objects.filter(project=project).count()}
''',
        "docs/api.md": [After("projects/{slug}/jobs[/{id}]", "GET         projects/{slug}/pool\n")],
    },
    tests=[
        "tests/gateway/test_who_may_use_each_route.py",
        "tests/gateway/test_schema.py",
        "tests/gateway/test_api_documentation.py",
        "-k",
        "pool or says or has_an_address or is_named or lists_every_route",
    ],
)

MONITOR = Example(
    name="monitor",
    most=4,
    edits={
        "labeling/monitors/readings/disputed.py": '''"""Share of the photos that wait for a reviewer: an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from labeling.catalog.models import Item
from labeling.monitors.models import Monitor, MonitorReading, ReadingState
from labeling.monitors.reading import PEOPLE_AND_QUEUE, Look, Reader, Reading, alert_if
from labeling.monitors.scales import ERROR_SHARE
from labeling.monitors.spec import MonitorSpec, Threshold
from labeling.truth.models import Dispute


def disputed_reading(look: Look) -> Reading:
    pool = Item.objects.filter(project=look.project).count()
    waiting = Dispute.objects.open().filter(project=look.project).count()
    limit, evidence = look.thresholds.disputed, f"{waiting} of {pool}"
    if not pool:
        return Reading(Monitor.DISPUTED, ReadingState.NOT_ENOUGH, evidence, threshold=limit)
    share = waiting / pool
    return Reading(Monitor.DISPUTED, alert_if(share > limit), evidence, value=share, threshold=limit)


class Disputed(MonitorSpec):
    key = Monitor.DISPUTED
    purpose = gettext_lazy("How many photos wait for a reviewer?")
    advice = gettext_lazy("Rule on the open disputes.")
    scale = ERROR_SHARE
    reader = Reader(PEOPLE_AND_QUEUE, lambda look: [disputed_reading(look)])
    thresholds = (
        Threshold("disputed", gettext_lazy("Disputed, in %"), gettext_lazy("Of all photos."), percent=True),
    )

    def found(self, reading: MonitorReading) -> str:
        return f"{self.value(reading)} wait for a reviewer"

    def missing(self, figures: Mapping[str, Any]) -> str:
        return "There are no photos yet"

    def interval(self, reading: MonitorReading) -> str:
        return "of all photos"

    def alerts_at(self, threshold: float) -> str:
        return f"alerts above {self.scale.text(threshold)}"


SPEC = Disputed()
''',
        "labeling/monitors/models.py": [
            After("    QUEUE = ", '    DISPUTED = "disputed", _("Disputed photos")\n'),
            After(
                'help_text="age of the oldest photo that waits",',
                "    )\n    disputed = models.FloatField(\n        default=0.2, validators=SHARE,\n",
            ),
        ],
        "tests/monitors/examples.py": [
            After(
                "FIGURES: dict[",
                '    "disputed": (\n        [{"threshold": 0.2}],\n'
                '        [{"value": 0.1, "threshold": 0.2}],\n        [{"value": 0.5, "threshold": 0.2}],\n    ),\n',
            ),
        ],
    },
    commands=[["makemigrations", "monitors", "--verbosity", "0"]],
    tests=["tests/monitors/test_every_monitor.py"],
)

EXAMPLES = (STRATEGY, FORMAT, ROUTE, MONITOR)
