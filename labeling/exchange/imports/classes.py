"""What labels from elsewhere mean here: proposed, for an admin to look at, and kept once they said so."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes, class_keys, class_resolution
from labeling.exchange.models import ClassAlias
from labeling.plain_text import composed
from labeling.truth.models import AnswerKind

#: What a label can mean beside a class; nothing: it is left out.
OTHERS = (AnswerKind.HOLD.value, AnswerKind.UNUSABLE.value, "")
#: Share of letters in common, in order (Ratcliff and Obershelp, 1988), from which two spellings are taken for one.
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
            known[_spelled(keys[class_id])] = names[now][0]
    for key, name in names.values():
        known[_spelled(name)] = known[_spelled(key)] = key
    wanted = list(labels)
    said = dict(ClassAlias.objects.filter(project=project, label__in=wanted).values_list("label", "means"))
    means = {key for key, _name in names.values()} | set(OTHERS)
    found = {}
    for label in wanted:
        if label in said and said[label] in means:
            found[label] = said[label]
        elif _spelled(label) in known:
            found[label] = known[_spelled(label)]
        else:
            alike = difflib.get_close_matches(_spelled(label), known, n=2, cutoff=CLOSE)
            if (
                len({known[each] for each in alike}) == 1
            ):  # two classes that are called alike: nobody knows which
                found[label] = known[alike[0]]
    return found


def _spelled(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", composed(name)).strip().casefold()
