"""A project in one sentence: what the machine decides, how often it was right when checked, and what is next.

Each figure in it comes from the one place that all other pages take it from. It says what is so now, in whatever state the
project is, and nothing that is only hoped for.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.frontier.at_a_glance import Glance
from labeling.learning.accuracy import Accuracy
from labeling.learning.templatetags.figures import percent
from labeling.truth.estimates import Proportion


@dataclass(frozen=True)
class Standing:
    """Photos: ``pool`` in all, ``people`` settled, ``machine`` decided alone. ``accuracy``: the champion's.

    ``checked``: of its decisions, those that people were asked about as well. ``proven``: the precision that is certified of
    what it decided; ``None`` where it decided any of them by a certificate that stands no more.
    """

    pool: int
    people: int
    machine: int
    accuracy: Accuracy | None
    checked: Proportion | None = None
    proven: float | None = None

    @property
    def finished(self) -> bool:
        return 0 < self.pool <= self.people + self.machine


def standing(
    project: Project, seen: Glance, *, pool: int, people: int, accuracy: Accuracy | None = None
) -> Standing:
    certified = [each.precision for each in seen.standing if each.project_id == project.pk]
    machine = seen.decided[project.pk]
    return Standing(
        pool=pool,
        people=people,
        machine=machine,
        accuracy=accuracy,
        checked=seen.checked.get(project.pk),
        proven=min(certified, default=None) if seen.under_standing[project.pk] == machine else None,
    )


def sentence(at: Standing, following: str) -> str:
    """``following``: what is next, in words that go on in a sentence; empty where nothing is."""
    told = {"decided": decides(at), "right": right(at), "next": following}
    if at.pool == 0:
        return (
            _("There are no photos yet; next: %(next)s.") % told
            if following
            else _("There are no photos yet.")
        )
    if not following:
        return _("%(decided)s; %(right)s.") % told
    return _("%(decided)s; %(right)s; next: %(next)s.") % told


def decides(at: Standing) -> str:
    """What the machine decides of how many."""
    told = {"machine": f"{at.machine:,}", "people": f"{at.people:,}", "pool": f"{at.pool:,}"}
    if at.finished and at.machine:
        return (
            _("All %(pool)s photos are decided, %(machine)s by the machine and %(people)s by people") % told
        )
    if at.finished:
        return _("All %(pool)s photos are decided, all by people") % told
    return _("The machine decides %(machine)s of %(pool)s photos") % told


def right(at: Standing) -> str:
    """How often the machine was right: of what it decided, and where it decided nothing, of random photos."""
    if at.machine:
        return right_when_decided(at)
    if at.accuracy is None:
        return _("there is no model yet")
    checks = at.accuracy.audited
    if not checks.whole:
        return _("version %(version)d has not been checked on random photos yet") % {
            "version": at.accuracy.version
        }
    return _("on random checks it was right on %(share)s (%(photos)s)") % _counted(checks)


def right_when_decided(at: Standing) -> str:
    if at.checked is None:
        return _("none of its decisions has been checked by people yet")
    told = _counted(at.checked) | {"proven": percent(at.proven)}
    if at.proven is None:
        return _("on random checks of its decisions it was right on %(share)s (%(photos)s)") % told
    return (
        _(
            "on random checks of its decisions it was right on %(share)s (%(photos)s; at least %(proven)s is proven)"
        )
        % told
    )


def _counted(checks: Proportion) -> dict[str, object]:
    photos = ngettext("%(n)s photo", "%(n)s photos", checks.whole) % {"n": f"{checks.whole:,}"}
    return {"share": percent(checks.share), "photos": photos}
