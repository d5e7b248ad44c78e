"""Which class of a project a name from elsewhere means: proposed, for an admin to look at."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, class_keys, class_resolution
from labeling.text.spelling import letters, spelled

#: Share of letters in common, in order (Ratcliff and Obershelp, 1988), from which two spellings are taken for one. A Korean
#: syllable is two or three of them.
CLOSE = 0.8


def meant(project: Project, names: Iterable[str]) -> dict[str, str]:
    """Name -> class key, where something speaks for one: the same name or key, or a close spelling.

    Names of which nothing is known are not in it. A key of a class that was merged leads to what took it in.
    """
    active = {row.label_class_id: (row.label_class.key, row.name) for row in active_classes(project)}
    keys, resolution = class_keys(project), class_resolution(project)
    known: dict[str, str] = {}
    for class_id, now in resolution.items():
        if now is not None and now in active:
            known[spelled(keys[class_id])] = active[now][0]
    for key, name in active.values():
        known[spelled(name)] = known[spelled(key)] = key
    by_letters = {letters(name): key for name, key in known.items()}
    found = {}
    for name in names:
        if spelled(name) in known:
            found[name] = known[spelled(name)]
            continue
        alike = difflib.get_close_matches(letters(spelled(name)), by_letters, n=2, cutoff=CLOSE)
        if len({by_letters[each] for each in alike}) == 1:  # of two that are called alike nobody knows which
            found[name] = by_letters[alike[0]]
    return found
