"""What the labeling screen is told. Blind by construction: nothing here knows a score, a band or an answer."""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import Any

from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.codes import codes_of
from labeling.catalog.models import ClassState, Guideline, Project
from labeling.catalog.selectors import definitions_of, schema_of
from labeling.people.models import User
from labeling.queue.lending import MAX_LEASES, MOST_OFFLINE
from labeling.queue.undoable import last_answers
from labeling.truth.models import Annotation, HoldReason, UnusableReason

#: Photos held ready beyond the one on the screen, decoded, whatever the pace.
AHEAD = 6
#: Answers from which a person's pace is known, and what it is taken to be before (ms a photo).
PACE_FROM = 50
USUAL_PACE_MS = 5000
#: Answers whose times the screen begins its pace with, and from how long ago.
PACE_OF = 30
PACE_WITHIN = timedelta(minutes=30)
#: Bytes of photos that a page holds for going on without a network.
MOST_BYTES = 100 * 2**20
EXEMPLARS_SHOWN = 2
#: Of each class, to the scripts of both screens.
SENT = ("key", "name", "group", "code", "number")


def classes_shown(guideline: Guideline) -> list[dict[str, Any]]:
    """The version's active classes in order: ``{"key", "name", "group", "code", "position", "number", "criteria",
    "checklist", "exemplars": [{"image", "caption"}]}``. ``group`` is a heading, or empty. ``code`` is what is typed for
    the class (:mod:`~labeling.catalog.codes`); ``number`` is the key to press, ``None`` from the tenth on.
    """
    codes = codes_of(schema_of(guideline.pk))
    return [
        {
            "key": definition.label_class.key,
            "name": definition.name,
            "group": definition.group,
            "code": codes[definition.label_class_id],
            "position": index,
            "number": index + 1 if index < 9 else None,
            "criteria": definition.criteria,
            "checklist": definition.checklist,
            "exemplars": [
                {"image": exemplar.image, "caption": exemplar.caption}
                for exemplar in list(definition.exemplars.all())[:EXEMPLARS_SHOWN]
            ],
        }
        for index, definition in enumerate(definitions_of(guideline).filter(state=ClassState.ACTIVE))
    ]


def reasons() -> dict[str, list[dict[str, Any]]]:
    """The reasons that *hold* and *unusable* ask for, each with its number key."""
    choices = {"hold": HoldReason.choices, "unusable": UnusableReason.choices}
    return {
        kind: [{"key": key, "name": str(name), "number": n} for n, (key, name) in enumerate(pairs, start=1)]
        for kind, pairs in choices.items()
    }


def settings_for(
    project: Project, *, person: User, guideline: Guideline, classes: list[dict[str, Any]]
) -> dict[str, Any]:
    """What the screen's script needs beside its texts. ``guideline`` is the version that the page shows."""
    api = f"{get_script_prefix()}api/v1/projects/{project.slug}/"
    return {
        "project": project.slug,
        "user": person.pk,
        "ahead": AHEAD,
        "offline": {
            "seconds": int(MOST_OFFLINE.total_seconds()),
            "photos": MAX_LEASES - 1,
            "bytes": MOST_BYTES,
            "paceMs": _pace_ms(project, person),
        },
        "answeredAgo": _answered_ago(project, person),
        "minViewMs": project.min_view_ms,
        "undoSeconds": project.undo_seconds,
        "undoable": last_answers(project, person),
        "checklistRequired": project.checklist_required,
        "earlier": project.earlier_allowed,
        "guideline": {"number": guideline.number, "note": guideline.note},
        "classes": [{key: row[key] for key in SENT} | {"checklist": row["checklist"]} for row in classes],
        "reasons": reasons(),
        "urls": {"claims": f"{api}claims", "annotations": f"{api}annotations", "leases": f"{api}leases/"},
    }


def _pace_ms(project: Project, person: User) -> int:
    """The median time that this person looked at a photo of late."""
    newest = Annotation.objects.filter(project=project, labeler=person).order_by("-id")[:PACE_FROM]
    times = list(newest.values_list("view_ms", flat=True))
    return max(1, round(median(times))) if len(times) >= 5 else USUAL_PACE_MS


def _answered_ago(project: Project, person: User) -> list[int]:
    """How many ms ago this person answered of late, photo by photo, newest first: what the screen's pace begins with."""
    now = timezone.now()
    given = Annotation.objects.one_at_a_time().filter(project=project, labeler=person)
    newest = given.filter(created_at__gt=now - PACE_WITHIN).order_by("-created_at")
    times = newest.values_list("created_at", flat=True)[:PACE_OF]
    return [round((now - at).total_seconds() * 1000) for at in times]


def texts() -> dict[str, str]:
    """Everything that the script says, in the reader's language. ``{n}`` and the like are filled in there."""
    return {
        "allSaved": _("All saved"),
        "saving": _("Saving…"),
        "waitingOne": _("1 answer is waiting, and will be sent when the network is back"),
        "waitingMany": _("{n} answers are waiting, and will be sent when the network is back"),
        "offline": _("No network. You can go on: answers are kept here"),
        "offlineHeld": _("No network. You can go on: {n} photos are here, about {m} minutes of work"),
        "held": _("{m}\u00a0min held"),
        "heldLong": _(
            "{n} photos are loaded and on loan to you: about {m} minutes of work, should the network go"
        ),
        "signIn": _("You were signed out. Your answers are kept here"),
        "another": _("Somebody else is signed in. Your answers are kept here"),
        "anotherTitle": _("Somebody else is signed in here now"),
        "anotherText": _(
            "What you answered is kept in this browser under your name, and is sent as soon as you are signed in again."
        ),
        "tabTitle": _("Open in another tab"),
        "tabText": _(
            "You have opened this page in another tab or window since. Go on there: what you answer there can be undone "
            "there. Nothing that you answered here is lost."
        ),
        "backOnline": _("The network is back"),
        "memoryOnly": _("This browser cannot store answers. Keep this page open until all are saved"),
        "refusedOne": _("1 answer was not taken"),
        "refusedMany": _("{n} answers were not taken"),
        "answered": _("{answer}. Next photo."),
        "answeredLast": _("{answer}. No photo is left."),
        "skipped": _("Skipped. Next photo."),
        "unskipped": _("Here is the skipped photo again."),
        "sentBack": _("A reviewer asks you to look again (sent back once): {note}"),
        "sentBackMany": _("A reviewer asks you to look again (sent back {n} times): {note}"),
        "undone": _("Taken back: {answer}. Answer it again."),
        "guidelineChanged": _("The guideline has changed: version {n}"),
        "sweepVoid": _(
            "Your last grid does not count: a photo known to be of another class was not marked in it."
        ),
        "undoGone": _("There is nothing to undo."),
        "undoLate": _("Too late to undo: the time for it is over."),
        "undoOffline": _(
            "Undo needs the network for an answer that was sent already. Try again when it is back."
        ),
        "seconds": _("{n}\u00a0s"),
        "tooSoon": _("A moment longer, please."),
        "photo": _("Photo to judge"),
        "settled": _("{settled} of {needed} settled, as of {asOf}"),
        "today": _("{n} today"),
        "pace": _("{n} a minute"),
        "paceLong": _("Your last {of} answers without a break: {n} a minute"),
        "breakDue": _("{n} minutes without a break"),
        "reset": _("Zoom and brightness are reset."),
        "loading": _("Loading photos…"),
        "photoBroken": _("This photo could not be loaded. Skip it, or wait: it is tried again."),
        "emptyTitle": _("You are through"),
        "emptyDone": _("Photos answered now: {n}. Today: {today}."),
        "emptyPace": _("Half of them in less than {n}\u00a0s each."),
        "preparingTitle": _("Photos are being prepared"),
        "pausedTitle": _("You are paused"),
        "openTitle": _("Nothing for you at this moment"),
        "openText": _("Other people hold the open photos just now. Look again in a minute."),
        "offlineTitle": _("You answered every photo that was loaded"),
        "offlineText": _(
            "Your answers are kept in this browser and will be sent when the network is back. "
            "Then new photos come by themselves."
        ),
        "errorTitle": _("No photos can be loaded just now"),
        "errorText": _(
            "Nothing is lost: your answers are kept in this browser. It is tried again by itself."
        ),
        "forbiddenTitle": _("You may not label here any more"),
        "signInTitle": _("You were signed out"),
        "signInText": _(
            "Sign in again in this tab or another one. Your answers are kept here and are sent then."
        ),
        "chooseHold": _("Why do you hold it?"),
        "chooseUnusable": _("What is wrong with the photo?"),
        "found": _("{n} classes, first: {name}"),
        "foundNone": _("No class has this in its name."),
        "tickAll": _("Tick what you see, then choose the class once more"),
        "tickMissing": _("Tick every point first. If one does not hold, it may be another answer."),
        "hold": _("Hold"),
        "unusable": _("Unusable"),
    }


def earlier_texts() -> dict[str, str]:
    """The same of what only some projects allow: an earlier photo beside."""
    return {
        "earlierNone": _("There is no earlier photo of it that may be shown."),
        "earlierOffline": _("An earlier photo needs the network. Try again when it is back."),
        "earlierOf": _("{date}, {event}."),
        "earlierShown": _("An earlier photo is shown beside. Your answer is not blind."),
    }
