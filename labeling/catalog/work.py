"""How people work in a project: how long an answer and a ruling take, and how often two answers agree.

The room above that keeps the answers measures it, as an answer to ``work_measured``. Where too little was done to tell, it
is assumed, and a page that counts with it says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from labeling.catalog.events import work_measured
from labeling.catalog.models import Project

#: From so many on a figure is the project's own.
LEAST_ANSWERS, LEAST_RULINGS, LEAST_PAIRS = 30, 5, 30
#: Before: a look and a key; a dispute with its criteria; and how often two people agree who learn a task.
ANSWER_S, RULING_S = 5.0, 20.0
AGREE = (0.90, 0.85, 0.95)


@dataclass(frozen=True, slots=True)
class Work:
    """Seconds, and shares of pairs of blind answers that agree, each with from how many it is known; 0: assumed.

    ``agree_low`` to ``agree_high``: the 95 % interval, or what is as well assumed. ``open``: photos that people have not
    settled.
    """

    answer_s: float = ANSWER_S
    answers: int = 0
    ruling_s: float = RULING_S
    rulings: int = 0
    agree: float = AGREE[0]
    agree_low: float = AGREE[1]
    agree_high: float = AGREE[2]
    pairs: int = 0
    open: int = 0


def work_of(project: Project) -> Work:
    """As measured, and assumed where that is too little."""
    said: dict[str, float] = {}
    for _receiver, part in work_measured.send(sender=Project, project=project):
        assert isinstance(part, dict)  # narrows the type
        said |= part
    known: dict[str, float] = {"open": said.get("open", 0)}
    for count, least, names in (
        ("answers", LEAST_ANSWERS, ("answer_s",)),
        ("rulings", LEAST_RULINGS, ("ruling_s",)),
        ("pairs", LEAST_PAIRS, ("agree", "agree_low", "agree_high")),
    ):
        if said.get(count, 0) >= least:
            known |= {name: said[name] for name in (count, *names)}
    return Work(**known)  # type: ignore[arg-type]  # counts are whole
