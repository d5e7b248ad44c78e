"""What the page of a question sheet is told. Blind, as :mod:`labeling.queue.screen` is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import get_script_prefix
from django.utils.translation import gettext as _

from labeling.catalog.models import Project
from labeling.catalog.selectors import current_guideline
from labeling.people.models import User
from labeling.queue import screen
from labeling.queue.models import QuestionSheet
from labeling.queue.sheets.asking import asked

#: Photos held ready beyond the one on the screen: a photo stays for several answers.
AHEAD = 3


@dataclass(frozen=True)
class Question:
    """One project of the sheet as the page shows it; ``classes`` as :func:`labeling.queue.screen.classes_shown` says."""

    project: Project
    guideline: int
    classes: list[dict[str, Any]]


def questions_of(sheet: QuestionSheet) -> list[Question]:
    shown = []
    for project in asked(sheet):
        guideline = current_guideline(project)
        shown.append(Question(project, guideline.number, screen.classes_shown(guideline)))
    return shown


def settings_for(sheet: QuestionSheet, questions: list[Question], *, person: User) -> dict[str, Any]:
    """What the page's script needs beside its texts. What differs by project comes in with the question that is asked."""
    api = f"{get_script_prefix()}api/v1/"
    return {
        "project": sheet.slug,
        "user": person.pk,
        "ahead": AHEAD,
        "classes": [],
        "minViewMs": 0,
        "undoSeconds": max((each.project.undo_seconds for each in questions), default=0),
        "earlier": bool(questions) and all(each.project.earlier_allowed for each in questions),
        "reasons": screen.reasons() | {"all": screen.reasons()["unusable"]},
        "questions": [
            {
                "project": each.project.slug,
                "name": each.project.name,
                "question": each.project.question,
                "guideline": each.guideline,
                "classes": [{key: row[key] for key in screen.SENT} for row in each.classes],
                "minViewMs": each.project.min_view_ms,
                "undoSeconds": each.project.undo_seconds,
                "url": f"{api}projects/{each.project.slug}/",
            }
            for each in questions
        ],
        "urls": {"claims": f"{api}sheets/{sheet.slug}/claims"},
    }


#: Said in the same words as on the labeling screen.
_SHARED = (
    "allSaved", "saving", "waitingOne", "waitingMany", "offline", "signIn", "backOnline", "memoryOnly", "refusedOne",
    "refusedMany", "undoGone", "undoLate", "seconds", "tooSoon", "photo", "reset", "loading", "photoBroken", "pausedTitle",
    "preparingTitle", "errorTitle", "errorText", "forbiddenTitle", "signInTitle", "signInText", "chooseHold",
    "chooseUnusable", "hold", "unusable", "another", "anotherTitle", "anotherText", "tabTitle", "tabText", "sentBack",
    "sentBackMany", "skipped", "unskipped", "undone", "emptyTitle", "openTitle", "openText", "offlineTitle", "offlineText",
)  # fmt: skip


def texts() -> dict[str, str]:
    """Everything that the script says, in the reader's language. ``{n}`` and the like are filled in there."""
    shared = screen.texts()
    return (
        {key: shared[key] for key in _SHARED}
        | screen.earlier_texts()
        | {
            "asked": _("Question {n} of {all}: {question}"),
            "answeredThen": _("{answer}. {next}"),
            "nextPhoto": _("{answer}. Next photo. {next}"),
            "noneLeft": _("{answer}. No photo is left."),
            "all": _("Unusable for all"),
            "chooseForAll": _("What is wrong with the photo? It counts for all questions that are open."),
            "emptyDone": _("Photos answered now: {n}. Answers in all: {answers}."),
            "open": _("not answered"),
            "pausedIn": _("Not asked, as labeling is paused for you there: {projects}"),
        }
    )
