"""What the frontier's page shows of a project. Who may change it is not known here."""

from __future__ import annotations

from typing import Any

from labeling.catalog.models import Project
from labeling.catalog.selectors import class_names, current_guideline, photo_urls
from labeling.frontier.bands import band_table
from labeling.frontier.forms import PolicyForm
from labeling.frontier.models import AutomaticDecision, Certificate, PromiseKind
from labeling.frontier.one_answer import one_answer
from labeling.frontier.picture import picture
from labeling.frontier.policy import FIRST_DECISIONS, first_share
from labeling.frontier.saying import not_promised, promised, why
from labeling.frontier.selectors import became, decisions, frontier_status

#: Decisions, and certificates that ended, the newest first.
SHOWN = 24
ENDED_SHOWN = 20


def page(project: Project) -> dict[str, Any]:
    seen = picture(project)
    names = class_names(current_guideline(project))
    newest = list(decisions(project).told().order_by("-id")[:SHOWN])
    now = frontier_status(project)
    return {
        "now": now,
        "promised": promised(now.policy),
        "not_promised": not_promised(now.policy),
        "promises": [(kind, kind.label, PolicyForm.MEANINGS[kind]) for kind in PromiseKind],
        "has_ring": any(each.parts for each in now.classes),
        "one_answer": one_answer(project, now.model),
        "first_decisions": FIRST_DECISIONS,
        "first_share": first_share(now.policy),
        "picture": seen,
        "bands": band_table(project, seen),
        "passed": [gate.number for gate in seen.gates if gate.passed],
        "decisions": [
            (
                each,
                became(each),
                photo_urls(each.item.image)["thumb"],
                names.get(each.label_class_id, each.label_class.key),
            )
            for each in newest
        ],
        "decided_any": bool(newest) or AutomaticDecision.objects.filter(project=project).exists(),
        "ended": [
            (
                each,
                names.get(each.label_class_id, each.label_class.key),
                [(end, why(end)) for end in each.ends.all()],
            )
            for each in _ended(project)
        ],
    }


def _ended(project: Project) -> list[Certificate]:
    return list(
        Certificate.objects.filter(project=project, ends__isnull=False)
        .select_related("label_class", "model_version", "guideline")
        .prefetch_related("ends__by")
        .distinct()[:ENDED_SHOWN]
    )
