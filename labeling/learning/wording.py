"""What a comparison says, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.learning.accuracy import at_training
from labeling.learning.templatetags.figures import exact_share, percent, share, signed
from labeling.learning.training_set import LEAST_JUDGING


@dataclass(frozen=True)
class Finding:
    """What to know of a version first. ``look``: of the notice; ``points``: what follows, most pressing first."""

    headline: str
    look: str
    points: list[str]


def never_finds(metrics: dict[str, Any]) -> list[str]:
    """Keys of classes that a version's cross-validation never found although there were photos of them."""
    classes = metrics["cross_validated"]["classes"]
    return [
        key
        for key in metrics.get("order", [])
        if classes[key]["support"] and classes[key]["recall"] and not classes[key]["recall"]["value"]
    ]


def finding(
    metrics: dict[str, Any],
    comparison: dict[str, Any] | None,
    findings: dict[str, Any],
    names: dict[str, str],
) -> Finding:
    """The one thing to know of a version, then what to do about it. ``names``: class key -> name."""
    accuracy = _at_training(metrics)
    compared = conclusion(comparison) if comparison else None
    blind = [names.get(key, key) for key in never_finds(metrics)]
    points: list[str] = []
    if blind:
        headline = _("Not ready: it never finds “%(classes)s”") % {"classes": "”, “".join(blind)}
        look = "error"
        points.append(_("At training: %(accuracy)s, by always saying the same.") % {"accuracy": accuracy})
    elif compared is not None:
        headline, look = (
            compared.headline,
            {"good": "good", "bad": "error", "warn": "warn"}.get(compared.look, ""),
        )
        points.append(_("At training: %(accuracy)s.") % {"accuracy": accuracy})
    else:
        headline, look = _("At training: %(accuracy)s") % {"accuracy": accuracy}, ""
    slices = [row for row in findings.get("slices", []) if row["worse"]]
    if slices:
        worst = slices[0]
        points.append(
            _("It is worse on photos with %(dimension)s “%(slice)s”: %(share)s against %(rest)s elsewhere.")
            % {
                "dimension": dimension_name(worst["dimension"]),
                "slice": worst["slice"],
                "share": percent(worst["accuracy"]["value"]),
                "rest": percent(worst["rest"]),
            }
        )
    if doubted := findings.get("suspicious", {}).get("n"):
        points.append(
            ngettext(
                "%(n)d ground truth looks wrong to it. A reviewer should see it.",
                "%(n)d ground truths look wrong to it. A reviewer should see them.",
                doubted,
            )
            % {"n": doubted}
        )
    return Finding(headline, look, points)


def _at_training(metrics: dict[str, Any]) -> str:
    known = at_training(metrics)
    if known is None:
        return _("nothing is known of its accuracy")
    text = (
        _("right on %(share)s of photos drawn at random (%(low)s to %(high)s, n = %(n)d)")
        if known.random
        else _("right on %(share)s of its ground truths, out of fold (%(low)s to %(high)s, n = %(n)d)")
    )
    figure = known.figure
    told = {"share": percent(figure["value"]), "low": percent(figure["low"]), "high": percent(figure["high"])}
    return text % {**told, "n": known.n}


def dimension_name(key: str) -> str:
    names = {
        "source": _("source"),
        "folder": _("folder"),
        "shot": _("shot type"),
        "format": _("file format"),
        "size": _("shorter side, pixels"),
        "brightness": _("brightness"),
        "sharpness": _("sharpness"),
    }
    return names.get(key, key.removeprefix("metadata:"))


def head_name(kind: str) -> str:
    names = {
        "logistic": _("Logistic regression"),
        "ridge": _("Ridge"),
        "lda": _("Linear discriminant"),
        "cosine": _("Cosine to class means"),
        "mlp": _("Small neural network"),
        "fused": _("Fused: a head of each backbone"),
        "given": _("As it was brought in"),
    }
    return names.get(kind, kind.replace("_", " ").capitalize())


def head_reason(choice: dict[str, Any]) -> str:
    """Why this kind of head, by the rule that chose it. ``choice``: as a version's metrics keep it."""
    candidates = choice.get("candidates", [])
    if parts := choice.get("parts"):
        return _("In the order of the backbones: %(kinds)s.") % {
            "kinds": ", ".join(head_name(part["kind"]) for part in parts)
        }
    if not candidates:
        return ""
    if choice.get("few_labels"):
        return _(
            "No other kind is tried until each class has three ground truths: fewer cannot tell kinds apart."
        )
    if len(candidates) == 1:
        return _("With so many ground truths no other kind is tried.")
    return _(
        "%(reference)s is the reference. It is kept unless another kind is better by more than two standard errors of "
        "the paired difference in log loss, on photos that had no part in the fit."
    ) % {"reference": head_name(candidates[0]["kind"])}


def head_note(candidate: dict[str, Any], reference: dict[str, Any]) -> str:
    """A kind of head against the reference. Older versions kept no standard error."""
    if candidate["kind"] == reference["kind"]:
        return _("the reference")
    difference = candidate["log_loss"] - reference["log_loss"]
    told = {"difference": signed(difference, 4)}
    if (error := candidate.get("error")) is None:
        return _("log loss %(difference)s against it") % told
    return _("log loss %(difference)s against it, standard error %(error)s") % (
        told | {"error": signed(error, 4).removeprefix("+")}
    )


def how_drawn(metrics: dict[str, Any]) -> str:
    """Whether the ground truths that judged a version are typical of the pool."""
    n = metrics["cross_validated"]["n"]
    if not n:
        return ""
    random = metrics["audit"]["n"] if metrics.get("audit") else 0
    told = {"random": random, "chosen": n - random}
    if random >= n:
        return _("All were drawn at random, so they are typical of the pool.")
    if 2 * random >= n:
        return (
            _(
                "%(random)d of them were drawn at random; the queue chose the other %(chosen)d, which may differ."
            )
            % told
        )
    if not random:
        return _("The queue chose them, so they are not typical.")
    return _("The queue chose most of them (%(chosen)d), so they are not typical.") % told


def wish_sentence(wish: dict[str, Any], within: int) -> str:
    """An entry of a forecast's ``reach`` in words."""
    told = {
        "accuracy": exact_share(wish["accuracy"]),
        "within": within,
        "percent": percent(wish["probability"]),
        **{end: None if wish[end] is None else round_up(wish[end]) for end in ("more", "low", "high")},
    }
    if wish["more"] == 0:
        return _("%(accuracy)s is reached by now, as far as this curve can tell.") % told
    if wish["low"] is None:
        return _("%(accuracy)s is not reachable within %(within)d ground truths by this curve.") % told
    if wish["more"] is None:
        return (
            _("%(accuracy)s may not be reachable: within %(within)d ground truths the chance is %(percent)s.")
            % told
        )
    if wish["high"] is None:
        return _("%(accuracy)s: about %(more)d more (from %(low)d to out of reach within %(within)d).") % told
    return _("%(accuracy)s: about %(more)d more (%(low)d to %(high)d).") % told


def round_up(number: int) -> int:
    """To two significant digits: a forecast knows no third."""
    if number < 100:
        return number
    step = int(10 ** (len(str(number)) - 2))
    return -(-number // step) * step


@dataclass(frozen=True)
class Conclusion:
    """``look``: of the badge; ``sentences``: what was compared, how it came out, and how far to trust it."""

    headline: str
    look: str
    sentences: list[str]


def conclusion(comparison: dict[str, Any]) -> Conclusion:
    """The stored comparison of a version with the champion of the time it was trained."""
    told = {"champion": comparison["champion"]}
    if comparison.get("unreadable"):
        return _champion_unreadable(told)
    if not comparison["all"]["n"]:
        nowhere = _("On no photo can this version and version %(champion)d both be judged fairly.") % told
        return Conclusion(_("Could not be compared"), "warn", [nowhere])
    headline, look = _better_or_worse(comparison, told)
    sentences = [*_how_they_did(comparison), _on_random_photos(comparison.get("audit"))]
    if comparison["left_out"]:
        sentences.append(
            _("%(n)d photos were left out, because they could not be judged fairly.")
            % {"n": comparison["left_out"]}
        )
    return Conclusion(headline, look, sentences)


def _champion_unreadable(told: dict[str, Any]) -> Conclusion:
    return Conclusion(
        _("Could not be compared"),
        "warn",
        [
            _(
                "Files of version %(champion)d are missing or damaged, so nothing tells which of the two is better."
            )
            % told,
            _(
                "A version that was not compared is never promoted by itself. Judge this one by its own figures, or "
                "restore the models folder from a backup and train again when there are more labels."
            ),
        ],
    )


def _better_or_worse(comparison: dict[str, Any], told: dict[str, Any]) -> tuple[str, str]:
    """The headline, and the badge's look."""
    figures = comparison["all"]
    if figures["low"] > 0:
        return _("Better than version %(champion)d") % told, "good"
    if figures["high"] < 0:
        return _("Worse than version %(champion)d") % told, "bad"
    if comparison["not_worse"]:
        return _("Not worse than version %(champion)d") % told, "accent"
    return _("Probably worse than version %(champion)d") % told, "warn"


def _how_they_did(comparison: dict[str, Any]) -> list[str]:
    figures, champion = comparison["all"], comparison["champion"]
    few = []
    if not comparison.get("enough", True):
        few.append(
            _(
                "So few photos, or all of one class, may be chance: nothing is promoted by itself on fewer than %(n)d."
            )
            % {"n": LEAST_JUDGING}
        )
    return [
        _(
            "On the same %(n)d photos this version is right on %(b)s of them, version %(champion)d on %(a)s: "
            "%(difference)s, 95\u00a0%% interval %(low)s to %(high)s."
        )
        % {
            "n": figures["n"],
            "a": share(figures["accuracy_a"]),
            "b": share(figures["accuracy_b"]),
            "champion": champion,
            **_interval(figures),
        },
        _("It alone is right on %(only_b)d photos, version %(champion)d alone on %(only_a)d.")
        % {"only_a": figures["only_a_right"], "only_b": figures["only_b_right"], "champion": champion},
        _(
            "Both are judged only by answers that had no part in their training: photos they learned from by "
            "cross-validation, the %(new)d that version %(champion)d never learned from as they are."
        )
        % {"new": comparison["new"], "champion": champion},
        *few,
    ]


def _on_random_photos(audit: dict[str, Any] | None) -> str:
    if not audit:
        return _("No photo was drawn at random, so this says how they do on the photos that the queue chose.")
    return _(
        "On the %(n)d photos that were drawn at random alone: %(difference)s, 95\u00a0%% interval "
        "%(low)s to %(high)s."
    ) % {"n": audit["n"], **_interval(audit)}


def _interval(figures: dict[str, Any]) -> dict[str, str]:
    return {name: signed(figures[name]) for name in ("difference", "low", "high")}
