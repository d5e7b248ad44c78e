"""Rules as sentences, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.inspections.rules import HELD, Condition, Rule
from labeling.text.plain import isolated


@dataclass(frozen=True)
class Names:
    """What people call things. ``shots``: by key; ``projects``: by slug; ``classes``: by (project, key); ``outcomes``: by
    ``passed``, ``held`` and ``failed``. What has no name is called by its key."""

    shots: Mapping[str, str]
    projects: Mapping[str, str]
    classes: Mapping[tuple[str, str], str]
    outcomes: Mapping[str, str]


# (of how many shots, whether every one, whether not) -> the condition
_SAID = {
    ("one", False, False): gettext_lazy("%(shots)s is %(classes)s in “%(project)s”"),
    ("one", False, True): gettext_lazy("%(shots)s is not %(classes)s in “%(project)s”"),
    ("some", False, False): gettext_lazy("any of %(shots)s is %(classes)s in “%(project)s”"),
    ("some", False, True): gettext_lazy("any of %(shots)s is not %(classes)s in “%(project)s”"),
    ("some", True, False): gettext_lazy("each of %(shots)s is %(classes)s in “%(project)s”"),
    ("some", True, True): gettext_lazy("none of %(shots)s is %(classes)s in “%(project)s”"),
    ("all", False, False): gettext_lazy("any shot is %(classes)s in “%(project)s”"),
    ("all", False, True): gettext_lazy("any shot is not %(classes)s in “%(project)s”"),
    ("all", True, False): gettext_lazy("each shot is %(classes)s in “%(project)s”"),
    ("all", True, True): gettext_lazy("no shot is %(classes)s in “%(project)s”"),
}


def sentence(rule: Rule, names: Names) -> str:
    """ "Passed, when any of front, rear is foam in “Car wash” and …"."""
    return _("%(outcome)s, when %(conditions)s.") % {
        "outcome": isolated(names.outcomes[rule.outcome]),
        "conditions": _(" and ").join(condition_says(each, names) for each in rule.when),
    }


def condition_says(condition: Condition, names: Names) -> str:
    many = "all" if condition.everywhere else "one" if len(condition.shots) == 1 else "some"
    template = _SAID[many, condition.every and many != "one", condition.negated]
    classes = [names.classes.get((condition.project, key), key) for key in condition.classes]
    return str(template) % {
        "shots": ", ".join(isolated(names.shots.get(key, key)) for key in condition.shots),
        "classes": _either(classes),
        "project": isolated(names.projects.get(condition.project, condition.project)),
    }


def rest_says(otherwise: str, names: Names) -> str:
    """What follows where no rule decides."""
    told = {name: isolated(said) for name, said in names.outcomes.items()}
    if otherwise == HELD:
        return (
            _(
                "%(held)s, when no rule holds; also while it is not known whether one does, or while a required photo is "
                "missing."
            )
            % told
        )
    return (
        _(
            "%(failed)s, when it is known that no rule holds. %(held)s, while it is not known whether one does, or a "
            "required photo is missing."
        )
        % told
    )


def _either(names: Sequence[str]) -> str:
    each = [isolated(name) for name in names]
    if len(each) == 1:
        return each[0]
    return _("%(first)s or %(last)s") % {"first": ", ".join(each[:-1]), "last": each[-1]}
