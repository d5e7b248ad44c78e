"""Rules in three-valued logic: what is known stays, and what is unknown never passes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.inspections.rules import Answers, Rule, Shape, judge, parse, read
from labeling.inspections.sentences import Names, rest_says, sentence
from labeling.refusals import Refused

SHOTS, CLASSES = ("front", "rear", "inside"), ("foam", "machine", "plain")
SHAPE = Shape(
    asked={"wash": SHOTS, "damage": SHOTS[:2]},
    classes={"wash": CLASSES, "damage": ("none", "dent", "scratch")},
)
PARTS = [(shot, project) for project, shots in SHAPE.asked.items() for shot in shots]


def _conditions(project: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "project": st.just(project),
            "shots": st.lists(st.sampled_from(SHAPE.asked[project]), unique=True),
            "of": st.sampled_from(["any", "every"]),
            "is": st.lists(st.sampled_from(list(SHAPE.classes[project])), min_size=1, unique=True),
            "not": st.booleans(),
        }
    )


conditions = st.sampled_from(list(SHAPE.asked)).flatmap(_conditions)
rules = st.lists(
    st.fixed_dictionaries(
        {
            "outcome": st.sampled_from(["passed", "failed"]),
            "when": st.lists(conditions, min_size=1, max_size=3),
        }
    ),
    max_size=4,
).map(lambda drawn: parse(drawn, SHAPE))
otherwise = st.sampled_from(["held", "failed"])
all_known = st.fixed_dictionaries({part: st.sampled_from(list(SHAPE.classes[part[1]])) for part in PARTS})
known_to_some = st.sets(st.sampled_from(PARTS))
absent = st.sets(st.sampled_from(SHOTS))


def _only(answers: Answers, known: set[tuple[str, str]]) -> Answers:
    return {part: answer if part in known else None for part, answer in answers.items()}


def _classically(given_rules: list[Rule], rest: str, answers: Answers) -> str:
    """The same of answers that are all known, in two-valued logic and by another way."""

    def holds(rule: Rule) -> bool:
        for condition in rule.when:
            so = [
                (answers[shot, condition.project] in condition.classes) != condition.negated
                for shot in condition.shots
            ]
            if not (all(so) if condition.every else any(so)):
                return False
        return True

    for outcome in ("failed", "passed"):
        if any(holds(rule) for rule in given_rules if rule.outcome == outcome):
            return outcome
    return rest


@settings(deadline=None, max_examples=300)
@given(rules, otherwise, all_known, known_to_some, known_to_some, absent, absent)
def test_what_is_decided_stays_when_more_becomes_known(
    given_rules: list[Rule],
    rest: str,
    answers: Answers,
    known: set[tuple[str, str]],
    more: set[tuple[str, str]],
    missing: set[str],
    still_missing: set[str],
) -> None:
    before = judge(given_rules, rest, _only(answers, known), missing)
    after = judge(given_rules, rest, _only(answers, known | more), missing & still_missing)
    assert before.outcome in (after.outcome, "held")
    assert judge(given_rules, rest, answers).outcome == _classically(given_rules, rest, answers)


@settings(deadline=None, max_examples=300)
@given(rules, otherwise, all_known, known_to_some, absent)
def test_nothing_unknown_passes_and_an_outcome_rests_on_what_is_known(
    given_rules: list[Rule], rest: str, answers: Answers, known: set[tuple[str, str]], missing: set[str]
) -> None:
    judged = judge(given_rules, rest, _only(answers, known), missing)
    assert judged.outcome != "passed" or (judged.rests_on and not missing)
    assert set(judged.rests_on) <= known, "it rests on nothing unknown"
    assert not known & set(judged.unknown) and set(judged.missing) <= missing
    if judged.outcome != "held":
        alone = judge(given_rules, rest, _only(answers, set(judged.rests_on)))
        assert alone.outcome == judged.outcome, "it follows from what it rests on, whatever the rest may be"
    else:
        told = judge(given_rules, rest, _only(answers, known | set(judged.unknown)), missing)
        assert not told.unknown, "with what it asks for it waits for no answer any more"


def test_where_one_photo_is_enough_it_rests_on_all_that_say_so() -> None:
    wash = parse(
        [
            {"outcome": "failed", "when": [_when("damage", "any", ["dent", "scratch"])]},
            {"outcome": "passed", "when": [_when("wash", "any", ["foam"], shots=["front", "rear"])]},
        ],
        SHAPE,
    )
    answers = {("front", "damage"): "none", ("rear", "damage"): "none", ("front", "wash"): "foam"}
    judged = judge(wash, "held", answers | {("rear", "wash"): "foam"})
    assert (judged.outcome, judged.rule, set(judged.rests_on)) == (
        "passed",
        1,
        {*PARTS} - {("inside", "wash")},
    )
    assert set(judge(wash, "held", answers).rests_on) == set(answers)
    assert judge(wash, "held", answers, {"inside"}).outcome == "held", "a required photo is missing"
    dented = answers | {("front", "damage"): "dent"}
    assert judge(wash, "held", dented, {"inside"}).rests_on == (("front", "damage"),), (
        "known to fail all the same"
    )
    del answers["rear", "damage"]
    assert judge(wash, "held", answers).unknown == (("rear", "damage"),), "the wash is known to be good"


def test_over_no_shot_nothing_is_known() -> None:
    raw = [{"outcome": "passed", "when": [_when("wash", "every", ["foam"])]}]
    assert judge(read(raw, {"wash": ()}), "failed", {}).outcome == "held", (
        "as of a version that asks it of none"
    )
    assert judge(read(raw, SHAPE.asked), "failed", dict.fromkeys(PARTS, "foam")).outcome == "passed"


def _when(project: str, of: str, classes: list[str], **more: Any) -> dict[str, Any]:
    return {"project": project, "shots": [], "of": of, "is": classes} | more


@pytest.mark.parametrize(
    ("sent", "places"),
    [
        ("none", {"rules"}),
        ([7], {"rules.0"}),
        ([{"outcome": "held", "when": []}], {"rules.0.outcome", "rules.0.when"}),
        ([{"outcome": "passed", "when": [[]], "or": 1}], {"rules.0.or", "rules.0.when.0"}),
        ([{"outcome": "passed", "when": [_when("dirt", "any", ["x"])]}], {"rules.0.when.0.project"}),
        (
            [{"outcome": "passed", "when": [_when("damage", "most", ["foam"], shots=["inside"])]}],
            {"rules.0.when.0.of", "rules.0.when.0.is", "rules.0.when.0.shots"},
        ),
        (
            [{"outcome": "passed", "when": [_when("wash", "any", [], shots="front", **{"not": 1})]}],
            {"rules.0.when.0.is", "rules.0.when.0.shots", "rules.0.when.0.not"},
        ),
        ([{"outcome": "failed", "when": [_when("wash", "any", ["foam"])] * 21}], {"rules.0.when"}),
        ([{"outcome": {}, "when": {}}] * 51, {"rules"}),
    ],
)
def test_what_cannot_be_judged_is_refused_by_place(sent: Any, places: set[str]) -> None:
    with pytest.raises(Refused) as refused:
        parse(sent, SHAPE)
    assert set(refused.value.fields) == places


def test_rules_are_read_as_sentences() -> None:
    names = Names(
        shots={"front": "Front", "rear": "Rear"},
        projects={"wash": "Car wash"},
        classes={("wash", "foam"): "Foam"},
        outcomes={"passed": "Certified", "held": "Held", "failed": "Refused"},
    )

    def said(**condition: Any) -> str:
        whole = {"project": "wash", "shots": ["front"], "of": "any", "is": ["foam"]} | condition
        return sentence(parse([{"outcome": "passed", "when": [whole]}], SHAPE)[0], names)

    assert said() == said(of="every") == "Certified, when Front is Foam in “Car wash”."
    assert said(shots=["front", "rear"]) == "Certified, when any of Front, Rear is Foam in “Car wash”."
    assert said(of="every", shots=[], **{"not": True}) == "Certified, when no shot is Foam in “Car wash”."
    assert said(**{"is": ["foam", "plain", "machine"]}).endswith("is Foam, plain or machine in “Car wash”.")
    both = parse(
        [{"outcome": "failed", "when": [_when("wash", "any", ["foam"]), _when("damage", "every", ["none"])]}],
        SHAPE,
    )
    assert (
        sentence(both[0], names)
        == "Refused, when any shot is Foam in “Car wash” and each shot is none in “damage”."
    )
    assert rest_says("failed", names).startswith("Refused, when it is known that no rule holds. Held, while")
