"""What the page of one model version shows, put together for its template."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from django.utils.translation import gettext as _

from labeling.catalog.models import Item
from labeling.learning import domain_backbones, gate, selectors, version_charts, wording
from labeling.learning.accuracy import accuracy_of
from labeling.learning.confused import most_confused, of_many
from labeling.learning.erased import erased_of
from labeling.learning.models import Diagnostics, ModelVersion
from labeling.learning.templatetags import figures
from labeling.refusals import Refused

#: Doubted labels on the page; "send all" sends all that the version keeps.
SHOWN = 24
#: Photos on a page behind a cell of the confusion table.
PAGE = 48
#: What is asked of the curve before a person asks: this much better than now.
STEP = 0.02


def page(version: ModelVersion, names: dict[str, str], *, wished: float | None) -> dict[str, Any]:
    """``names``: class key -> name. ``wished``: an accuracy between 0 and 1 that somebody asked about."""
    project = version.project
    champion = selectors.champion(project)
    is_champion = champion is not None and champion.pk == version.pk
    cross, audit = version.metrics["cross_validated"], version.metrics.get("audit")
    keys = version.metrics["order"]
    labels = [names.get(key, key) for key in keys]
    drawn = most_confused(cross["confusion"])
    class_rows = [
        {
            "name": names.get(key, key),
            "cross": cross["classes"][key],
            "audit": audit["classes"][key] if audit else None,
        }
        for key in keys
    ]
    compared = [] if champion is None or is_champion else selectors.compare(champion, version)
    return {
        "version": version,
        "champion": champion,
        "is_champion": is_champion,
        "brought_in": version.origin == ModelVersion.Origin.IMPORTED,
        "accuracy": accuracy_of(version) if is_champion else None,
        "is_rollback": champion is not None and version.number < champion.number,
        "cross": cross,
        "audit": audit,
        "class_rows": class_rows,
        "class_names": [labels[column] for column in drawn],
        "confusion": _confusion(cross["confusion"], keys, labels, drawn),
        "of_many": of_many(len(drawn), len(keys)) if len(drawn) < len(keys) else "",
        "reliability": version_charts.reliability(cross["reliability"]),
        "conclusion": wording.conclusion(version.comparison) if version.comparison else None,
        "snapshot": selectors.snapshot_details(version),
        "erased": erased_of(version),
        "snapshot_counts": [(names.get(key, key), version.snapshot.counts[key]) for key in keys],
        "compared": [(figure, names.get(figure.label_class, figure.label_class)) for figure in compared],
        "promotions": selectors.promotions(project).filter(model_version=version),
        **explained(version, names, wished=wished),
    }


def _confusion(
    matrix: list[list[int]], keys: list[str], names: list[str], drawn: list[int]
) -> list[dict[str, Any]]:
    """Rows of the truth for the columns ``drawn``: cells with a count, and a step from 0 to 4 by its share of the row."""
    rows = []
    for index in drawn:
        counts = matrix[index]
        total = sum(counts)
        rows.append(
            {
                "name": names[index],
                "total": total,
                "cells": [
                    {
                        "count": count,
                        "truth": keys[index],
                        "said": keys[column],
                        "said_name": names[column],
                        "right": column == index,
                        "step": round(4 * count / total) if total else 0,
                    }
                    for column, count in ((column, counts[column]) for column in drawn)
                ],
            }
        )
    return rows


def explained(version: ModelVersion, names: dict[str, str], *, wished: float | None) -> dict[str, Any]:
    """Everything from diagnostics; parts are ``None`` or empty for a version that has none.

    ``wished``: an accuracy between 0 and 1 that somebody asked about.
    """
    found = selectors.diagnostics(version)
    findings: dict[str, Any] = found.findings if found else {}
    labels = [names.get(key, key) for key in version.metrics["order"]]
    return {
        "finding": wording.finding(version.metrics, version.comparison, findings, names),
        "choice": _choice(version),
        "drawn": wording.how_drawn(version.metrics),
        "backbones": gate.compared(version, list(domain_backbones.made(version.project))),
        "has_diagnostics": found is not None,
        "slices": [
            row | {"dimension": wording.dimension_name(row["dimension"])}
            for row in findings.get("slices", [])
        ],
        "any_worse": any(row["worse"] for row in findings.get("slices", [])),
        **_curve(findings, wished),
        **_suspicious(version, findings, labels),
        "influential": _influential(found, labels) if found else [],
        "influence": findings.get("influential"),
    }


def _choice(version: ModelVersion) -> dict[str, Any] | None:
    choice = version.metrics["cross_validated"].get("choice") or version.metrics.get("choice")
    if not choice:
        return None
    candidates = choice.get("candidates", [])
    return {
        "kind": wording.head_name(choice["kind"]),
        "reason": wording.head_reason(choice),
        "candidates": [
            candidate
            | {
                "name": wording.head_name(candidate["kind"]),
                "chosen": candidate["kind"] == choice["kind"],
                "note": wording.head_note(candidate, candidates[0]),
            }
            for candidate in candidates
        ],
    }


def _curve(findings: dict[str, Any], wished: float | None) -> dict[str, Any]:
    forecast, points = findings.get("forecast"), findings.get("curve", [])
    if not forecast or not points:  # a forecast is drawn on its curve
        return {"forecast": None, "curve_points": points}
    asked = (
        wished if wished is not None else min(0.995, math.ceil(200 * (forecast["now"]["value"] + STEP)) / 200)
    )
    if asked <= min(point["accuracy"] for point in points):
        # The smallest part of the ground truths was enough for it. A perfect curve has nothing else to reach.
        wish = {"accuracy": asked, "more": 0, "low": 0, "high": 0, "probability": 1.0}
    else:
        # The forecast's next step, so that what is told suffices for what was asked.
        reach = forecast["reach"]
        wish = next((each for each in reach if each["accuracy"] >= asked - 1e-9), reach[-1])
    return {
        "forecast": forecast,
        "curve_points": points,
        "curve_figure": version_charts.forecast(
            points, forecast, wish, title=wording.wish_sentence(wish, forecast["within"])
        ),
        "wish": wish,
        "wish_accuracy": figures.exact_share(wish["accuracy"]),
    }


def _suspicious(version: ModelVersion, findings: dict[str, Any], labels: list[str]) -> dict[str, Any]:
    listed = findings.get("suspicious", {}).get("listed", [])
    states = selectors.review_states(version, [each["item"] for each in listed])
    shown = listed[:SHOWN]
    items = Item.objects.select_related("image").in_bulk([each["item"] for each in shown])
    return {
        "suspicious": [
            {
                "item": items[each["item"]],
                "given": labels[each["given"]],
                "suggested": labels[each["suggested"]],
                "p_suggested": each["p_suggested"],
                "state": states.get(each["item"], ""),
            }
            for each in shown
        ],
        "suspicious_count": findings.get("suspicious", {}).get("n", 0),
        "suspicious_kept": len(listed),
        "to_send": sum(each["item"] not in states for each in listed),
        "in_review": sum(state == "open" for state in states.values()),
    }


def _influential(found: Diagnostics, labels: list[str]) -> list[dict[str, Any]]:
    listed = found.findings.get("influential", {}).get("listed", [])
    # Those that turn no photo are told only where none turns any.
    listed = [each for each in listed if each["flips"]] or listed[:4]
    items = Item.objects.select_related("image").in_bulk([each["item"] for each in listed])
    place = {item: row for row, item in enumerate(found.item_ids)}
    return [
        each
        | {
            "item": items[each["item"]],
            "label": labels[found.truths[place[each["item"]]]],
        }
        for each in listed
    ]


def cell_page(
    version: ModelVersion, names: dict[str, str], *, truth: str, predicted: str, page: int
) -> dict[str, Any] | None:
    """A page of the photos behind one cell, the last one where ``page`` lies beyond.

    ``None`` for classes that the version does not know.
    """
    order = version.metrics["order"]
    if truth not in order or predicted not in order:
        return None
    at = order.index(truth), order.index(predicted)
    start = PAGE * (page - 1)
    found, total = selectors.cell(version, *at, start=start, count=PAGE)
    if total and not found:
        page = math.ceil(total / PAGE)
        start = PAGE * (page - 1)
        found, total = selectors.cell(version, *at, start=start, count=PAGE)
    states = selectors.review_states(version, [each.item.pk for each in found])
    return {
        "truth": names.get(truth, truth),
        "said": names.get(predicted, predicted),
        "truth_key": truth,
        "said_key": predicted,
        "right": truth == predicted,
        "photos": [
            {
                "item": each.item,
                "confidence": each.confidence,
                "truth_probability": each.truth_probability,
                "state": states.get(each.item.pk, ""),
            }
            for each in found
        ],
        "total": total,
        "first": start + 1 if found else 0,
        "last": start + len(found),
        "previous": page - 1 if page > 1 else None,
        "next": page + 1 if start + len(found) < total else None,
    }


_SHARE = re.compile(r"(\d+(?:[.,]\d*)?|[.,]\d+)\s*(%?)", re.ASCII)


def read_share(text: str) -> float | None:
    """ ".9", "0,9", "90" or "90 %" as 0.9, "0.5 %" as 0.005; ``None`` for nothing typed.

    Raises :class:`Refused` ``invalid`` (422) for all that is no share between 0 and 1, both ends left out.
    """
    # Full-width digits and signs come from Korean keyboards.
    cleaned = unicodedata.normalize("NFKC", text).strip()
    if not cleaned:
        return None
    read = _SHARE.fullmatch(cleaned)
    value = float(read[1].replace(",", ".")) if read else 0.0
    if read and (read[2] or value > 1):
        value /= 100
    if not 0 < value < 1:
        message = _("Type a share between 0 and 1, such as .9, or a percentage, such as 90\u00a0%.")
        raise Refused.invalid("accuracy", message)
    return value
