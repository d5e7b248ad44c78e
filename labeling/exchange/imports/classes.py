"""What labels from elsewhere mean here: proposed, for an admin to look at, and kept once they said so."""

from __future__ import annotations

from collections.abc import Iterable

from labeling.catalog.class_names import meant
from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes
from labeling.exchange.models import ClassAlias
from labeling.truth.models import AnswerKind

#: What a label can mean beside a class; nothing: it is left out.
OTHERS = (AnswerKind.HOLD.value, AnswerKind.UNUSABLE.value, "")


def propose(project: Project, labels: Iterable[str]) -> dict[str, str]:
    """Label -> class key, where something speaks for one: what an admin said before, the same name, or a close spelling.

    Labels of which nothing is known are not in it.
    """
    wanted = list(labels)
    said = dict(ClassAlias.objects.filter(project=project, label__in=wanted).values_list("label", "means"))
    means = {row.label_class.key for row in active_classes(project)} | set(OTHERS)
    said = {label: meaning for label, meaning in said.items() if meaning in means}
    return meant(project, (label for label in wanted if label not in said)) | said
