"""What labels from elsewhere mean here: proposed, for an admin to look at, and kept once they said so."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, class_keys, class_resolution
from labeling.exchange.models import ClassAlias
from labeling.exchange.spelling import letters, spelled
from labeling.truth.models import AnswerKind

#: What a label can mean beside a class; nothing: it is left out.
OTHERS = (AnswerKind.HOLD.value, AnswerKind.UNUSABLE.value, "")
#: Share of letters in common, in order (Ratcliff and Obershelp, 1988), from which two spellings are taken for one. A Korean
#: syllable is two or three of them.
CLOSE = 0.8


def propose(project: Project, labels: Iterable[str]) -> dict[str, str]:
    """Label -> class key, where something speaks for one: what an admin said before, the same name, or a close spelling.

    Labels of which nothing is known are not in it. A key of a class that was merged leads to what took it in.
    """
    names = {row.label_class_id: (row.label_class.key, row.name) for row in active_classes(project)}
    keys, resolution = class_keys(project), class_resolution(project)
    known: dict[str, str] = {}
    for class_id, now in resolution.items():
        if now is not None and now in names:
            known[spelled(keys[class_id])] = names[now][0]
    for key, name in names.values():
        known[spelled(name)] = known[spelled(key)] = key
    by_letters = {letters(name): key for name, key in known.items()}
    wanted = list(labels)
    said = dict(ClassAlias.objects.filter(project=project, label__in=wanted).values_list("label", "means"))
    means = {key for key, _name in names.values()} | set(OTHERS)
    found = {}
    for label in wanted:
        if label in said and said[label] in means:
            found[label] = said[label]
        elif spelled(label) in known:
            found[label] = known[spelled(label)]
        else:
            alike = difflib.get_close_matches(letters(spelled(label)), by_letters, n=2, cutoff=CLOSE)
            if (
                len({by_letters[each] for each in alike}) == 1
            ):  # of two that are called alike nobody knows which
                found[label] = by_letters[alike[0]]
    return found
