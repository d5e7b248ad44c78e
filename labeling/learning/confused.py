"""Which classes of a confusion matrix a page draws, where there are too many for one."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

#: Rows and columns of a drawn matrix at most.
MOST = 20


def most_confused(matrix: Sequence[Sequence[int]], most: int = MOST) -> list[int]:
    """The columns of the ``most`` classes with the most mistakes, in their order; all where there are no more."""
    if len(matrix) <= most:
        return list(range(len(matrix)))
    mistakes = [0] * len(matrix)
    for truth, counts in enumerate(matrix):
        for said, n in enumerate(counts):
            if n and truth != said:
                mistakes[truth] += n
                mistakes[said] += n
    return sorted(sorted(range(len(matrix)), key=lambda column: -mistakes[column])[:most])


def of_many(drawn: int, classes: int) -> str:
    return _("Drawn are the %(n)d of %(all)d classes with the most mistakes.") % {"n": drawn, "all": classes}
