"""How strictly a project answers, as three ready-made choices, and what a choice costs: people's hours and wrong labels.

The reckoning is simple on purpose, and the page says what it takes for granted: answers are blind and independent, one is
wrong as often as the agreement of two tells, wrong ones fall on the other classes alike, and a reviewer is right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from labeling.catalog.models import AgreementRule, Project
from labeling.catalog.strategies import PACED
from labeling.catalog.work import Work

#: Photos that a consequence is told for.
A_THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Preset:
    key: str
    name: str | Promise
    says: str | Promise
    settings: Mapping[str, Any]

    def differs(self, project: Project) -> dict[str, Any]:
        """What choosing it would change: name -> new value."""
        return {name: value for name, value in self.settings.items() if getattr(project, name) != value}


_STRICT: dict[str, Any] = {
    "answers_per_image": 2,
    "boundary_answers": 0,
    "rule": AgreementRule.UNANIMOUS,
    "certifying_answers": 0,
    "gold_rate": 0.05,
    "audit_rate": 0.10,
    "band_agreement": 0.7,
    "min_view_ms": 200,
    "sweep_allowed": False,
    "reviewer_may_rule_own": False,
}
PRESETS = (
    Preset(
        "quick",
        gettext_lazy("Quick"),
        gettext_lazy(
            "One answer settles a photo. Only photos drawn at random get a second one, so that a precision can be proven."
        ),
        {
            **_STRICT,
            "answers_per_image": 1,
            "certifying_answers": 2,
            "audit_rate": 0.05,
            "sweep_allowed": True,
            "reviewer_may_rule_own": True,
        },
    ),
    Preset(
        "strict",
        pgettext_lazy("preset", "Strict"),
        gettext_lazy("Two blind answers must agree, or a reviewer rules."),
        _STRICT,
    ),
    Preset(
        "strict-boundary",
        gettext_lazy("Strict at the boundary"),
        gettext_lazy(
            "Two blind answers must agree, three where the machine is least sure. Where these differ the photo is kept out "
            "of training, and no reviewer is asked."
        ),
        {**_STRICT, "boundary_answers": 3},
    ),
    Preset(
        "very-strict",
        gettext_lazy("Very strict"),
        gettext_lazy(
            "Three blind answers must agree, more of what people see is gold, and more is drawn at random."
        ),
        {
            **_STRICT,
            "answers_per_image": 3,
            "gold_rate": 0.10,
            "audit_rate": 0.15,
            "band_agreement": 0.8,
            "min_view_ms": 500,
        },
    ),
)
_BY_KEY = {preset.key: preset for preset in PRESETS}


def preset_called(key: str) -> Preset | None:
    return _BY_KEY.get(key)


@dataclass(frozen=True, slots=True)
class Consequence:
    """Of 1,000 photos that people answer. ``wrong_low`` to ``wrong_high``: by the interval of the agreement. ``held``: kept
    out of training, with neither a label nor a ruling.

    ``open_hours``: for the photos of the project that nobody has settled, if people answered all of them.
    """

    answers: float
    disputes: float
    held: float
    hours: float
    wrong: float
    wrong_low: float
    wrong_high: float
    open_hours: float


def consequence(project: Project, settings: Mapping[str, Any], work: Work, classes: int) -> Consequence:
    """What the project's settings come to, with ``settings`` in place of some of them. ``classes``: in use."""
    told = {name: settings.get(name, getattr(project, name)) for name in _READ}
    answers = _answers(told)
    answers_shown = answers / (1 - told["gold_rate"]) if told["gold_rate"] < 1 else math.inf
    likely, good, bad = (
        _settled(told, error_of(agree, classes), classes)
        for agree in (work.agree, work.agree_high, work.agree_low)
    )
    ruled = likely.disputed - likely.held
    seconds = answers_shown * work.answer_s + ruled * work.ruling_s
    return Consequence(
        answers=answers_shown,
        disputes=A_THOUSAND * ruled,
        held=A_THOUSAND * likely.held,
        hours=A_THOUSAND * seconds / 3600,
        wrong=A_THOUSAND * likely.wrong,
        wrong_low=A_THOUSAND * good.wrong,
        wrong_high=A_THOUSAND * bad.wrong,
        open_hours=work.open * seconds / 3600,
    )


def error_of(agree: float, classes: int) -> float:
    """How often one answer is wrong where two agree on this share of photos; by mere chance at the worst.

    Two are alike where both are right, or both wrong in the same way: a = (1 - e)² + e² / m, of m other classes.
    """
    others = max(classes - 1, 1)
    spread = 1 + 1 / others
    left = 1 - spread * (1 - agree)
    return (1 - math.sqrt(max(left, 0.0))) / spread


_READ = (
    "answers_per_image",
    "boundary_answers",
    "certifying_answers",
    "rule",
    "agreement_k",
    "gold_rate",
    "audit_rate",
    "strategy",
    "bands",
    "boundary_after",
)


@dataclass(frozen=True, slots=True)
class _Settled:
    """Shares of photos: settled as a wrong class, not settled by answers, and of these held without a ruling."""

    wrong: float
    disputed: float
    held: float = 0.0


def _more(told: Mapping[str, Any]) -> int:
    """Answers of a photo that was drawn at random."""
    return max(int(told["certifying_answers"]), int(told["answers_per_image"]))


def _parts(told: Mapping[str, Any]) -> tuple[tuple[float, int, bool], ...]:
    """Share of the photos, answers that each of them gets, and whether it is held where they differ.

    Outside of the boundary; at it, as many ruled on as are drawn; the others there; drawn ones. By a paced strategy
    all but the first few photos are asked at the boundary.
    """
    drawn, answers = float(told["audit_rate"]), int(told["answers_per_image"])
    inside = 0.0
    if told["boundary_answers"] and told["strategy"] in PACED:
        outside = told["boundary_after"] * (told["bands"] - 1) / told["bands"]
        inside = max(0.0, 1 - outside / A_THOUSAND) * (1 - drawn)
    at_boundary = max(int(told["boundary_answers"]), answers)
    return (
        (1 - drawn - inside, answers, False),
        (inside * drawn, at_boundary, False),
        (inside * (1 - drawn), at_boundary, True),
        (drawn, _more(told), False),
    )


def _answers(told: Mapping[str, Any]) -> float:
    return sum(share * answers for share, answers, _held in _parts(told))


def _settled(told: Mapping[str, Any], error: float, classes: int) -> _Settled:
    wrong = disputed = held = 0.0
    for share, answers, is_held in _parts(told):
        usual = answers == told["answers_per_image"]
        majority = int(told["agreement_k"]) if usual else answers // 2 + 1
        enough = answers if told["rule"] == AgreementRule.UNANIMOUS else majority
        outcome = _outcome(answers, enough, error, classes)
        wrong += share * outcome.wrong
        disputed += share * outcome.disputed
        held += share * outcome.disputed * is_held
    return _Settled(wrong, disputed, held)


def _outcome(answers: int, enough: int, error: float, classes: int) -> _Settled:
    """Of photos with so many answers where ``enough`` alike settle one, if no other class has as many."""
    others = max(classes - 1, 1)
    right_alone = wrong_alone = 0.0
    for wrong in range(answers + 1):
        chance = math.comb(answers, wrong) * error**wrong * (1 - error) ** (answers - wrong)
        same = min(1.0, others * _at_least(enough, wrong, 1 / others))
        if answers - wrong >= enough:
            right_alone += chance * (1 - same)
        else:
            wrong_alone += chance * same
    return _Settled(wrong_alone, max(0.0, 1 - right_alone - wrong_alone))


def _at_least(k: int, n: int, p: float) -> float:
    """Chance of ``k`` hits or more in ``n`` tries of chance ``p``."""
    return sum(math.comb(n, hits) * p**hits * (1 - p) ** (n - hits) for hits in range(k, n + 1))
