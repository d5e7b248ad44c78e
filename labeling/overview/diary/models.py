"""Model versions: trained, brought in, promoted."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labeling.overview.diary.kind import Data, Kind


def _trained(data: Data) -> str:
    return _(
        "Model version %(number)s was trained on %(n)s ground truths: accuracy at training %(accuracy).2f."
    ) % {**data, "n": data["ground_truths"]}


def _registered(data: Data) -> str:
    return _(
        "%(who)s registered a head that was trained elsewhere as model version %(number)s: accuracy %(accuracy).2f on %(n)s "
        "ground truths that it says it has not seen."
    ) % {**data, "n": data["judged_on"]}


def _promoted(data: Data) -> str:
    if data.get("before") and data["before"] > data["number"]:
        return _("%(who)s rolled back from version %(before)s to version %(number)s") % data
    return _("%(who)s promoted model version %(number)s") % data


KINDS = {
    "model_trained": Kind("brain", "models", _trained),
    "model_brought_in": Kind(
        "brain", "models", _("%(who)s brought a classifier in (%(file)s): model version %(number)s.")
    ),
    "model_registered": Kind("brain", "models", _registered),
    "model_promoted": Kind("brain", "models", _promoted, note="reason"),
    "shadow_began": Kind("contrast", "models", _("%(who)s lets version %(number)s answer in the shadow.")),
    "shadow_ended": Kind("contrast", "models", _("%(who)s lets no version answer in the shadow any more.")),
}
