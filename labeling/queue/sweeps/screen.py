"""What the sweep's page is told. It knows the predicted class, which is what a sweep is about; no score, nobody's answers,
and not which photos are planted."""

from __future__ import annotations

from typing import Any

from django.urls import get_script_prefix
from django.utils.translation import gettext as _

from labeling.catalog.models import Guideline, Project
from labeling.people.models import User
from labeling.queue import screen
from labeling.queue.undoable import last_grid


def settings_for(
    project: Project,
    *,
    person: User,
    guideline: Guideline,
    classes: list[dict[str, Any]],
    over: str = "",
    over_class: str = "",
) -> dict[str, Any]:
    """What the page's script needs beside its texts. ``guideline`` is the version that the page shows; ``over``: the search
    whose photos are swept as ``over_class``, where somebody chose them."""
    api = f"{get_script_prefix()}api/v1/projects/{project.slug}/"
    return {
        "project": project.slug,
        "user": person.pk,
        "minViewMs": project.min_view_ms,
        "undoSeconds": project.undo_seconds,
        "undoable": last_grid(project, person),
        "guideline": guideline.number,
        "classes": [{key: row[key] for key in screen.SENT} for row in classes],
        "reasons": screen.reasons(),
        "over": over,
        "overClass": over_class,
        "urls": {"sweeps": f"{api}sweeps"},
    }


#: Said in the same words as on the labeling screen.
_SHARED = (
    "allSaved", "saving", "waitingOne", "waitingMany", "offline", "signIn", "backOnline", "memoryOnly", "refusedOne",
    "refusedMany", "undoGone", "undoLate", "undoOffline", "seconds", "tooSoon", "today", "loading", "pausedTitle",
    "errorTitle", "errorText", "forbiddenTitle", "signInTitle", "signInText", "chooseHold", "chooseUnusable", "hold",
    "unusable", "found", "foundNone", "another", "anotherTitle", "anotherText", "tabTitle", "tabText",
)  # fmt: skip


def texts() -> dict[str, str]:
    """Everything that the script says, in the reader's language. ``{n}`` and the like are filled in there."""
    shared = screen.texts()
    return {key: shared[key] for key in _SHARED} | {
        "ask": _("All of these look like {name}. Mark those that are not."),
        "cell": _("Photo {n} of {all}"),
        "cellMarked": _("Photo {n} of {all}, marked: {label}"),
        "notThis": _("not {name}"),
        "notSeen": _("not loaded"),
        "marked": _("Marked: {label}"),
        "unmarked": _("Not marked any more"),
        "newGrid": _("{all} photos that look like {name}. Mark those that are not."),
        "handIn": _("Hand in"),
        "handInMarked": _("Hand in, {n} marked"),
        "handedIn": _("Handed in: {kept} as {name}, {marked} marked."),
        "gone": _("{n} of them had gone back to the queue meanwhile."),
        "takenBack": _("Here is the grid again, as you handed it in."),
        "handInLabel": _("Grid of {name}, {n} photos"),
        "stillLoading": _("Wait until all photos are there."),
        "expired": _("The grid went back to the queue because its time ran out. Here is the next one."),
        "handingIn": _("Handing in…"),
        "missedTitle": _("This grid does not count"),
        "missedOne": _("This photo is known to be {name}, and it was not marked:"),
        "missedMany": _("These photos are known to be of another class, and were not all marked:"),
        "missedText": _(
            "It happens to everybody now and then; that is what such photos are for. The other photos of this grid went "
            "back to the queue, as if you had not seen them, and what you handed in before stays as it is. Have a look, "
            "and go on when you like."
        ),
        "nextGrid": _("Next grid"),
        "lookAgain": _("Look again"),
        "emptyTitle": _("No grid for you now"),
        "emptyDone": _("Grids handed in now: {grids}. Photos: {n}. Answers today: {today}."),
        "notHereTitle": _("No sweep here now"),
        "offlineTitle": _("Your grid is kept in this browser"),
        "offlineText": _(
            "It will be sent when the network is back, and the next grid comes then by itself. Nothing is lost if you "
            "close this page."
        ),
        "offlineClaim": _("No network"),
        "offlineClaimText": _("The next grid comes by itself when the network is back."),
    }
