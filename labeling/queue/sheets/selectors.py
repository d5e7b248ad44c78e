"""Why there is (or is not) a photo for a person by a question sheet."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _

from labeling.people.models import User
from labeling.queue.models import QuestionSheet
from labeling.queue.selectors import paused_state, queue_state
from labeling.queue.sheets.asking import asked


def sheet_state(sheet: QuestionSheet, labeler: User, paused: Collection[int]) -> dict[str, str]:
    """``{"state": "empty" | "paused" | "preparing", "message"}``, where they hold nothing. Blind, as a project's own is.

    ``paused``: ids of the projects in which labeling is paused for them.
    """
    projects = asked(sheet)
    stopped = next((each for each in projects if each.pk in paused), None)
    if stopped is not None and len(paused) == len(projects):
        return paused_state(stopped, labeler) or queue_state(stopped, labeler)
    for project in projects:
        state = queue_state(project, labeler) if project.pk not in paused else {"state": "paused"}
        if state["state"] == "preparing":
            return {"state": "preparing", "message": f"{project.name}: {state['message']}"}
    if not projects:
        return {
            "state": "empty",
            "message": _(
                "No project of this sheet can be asked by it now. An admin sees why where the sheet is changed."
            ),
        }
    return {
        "state": "empty",
        "message": _(
            "No photo waits for you in the projects of this sheet now. New ones appear here by themselves."
        ),
    }
