"""The rules of a protocol: from answers to an outcome, in Kleene's strong three-valued logic. What is unknown holds.

A rule is ``{"outcome": "passed"|"failed", "when": [CONDITION, …]}``; its conditions are joined by *and*. A condition is
``{"project": slug, "shots": [keys] or [] for all that are asked it, "of": "any"|"every", "is": [class keys], "not": bool}``:
of one shot it says that its answer is one of the classes, or with ``not`` that it is another one; *any* is the disjunction
over the shots, *every* the conjunction. An answer is a class key, or unknown (``None``): then neither is so. Over no shot at
all nothing is known.

(S. C. Kleene, "Introduction to Metamathematics", 1952, § 64: an unknown stays unknown unless whatever it may turn out to be
makes no difference. So what is decided stays decided when an unknown becomes known.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from django.utils.translation import gettext as _

from labeling.refusals import Refused

PASSED, HELD, FAILED = "passed", "held", "failed"
#: Rules of a version, and conditions of a rule, at most: more of them nobody reads.
MOST_RULES, MOST_CONDITIONS = 50, 20

#: A check: key of the shot, slug of the project that asks.
Part = tuple[str, str]
Answers = Mapping[Part, str | None]


@dataclass(frozen=True)
class Shape:
    """What may stand in a rule. ``asked``: project -> shots that it is asked of, in order; ``classes``: project -> keys."""

    asked: Mapping[str, Sequence[str]]
    classes: Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Condition:
    """``everywhere``: it names no shots, and so means all that are asked."""

    project: str
    shots: tuple[str, ...]
    every: bool
    classes: tuple[str, ...]
    negated: bool
    everywhere: bool = False

    def of_shot(self, shot: str, answers: Answers) -> bool | None:
        answer = answers.get((shot, self.project))
        return None if answer is None else (answer in self.classes) is not self.negated

    def holds(self, answers: Answers) -> bool | None:
        if not self.shots:
            return None
        each = [self.of_shot(shot, answers) for shot in self.shots]
        return conjunction(each) if self.every else disjunction(each)

    def rests_on(self, answers: Answers) -> list[Part]:
        """The checks without whose answers it would not be known to hold, or known not to. It is known.

        Where one shot is enough, all that say so: resting on the surest of them would promise too much
        (docs/decisions/0050-a-verdict-and-its-bound.md).
        """
        one_is_enough = self.holds(answers) is not self.every
        return [
            (shot, self.project)
            for shot in self.shots
            if not one_is_enough or self.of_shot(shot, answers) is (not self.every)
        ]

    def lacks(self, answers: Answers) -> list[Part]:
        return [(shot, self.project) for shot in self.shots if answers.get((shot, self.project)) is None]


@dataclass(frozen=True, slots=True)
class Rule:
    outcome: str
    when: tuple[Condition, ...]

    def holds(self, answers: Answers) -> bool | None:
        return conjunction(condition.holds(answers) for condition in self.when)


@dataclass(frozen=True, slots=True)
class Judged:
    """``rule``: number of the one that decides or that it waits for, from 0; none where there is none. ``rests_on``: checks
    whose answers make the outcome what it is; none of a held one. ``unknown``: checks that it waits for; ``missing``:
    required shots without a photo."""

    outcome: str
    rule: int | None
    rests_on: tuple[Part, ...] = ()
    unknown: tuple[Part, ...] = ()
    missing: tuple[str, ...] = ()


def conjunction(each: Iterable[bool | None]) -> bool | None:
    known = list(each)
    return False if False in known else None if None in known else True


def disjunction(each: Iterable[bool | None]) -> bool | None:
    known = list(each)
    return True if True in known else None if None in known else False


def judge(rules: Sequence[Rule], otherwise: str, answers: Answers, missing: Collection[str] = ()) -> Judged:
    """What follows from the answers.

    A rule that fails goes before one that passes, wherever it stands; an unknown one of either holds what it might change.
    Where a required shot is ``missing`` (has no photo) nothing but a rule that fails decides. ``otherwise`` (held or failed)
    follows where each rule is known not to hold.
    """
    held = [rule.holds(answers) for rule in rules]
    absent = tuple(sorted(missing))

    def first(outcome: str, value: bool | None) -> int | None:
        found = (n for n, rule in enumerate(rules) if rule.outcome == outcome and held[n] is value)
        return next(found, None)

    def waits() -> tuple[Part, ...]:
        """A rule that passes waits for nothing where another one passes already."""
        passed = first(PASSED, True) is not None
        open_ = [
            rule
            for n, rule in enumerate(rules)
            if held[n] is None and not (passed and rule.outcome == PASSED)
        ]
        lacking = [
            part
            for rule in open_
            for condition in rule.when
            if condition.holds(answers) is None
            for part in condition.lacks(answers)
        ]
        return tuple(dict.fromkeys(lacking))

    if (failing := first(FAILED, True)) is not None:
        return Judged(FAILED, failing, _unique(_so(rules[failing], answers)))
    if (unknown := first(FAILED, None)) is not None:
        return Judged(HELD, unknown, unknown=waits(), missing=absent)
    passing = first(PASSED, True)
    if passing is None and (unknown := first(PASSED, None)) is not None:
        return Judged(HELD, unknown, unknown=waits(), missing=absent)
    if absent:
        return Judged(HELD, None, missing=absent)
    # What decides has to be so, and what would have come before it not.
    rests = [] if passing is None else _so(rules[passing], answers)
    for n, rule in enumerate(rules):
        if held[n] is False and (passing is None or rule.outcome == FAILED):
            rests += _not_so(rule, answers)
    return Judged(otherwise if passing is None else PASSED, passing, _unique(rests))


def _so(rule: Rule, answers: Answers) -> list[Part]:
    return [part for condition in rule.when for part in condition.rests_on(answers)]


def _not_so(rule: Rule, answers: Answers) -> list[Part]:
    """One condition that is not so is enough; the first."""
    return next(each for each in rule.when if each.holds(answers) is False).rests_on(answers)


def _unique(parts: list[Part]) -> tuple[Part, ...]:
    return tuple(dict.fromkeys(parts))


# -- as they are written ----------------------------------------------------------------------------------------


def read(rules: Iterable[Mapping[str, Any]], asked: Mapping[str, Sequence[str]]) -> list[Rule]:
    """Rules that :func:`parse` let pass once, for the shots of whichever version; ``asked``: as in :class:`Shape`."""
    return [
        Rule(
            rule["outcome"],
            tuple(
                Condition(
                    project=each["project"],
                    shots=tuple(each["shots"] or asked.get(each["project"], ())),
                    every=each["of"] == "every",
                    classes=tuple(each["is"]),
                    negated=bool(each.get("not", False)),
                    everywhere=not each["shots"],
                )
                for each in rule["when"]
            ),
        )
        for rule in rules
    ]


def parse(rules: Any, shape: Shape) -> list[Rule]:
    """Rules as they were sent, if each can be judged by this protocol.

    Raises :class:`Refused` ``invalid`` (422); its ``fields`` name what is wrong by place, as ``rules.0.when.1.is``.
    """
    wrong: dict[str, str] = {}
    if not isinstance(rules, list):
        wrong["rules"] = _("Send a list of rules; an empty one, where there are none.")
    elif len(rules) > MOST_RULES:
        wrong["rules"] = _("At most %(most)d rules; these are %(n)d.") % {
            "most": MOST_RULES,
            "n": len(rules),
        }
    else:
        for n, rule in enumerate(rules):
            wrong |= _wrong_with_rule(rule, f"rules.{n}", shape)
    if wrong:
        raise Refused.invalid_fields(wrong)
    return read(rules, shape.asked)


def _wrong_with_rule(rule: Any, place: str, shape: Shape) -> dict[str, str]:
    if not isinstance(rule, dict):
        return {place: _("A rule is an object with “outcome” and “when”.")}
    wrong = _strangers(rule, place, {"outcome", "when"})
    if rule.get("outcome") not in (PASSED, FAILED):
        wrong[f"{place}.outcome"] = _(
            "A rule passes or fails: “passed” or “failed”. What is unknown holds by itself."
        )
    when = rule.get("when")
    if not isinstance(when, list) or not when:
        wrong[f"{place}.when"] = _("Say when: a list of at least one condition.")
    elif len(when) > MOST_CONDITIONS:
        wrong[f"{place}.when"] = _("At most %(most)d conditions; these are %(n)d.") % {
            "most": MOST_CONDITIONS,
            "n": len(when),
        }
    else:
        for n, condition in enumerate(when):
            wrong |= _wrong_with_condition(condition, f"{place}.when.{n}", shape)
    return wrong


def _wrong_with_condition(condition: Any, place: str, shape: Shape) -> dict[str, str]:
    if not isinstance(condition, dict):
        return {place: _("A condition is an object with “project”, “shots”, “of”, “is” and “not”.")}
    wrong = _strangers(condition, place, {"project", "shots", "of", "is", "not"})
    project = condition.get("project")
    if not isinstance(project, str) or project not in shape.asked:
        wrong[f"{place}.project"] = _("No shot is asked this project. Use one of: %(names)s.") % {
            "names": ", ".join(shape.asked) or "–"
        }
        return wrong
    shots, classes = condition.get("shots"), condition.get("is")
    if not _are_names(shots):
        wrong[f"{place}.shots"] = _("Send a list of shots; an empty one for all that are asked.")
    elif unasked := [key for key in shots if key not in shape.asked[project]]:
        wrong[f"{place}.shots"] = _("“%(project)s” is not asked of: %(shots)s. Use some of: %(asked)s.") % {
            "project": project,
            "shots": ", ".join(unasked),
            "asked": ", ".join(shape.asked[project]),
        }
    elif not shape.asked[project]:
        wrong[f"{place}.shots"] = _("No shot is asked this project.")
    if condition.get("of") not in ("any", "every"):
        wrong[f"{place}.of"] = _("One of: %(values)s.") % {"values": "any, every"}
    known = shape.classes.get(project, ())
    if not _are_names(classes) or not classes:
        wrong[f"{place}.is"] = _("Send a list of at least one class.")
    elif unknown := [key for key in classes if key not in known]:
        wrong[f"{place}.is"] = _("“%(project)s” has no class %(classes)s. Use some of: %(known)s.") % {
            "project": project,
            "classes": ", ".join(unknown),
            "known": ", ".join(known),
        }
    if not isinstance(condition.get("not", False), bool):
        wrong[f"{place}.not"] = _("true or false.")
    return wrong


def _strangers(given: dict[Any, Any], place: str, known: set[str]) -> dict[str, str]:
    return {
        f"{place}.{name}": _("There is no such field here. Use: %(names)s.")
        % {"names": ", ".join(sorted(known))}
        for name in map(str, given)
        if name not in known
    }


def _are_names(value: Any) -> TypeGuard[list[str]]:
    return (
        isinstance(value, list)
        and all(isinstance(each, str) for each in value)
        and len(set(value)) == len(value)
    )
