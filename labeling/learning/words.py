"""What a comparison says, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.learning.templatetags.figures import share, signed


@dataclass(frozen=True)
class Verdict:
    """``look``: of the badge; ``sentences``: what was compared, how it came out, and how far to trust it."""

    headline: str
    look: str
    sentences: list[str]


def verdict(comparison: dict[str, Any]) -> Verdict:
    """The stored comparison of a version with the champion of the time it was trained."""
    figures, champion = comparison["all"], comparison["champion"]
    if not figures["n"]:
        return Verdict(
            _("Could not be compared"),
            "warn",
            [
                _("On no photo can this version and version %(champion)d both be judged fairly.")
                % {"champion": champion}
            ],
        )
    told = {"champion": champion}
    if figures["low"] > 0:
        headline, look = _("Better than version %(champion)d") % told, "good"
    elif figures["high"] < 0:
        headline, look = _("Worse than version %(champion)d") % told, "bad"
    elif comparison["not_worse"]:
        headline, look = _("Not worse than version %(champion)d") % told, "accent"
    else:
        headline, look = _("Probably worse than version %(champion)d") % told, "warn"
    sentences = [
        _(
            "On the same %(n)d photos this version is right on %(b)s of them, version %(champion)d on %(a)s: "
            "%(difference)s, 95 %% interval %(low)s to %(high)s."
        )
        % {
            "n": figures["n"],
            "a": share(figures["accuracy_a"]),
            "b": share(figures["accuracy_b"]),
            "champion": champion,
            "difference": signed(figures["difference"]),
            "low": signed(figures["low"]),
            "high": signed(figures["high"]),
        },
        _("It alone is right on %(only_b)d photos, version %(champion)d alone on %(only_a)d.")
        % {"only_a": figures["only_a_right"], "only_b": figures["only_b_right"], "champion": champion},
        _(
            "Both are judged only by answers that had no part in their training: photos they learned from by "
            "cross-validation, the %(new)d that version %(champion)d never learned from as they are."
        )
        % {"new": comparison["new"], "champion": champion},
    ]
    if audit := comparison.get("audit"):
        sentences.append(
            _(
                "On the %(n)d photos that were drawn at random alone: %(difference)s, 95 %% interval "
                "%(low)s to %(high)s."
            )
            % {
                "n": audit["n"],
                "difference": signed(audit["difference"]),
                "low": signed(audit["low"]),
                "high": signed(audit["high"]),
            }
        )
    else:
        sentences.append(
            _("No photo was drawn at random, so this says how they do on the photos that the queue chose.")
        )
    if comparison["left_out"]:
        sentences.append(
            _("%(n)d photos were left out, because they could not be judged fairly.")
            % {"n": comparison["left_out"]}
        )
    return Verdict(headline, look, sentences)
