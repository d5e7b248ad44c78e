"""Each figure has one name, and one value under it: on every page, and in the API.

All pages of a project that has lived for weeks are read as they are sent, and what each calls by a name is held against
what the others and the API call so. A page or a figure that comes later is read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.test.html import Element, parse_html
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver
from django.utils import timezone

from labeling.catalog.models import Item
from labeling.learning.accuracy import accuracy_of
from labeling.learning.templatetags.figures import interval
from labeling.monitors.compute.calibration import calibration_reading
from labeling.monitors.models import MonitorReading
from labeling.monitors.services import record, thresholds_of
from labeling.truth.models import Dispute
from tests.frontier.living import Living, make_living
from tests.kept import made_once

pytestmark = pytest.mark.django_db

#: Figure's name on the pages -> where the API tells it: endpoint, and the way to it.
IN_THE_API = {
    "Model accuracy": [
        ("dashboard", "headline", "accuracy", "value"),
        ("models", "champion", "accuracy", "value"),
    ],
    "Certified share of the pool": [("dashboard", "headline", "certified"), ("frontier", "coverage")],
    "Target precision": [("dashboard", "headline", "precision"), ("frontier", "policy", "precision")],
    "Images per human decision": [("dashboard", "headline", "per_decision")],
    "Decided by the machine": [("dashboard", "headline", "by_machine"), ("frontier", "decided")],
    "Ground truths": [("progress", "ground_truths")],
    "Open disputes": [("progress", "open_disputes")],
    "Agreement in this band": [("progress", "agreement")],
}


def addresses() -> Iterator[str]:
    """Every address that takes nothing but a project."""

    def below(patterns: list[Any], before: str) -> Iterator[str]:
        for each in patterns:
            path = before + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from below(each.url_patterns, path)
            elif isinstance(each, URLPattern) and re.fullmatch(r"p/<slug:slug>/[^<>]*", path):
                yield "/" + path

    return below(get_resolver().url_patterns, "")


def pages(client: Client, slug: str) -> Iterator[tuple[str, Element]]:
    for address in ("/", *addresses()):
        response = client.get(address.replace("<slug:slug>", slug))
        if response.status_code != 200 or not response["content-type"].startswith("text/html"):
            continue
        yield address, parse_html(response.content.decode())


def elements(node: Any) -> Iterator[Element]:
    if isinstance(node, Element):
        yield node
        for child in node.children:
            yield from elements(child)


def text(node: Any) -> str:
    """As it is read; without what is for screen readers only, which says the same again."""
    if not isinstance(node, Element):
        return str(node)
    if "sr-only" in classes(node):
        return ""
    return " ".join(" ".join(map(text, node.children)).split())


def classes(node: Element) -> list[str]:
    return str(dict(node.attributes).get("class", "")).split()


def figures(page: Element) -> Iterator[tuple[str, str]]:
    """(name, value) of each figure: a term with what is big in its definition, or what is big in a card under its title."""
    for each in elements(page):
        children = [child for child in each.children if isinstance(child, Element)]
        if each.name == "div" and [child.name for child in children] == ["dt", "dd"]:
            name, told = children
        elif "card" in classes(each) and children:
            name, told = children[0], each
        else:
            continue
        big = [part for part in elements(told) if "big" in classes(part)]
        if len(big) == 1:
            yield text(name), text(big[0])


@dataclass(frozen=True)
class Seen:
    """What an admin reads of a project.

    Attributes:
        figures: name -> value -> the addresses of the pages that show it.
        definitions: address -> the texts of its definitions (dd).
        texts: address -> all that it says.
        api: endpoint -> what it answers.
    """

    living: Living
    figures: dict[str, dict[str, list[str]]]
    definitions: dict[str, list[str]]
    texts: dict[str, str]
    api: dict[str, Any]


@made_once
def seen() -> Seen:
    """With random photos settled under the champion, a look of the monitor at them, and disputes."""
    living = make_living(days=40, photos=6)
    living.score_the_rest()
    drawn = [item.pk for item, _key in living.settled[-80:]]
    Item.objects.filter(pk__in=drawn).update(audit_drawn_at=timezone.now())
    assert living.model is not None
    reading = calibration_reading(living.project, living.model, thresholds_of(living.project))
    record(project=living.project, readings=[reading])
    for item in living.take_in(3):
        Dispute.objects.create(project=living.project, item=item, round=1, cause="disagreement")
    return read(living)


def read(living: Living) -> Seen:
    client = Client()
    client.force_login(living.admin)
    slug = living.project.slug
    found: dict[str, dict[str, list[str]]] = {}
    definitions, texts = {}, {}
    for address, page in pages(client, slug):
        for name, value in figures(page):
            found.setdefault(name, {}).setdefault(value, []).append(address)
        definitions[address] = [text(each) for each in elements(page) if each.name == "dd"]
        texts[address] = text(page)
    told = {
        name: client.get(f"/api/v1/projects/{slug}/{name}").json()
        for name in ("dashboard", "frontier", "progress")
    }
    models = client.get(f"/api/v1/projects/{slug}/models").json()["results"]
    told["models"] = {
        "champion": next(each for each in models if each["champion"]),
        "others": [each for each in models if not each["champion"]],
    }
    return Seen(living, found, definitions, texts, told)


def test_one_name_has_one_value_on_every_page() -> None:
    found = seen().figures
    assert {name: values for name, values in found.items() if len(values) > 1} == {}
    assert found.keys() >= IN_THE_API.keys()
    (shown_on,) = found["Model accuracy"].values()
    assert {"/p/<slug:slug>/", "/p/<slug:slug>/dashboard", "/p/<slug:slug>/models"} <= set(shown_on)


def test_the_api_tells_the_same_under_each_of_its_names() -> None:
    project = seen()
    for name, ways in IN_THE_API.items():
        values = []
        for endpoint, *way in ways:
            value = project.api[endpoint]
            for step in way:
                value = value[step]
            values.append(value)
        assert len(set(values)) == 1, (name, values)
        (shown,) = project.figures[name]
        number = re.match(r"[\d,]*\.?\d*", shown)
        assert number is not None
        said = float(number[0].replace(",", "")) / (100 if "%" in shown else 1)
        assert said == pytest.approx(values[0], abs=0.0051), name


def test_the_headline_is_the_newest_audit_and_what_was_known_at_training_is_called_so() -> None:
    project = seen()
    assert project.living.model is not None
    accuracy = accuracy_of(project.living.model)
    then = project.living.model.metrics["cross_validated"]
    assert accuracy.audited.whole == 80
    assert round(accuracy.audited.share or 0, 2) != round(then["accuracy"]["value"], 2)
    (shown,) = project.figures["Model accuracy"]
    assert shown == text(parse_html(str(interval(accuracy.figure))))
    value = text(parse_html(str(interval(then["accuracy"]))))
    for address, definitions in project.definitions.items():
        for each in definitions:
            assert value not in each or f"at training, cross-validated: {value}" in each, address
    headline = project.api["dashboard"]["headline"]
    assert headline["accuracy"]["n"] == 80
    assert headline["accuracy_at_training"] == then["accuracy"] | {"n": then["n"], "random": False}
    assert {each["accuracy"] for each in project.api["models"]["others"]} == {None}


def test_the_monitors_say_how_often_it_was_right_as_the_headline_does() -> None:
    project = seen()
    assert project.living.model is not None
    audited = accuracy_of(project.living.model).audited
    figures = MonitorReading.objects.get(project=project.living.project, monitor="calibration").figures
    assert (figures["n"], figures["right"]) == (audited.whole, pytest.approx(audited.share))
    said = f"{100 * (audited.share or 0):.0f} % of 80 random labels were right"
    assert said in project.texts["/p/<slug:slug>/monitors"]


def test_a_version_that_no_random_photo_has_judged_has_no_accuracy_yet() -> None:
    living = make_living(days=40, photos=6)
    client = Client()
    client.force_login(living.admin)
    page = parse_html(client.get(f"/p/{living.project.slug}/").content.decode())
    assert dict(figures(page))["Model accuracy"] == "–"
    headline = client.get(f"/api/v1/projects/{living.project.slug}/dashboard").json()["headline"]
    assert headline["accuracy"] is None
    assert headline["accuracy_at_training"]["random"] is False


def test_what_people_hold_judges_no_version() -> None:
    living = seen().living
    assert living.model is not None
    before = accuracy_of(living.model).audited.whole
    for item, _key in living.settled[-5:]:
        truth = item.ground_truths.get()
        held = living.truth(item, "functional", truth.origin, supersedes=truth)
        held.kind, held.label_class = "hold", None
        held.save()
    assert accuracy_of(living.model).audited.whole == before - 5


def test_home_says_the_same_of_what_is_settled_and_of_disputes() -> None:
    project = seen()
    headline = project.api["dashboard"]["headline"]
    settled, machine = headline["by_people"], f"The machine decides {headline['by_machine']} of "
    assert machine in project.texts["/"] and machine in project.texts["/p/<slug:slug>/"]
    assert f"{settled} of " in project.texts["/"]
    disputes = project.api["progress"]["open_disputes"]
    assert disputes == 3
    assert f"{disputes} disputes wait for your ruling" in project.texts["/"]
    assert f"{disputes} disputes wait for a ruling" in project.texts["/p/<slug:slug>/"]
