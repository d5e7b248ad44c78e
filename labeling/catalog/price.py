"""What falls when a guideline comes to mean something else, so that a page can say it before it is paid.

The rooms above know what rests on the meaning: each answers ``meaning_priced`` with its part.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.events import meaning_priced
from labeling.catalog.models import Guideline, Project


@dataclass(frozen=True, slots=True)
class Price:
    """Counts: certificates in force that end, random labels that prove nothing any more, bands that can open again.

    Which bands do depends on the classes that are changed: these are all that could.
    """

    certificates: int = 0
    random_labels: int = 0
    bands: int = 0

    def __bool__(self) -> bool:
        return bool(self.certificates or self.random_labels or self.bands)

    @property
    def says(self) -> str:
        """What falls, as the end of a sentence on a button; nothing falls where it is false."""
        parts = []
        if n := self.certificates:
            parts.append(ngettext("ends %(n)d certificate", "ends %(n)d certificates", n) % {"n": n})
        if n := self.random_labels:
            parts.append(ngettext("voids %(n)d random label", "voids %(n)d random labels", n) % {"n": n})
        if n := self.bands:
            parts.append(
                ngettext("can open %(n)d band again", "can open up to %(n)d bands again", n) % {"n": n}
            )
        return ", ".join(parts) if parts else _("nothing falls")


def price_of_meaning(project: Project) -> Price:
    """What a change of meaning would cost the project now."""
    said: dict[str, int] = {}
    for _receiver, part in meaning_priced.send(sender=Guideline, project=project):
        assert isinstance(part, dict)  # narrows the type
        said |= part
    return Price(**said)
