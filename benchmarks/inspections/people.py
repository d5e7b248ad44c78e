"""People beside the machine: what is said of photos as they come in, audits that are answered, decisions taken back.

Of every second photo nobody says anything, so that only the machine may; of the others one word in ten comes from elsewhere,
by an import, and the rest are as if people had agreed.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.bench_project import close_connections

if TYPE_CHECKING:
    from labeling.catalog.models import Project
    from labeling.people.models import User

#: Of all photos in a project: somebody says a class, or that it is unusable; of the rest nothing is said.
SAID, UNUSABLE = 0.5, 0.02
#: Of what is said, the share that people agreed on; the other words come from elsewhere.
AGREED = 0.9
#: Of the machine's decisions: those that a person overrules; of those to audit: what people say is right.
OVERRULED, AUDITS_RIGHT = 0.02, 0.99
AT_ONCE = 60


def agree(project: Project, said: dict[int, int | None]) -> None:
    """Item id -> class id, or None for unusable, as if people had agreed on it, blind. The photos are locked, or nobody
    else says anything of them."""
    from labeling.catalog.selectors import current_guideline
    from labeling.truth import events
    from labeling.truth.models import Annotation, GroundTruth

    if not said:
        return
    guideline = current_guideline(project)
    GroundTruth.objects.bulk_create(
        GroundTruth(
            project=project,
            item_id=item,
            kind="class" if label_class else "unusable",
            label_class_id=label_class,
            origin="agreement",
            guideline=guideline,
        )
        for item, label_class in said.items()
    )
    events.settled.send(sender=Annotation, project=project, item_ids=list(said))


class People(threading.Thread):
    """``said``: how many words, and of what kind."""

    def __init__(self, projects: dict[str, Project], by: User, seed: int) -> None:
        super().__init__()
        self.over = threading.Event()
        self.said: Counter[str] = Counter()
        self.failed: BaseException | None = None
        self._projects, self._by, self._dice = projects, by, random.Random(seed)
        self._classes = {
            slug: list(project.label_classes.order_by("pk").values_list("pk", flat=True))
            for slug, project in projects.items()
        }
        self._reached = {
            slug: project.items.order_by("-pk").values_list("pk", flat=True).first() or 0
            for slug, project in projects.items()
        }
        self._looked_at = dict.fromkeys(projects, 0)

    def run(self) -> None:
        try:
            last = False
            while not last:
                last = self.over.is_set()
                for slug in self._projects:
                    while self._say_some(slug):
                        pass
                    while self._look_at_decisions(slug):
                        pass
                time.sleep(0.2)
        except BaseException as error:
            self.failed = error
        finally:
            close_connections()

    def _say_some(self, slug: str) -> bool:
        """Of the next photos, where the machine has not decided them meanwhile."""
        from django.db import transaction

        from labeling.catalog.models import Item
        from labeling.catalog.selectors import current_guideline
        from labeling.truth.imported import Word, bring_truths

        project = self._projects[slug]
        with transaction.atomic():
            rows = Item.objects.select_for_update(no_key=True, of=("self",)).filter(
                project=project, pk__gt=self._reached[slug]
            )
            items = [item.pk for item in rows.order_by("pk")[:AT_ONCE]]
            if not items:
                return False
            self._reached[slug] = items[-1]
            open_ = set(
                Item.objects.filter(pk__in=items, automatic_decisions=None).values_list("pk", flat=True)
            )
            agreed: dict[int, int | None] = {}
            imported = []
            for item in items:
                lot = self._dice.random()
                if item not in open_ or lot >= UNUSABLE + SAID:
                    continue
                says = (
                    None if lot < UNUSABLE else self._dice.choices(self._classes[slug], self._odds(slug))[0]
                )
                if self._dice.random() < AGREED:
                    agreed[item] = says
                else:
                    imported.append(Word(item, "class" if says else "unusable", says))
            agree(project, agreed)
            bring_truths(project=project, words=imported, guideline=current_guideline(project), supersedes={})
        self.said += Counter(agreed=len(agreed), imported=len(imported))
        return True

    def _odds(self, slug: str) -> list[int]:
        return [6, 3, 2] if slug == "wash" else [30, 1]

    def _look_at_decisions(self, slug: str) -> bool:
        """Answer those that are to be audited, and overrule a few of the others."""
        from labeling.frontier.models import AutomaticDecision
        from labeling.frontier.services import overrule
        from labeling.refusals import Refused

        project = self._projects[slug]
        rows = AutomaticDecision.objects.filter(project=project, pk__gt=self._looked_at[slug], mode="on")
        decisions = list(rows.order_by("pk")[:AT_ONCE])
        for decision in decisions:
            self._looked_at[slug] = decision.pk
            if decision.audit:
                self._answer_audit(slug, decision.item_id, decision.label_class_id)
            elif self._dice.random() < OVERRULED:
                try:
                    overrule(decision=decision, by=self._by, reason="In doubt")
                    self.said["overruled"] += 1
                except Refused:
                    pass
        return bool(decisions)

    def _answer_audit(self, slug: str, item: int, decided: int) -> None:
        from django.db import transaction

        from labeling.catalog.models import Item
        from labeling.truth.models import GroundTruth

        others = [each for each in self._classes[slug] if each != decided]
        says = decided if self._dice.random() < AUDITS_RIGHT else self._dice.choice(others)
        with transaction.atomic():
            Item.objects.select_for_update(no_key=True).get(pk=item)
            if not GroundTruth.objects.filter(item=item).exists():
                agree(self._projects[slug], {item: says})
                self.said["audits"] += 1
