"""The keys of the labeling screen and of sweeps, and which ones a person has chosen instead.

What is kept of a person is what differs from the usual keys. The screens translate a key that is pressed into the usual one
for what it does, so they know the usual keys only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.people.models import User
from labeling.refusals import Refused

#: What a key does -> the usual one, and what it does in words.
ACTIONS: dict[str, tuple[str, object]] = {
    **{f"answer{n}": (str(n), gettext_lazy("Answer")) for n in range(1, 10)},
    "hold": ("h", gettext_lazy("Hold")),
    "unusable": ("u", gettext_lazy("Unusable")),
    "skip": ("s", gettext_lazy("Skip")),
    "undo": ("z", gettext_lazy("Undo")),
    "criteria": ("i", gettext_lazy("Criteria")),
    "closer": ("+", gettext_lazy("Zoom in")),
    "farther": ("-", gettext_lazy("Zoom out")),
    "level": ("l", gettext_lazy("Level the photo")),
    "darker": ("[", gettext_lazy("Darker")),
    "brighter": ("]", gettext_lazy("Brighter")),
    "flatter": ("{", gettext_lazy("Less contrast")),
    "steeper": ("}", gettext_lazy("More contrast")),
    "mirror": ("f", gettext_lazy("Mirror")),
    "turn": ("r", gettext_lazy("Turn")),
    "invert": ("v", gettext_lazy("Invert")),
    "plain": ("0", gettext_lazy("As it is")),
    "earlier": (".", gettext_lazy("Earlier photo, not blind")),
}
USUAL: dict[str, str] = {action: key for action, (key, _words) in ACTIONS.items()}
#: Those that do something by themselves. Where a project's classes have codes of two signs, other letters begin one.
LETTERS = frozenset(filter(str.isalpha, USUAL.values()))
ALLOWED = frozenset("abdefghijklmnopqrstuvwxyz0123456789+-=[]{};,.")
#: These always do the same on the screens.
FIXED = frozenset("c/?")


def name_of(action: str) -> str:
    """What the key does, in words: the answers by their place in the bar."""
    words = str(ACTIONS[action][1])
    return f"{words} {action.removeprefix('answer')}" if action.startswith("answer") else words


def keys_of(user: User, *, codes: bool = False) -> dict[str, str]:
    """For each action its key for this person. ``codes``: classes have codes of two signs, with which own keys must agree.

    Where one of a person's keys would begin a code, all of them are the usual ones: half of a choice could clash.
    """
    own = {action: key for action, key in user.own_keys.items() if action in USUAL}
    if codes and any(key.isalpha() and key not in LETTERS for key in own.values()):
        own = {}
    return USUAL | own


def pressed_for(keys: Mapping[str, str]) -> dict[str, str]:
    """Key pressed -> usual key for what it does, ``""`` for usual keys that do nothing now. Only what differs."""
    own_last = sorted(
        keys.items(), key=lambda each: each[1] != USUAL[each[0]]
    )  # chosen before another one had it
    told = {key: USUAL[action] for action, key in own_last}
    silent = {usual: "" for usual in USUAL.values() if usual not in told}
    return {key: usual for key, usual in (silent | told).items() if key != usual}


def choose_keys(*, user: User, keys: Mapping[str, str]) -> None:
    """Keep these keys for this person; the usual one where ``keys`` names none. Refuses a key that would mean two things."""
    chosen = {action: keys.get(action, usual).strip().lower() for action, usual in USUAL.items()}
    wrong: dict[str, str] = {}
    for action, key in chosen.items():
        if message := _refusal(action, key, chosen):
            wrong[action] = message
    if wrong:
        raise Refused.invalid_fields(wrong, " ".join(dict.fromkeys(wrong.values())))
    user.own_keys = {action: key for action, key in chosen.items() if key != USUAL[action]}
    user.save(update_fields=["own_keys"])


def _refusal(action: str, key: str, chosen: Mapping[str, str]) -> str:
    if key == "":
        return _("“{action}” has no key. Press one for it.").format(action=name_of(action))
    if key in FIXED:
        return _("“{key}” always does the same here. Choose another key for “{action}”.").format(
            key=key, action=name_of(action)
        )
    if key not in ALLOWED:
        return _("“{key}” cannot be used. Choose a letter, a digit or one of these signs: {signs}").format(
            key=key, signs=" ".join(sorted(ALLOWED - set("abcdefghijklmnopqrstuvwxyz0123456789")))
        )
    same = [name_of(other) for other, its in chosen.items() if its == key]
    if len(same) > 1:
        return _("{key} would mean {actions}. Give each a key of its own.").format(
            key=key.upper(), actions=_listed(same)
        )
    return ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
