"""Which class of the project each column of a model is."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes
from labeling.refusals import Refused


def refuse_unknown(project: Project, classes: Sequence[str]) -> None:
    """``classes``: a key a column; a column without one is left out. Raises :class:`Refused` ``invalid`` (422)."""
    known = [each.label_class.key for each in active_classes(project)]
    named = set(filter(None, classes))
    if not named <= set(known) or len(named) < 2:
        raise Refused.invalid(
            "classes",
            _("Name the class of each column by its key, two classes at least. There are: %(keys)s.")
            % {"keys": ", ".join(known)},
        )
