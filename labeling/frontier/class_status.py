"""Where one predicted class stands: its certificate, the walk of its newest look, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy, ngettext

from labeling.catalog.models import ClassDefinition
from labeling.frontier.auditing import GO_ON_AT, MOST_WAITING
from labeling.frontier.blocking import Blocked
from labeling.frontier.models import AuditWatch, Certificate
from labeling.frontier.parts import Parts


@dataclass(frozen=True)
class ClassStatus:
    """One predicted class: its certificate in force, or the one suspended under the champion; and its newest walk.

    ``parts``: of a certificate with two parts, how much lies in either. ``watches``: over the parts of this class.
    """

    definition: ClassDefinition
    position: int
    state: str
    certificate: Certificate | None
    parts: Parts | None
    walk: Mapping[str, Any] | None
    watches: list[AuditWatch]
    blocked: Blocked
    open_audits: int
    paused: bool
    ring_audits: int

    @property
    def ring_waits(self) -> bool:
        """Whether so many audits of what one answer settled are open that none settles any more."""
        return self.ring_audits >= MOST_WAITING

    @property
    def says_ring_waits(self) -> str:
        return ngettext(
            "%(n)d photo of “%(class)s” whose answer agreed with the machine waits for its second person, so no single "
            "answer settles another one until fewer than %(most)d wait. Labelers are asked about these photos before all "
            "others.",
            "%(n)d photos of “%(class)s” whose answer agreed with the machine wait for their second person, so no single "
            "answer settles another one until fewer than %(most)d wait. Labelers are asked about these photos before all "
            "others.",
            self.ring_audits,
        ) % {"n": self.ring_audits, "class": self.definition.name, "most": MOST_WAITING}

    @property
    def says(self) -> str:
        return self.blocked.says

    @property
    def lacks(self) -> int | None:
        """Random labels to ask people for: of the region of its next threshold, or those that the one look lacks."""
        return self.blocked.ask

    @property
    def says_paused(self) -> str:
        """Why the machine waits for people, and what lets it go on."""
        return ngettext(
            "%(n)d audited decision of “%(class)s” waits for people, so the machine decides no more of it, as nobody would "
            "see it err, until at most %(most)d wait. Labelers are asked about these photos before all others.",
            "%(n)d audited decisions of “%(class)s” wait for people, so the machine decides no more of it, as nobody would "
            "see it err, until at most %(most)d wait. Labelers are asked about these photos before all others.",
            self.open_audits,
        ) % {"n": self.open_audits, "class": self.definition.name, "most": GO_ON_AT}

    @property
    def share(self) -> float | None:
        """Of its photos, what the machine may decide alone."""
        if self.parts is not None:
            return self.parts.alone_of_class
        return self.certificate.coverage if self.certificate else None

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        return list(self.walk["steps"]) if self.walk else []

    @property
    def one_look(self) -> bool:
        """Whether its newest look was taken under a promise that has no thresholds to be passed one by one."""
        return self.walk is not None and "lacks" in self.walk

    @property
    def ladder(self) -> list[dict[str, Any]]:
        """Slices of the class's photos from the surest inward: ``at`` and ``width`` are per mille."""
        if self.parts is not None:
            return self._ladder_of_parts(self.parts)
        slices = []
        for step in self.steps:
            state = step["state"]
            if state == "before the start" and self.state != "open":
                state = "certified"  # the certified region is all that lies outside its threshold
            if self.state == "suspended" and state == "certified":
                state = "suspended"
            slices.append((step["share"], state))
        return _laid(slices)

    def _ladder_of_parts(self, parts: Parts) -> list[dict[str, Any]]:
        stands = self.state == "certified"
        alone, both = parts.alone_of_class, parts.alone_of_class + parts.ring_of_class
        slices = [
            (alone, "certified" if stands else "suspended"),
            (both, "ring" if stands else "suspended"),
            (1.0, "strict"),
        ]
        return _laid(
            [each for before, each in zip([(0.0, ""), *slices], slices, strict=False) if each[0] > before[0]]
        )


def _laid(slices: list[tuple[float, str]]) -> list[dict[str, Any]]:
    """``slices``: where each ends, as a share, and its state."""
    found, before = [], 0.0
    for end, state in slices:
        found.append(
            {
                "at": round(1000 * before),
                "width": max(round(1000 * (end - before)), 1),
                "state": state.replace(" ", "-"),
                "said": str(_STATES.get(state, state)),
            }
        )
        before = end
    return found


_STATES = {
    "certified": gettext_lazy("certified"),
    "suspended": gettext_lazy("suspended"),
    "failed": gettext_lazy("not proven yet"),
    "not reached": gettext_lazy("not reached"),
    "before the start": gettext_lazy("carried by the next"),
    "ring": gettext_lazy("one answer that agrees settles"),
    "strict": gettext_lazy("strict labels"),
}
