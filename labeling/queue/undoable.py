"""What a person can still take back: read when their page is loaded, so that a reload loses no undo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.models import Image, Project
from labeling.catalog.selectors import active_classes, photo_urls, tiles_url
from labeling.people.models import User
from labeling.queue.models import Slot, SweepHandIn
from labeling.truth.models import AnswerKind, Draw, HoldReason, UnusableReason

#: Answers and skips that can be taken back one after the other.
MOST = 5


def last_answers(project: Project, labeler: User) -> list[dict[str, Any]]:
    """Answers and skips, oldest first: ``{"key", "lease", "photo", "label", "skipped", "left"}``, ``left`` in ms.

    Gold among them as any other photo. What a reviewer has ruled on since is refused when it is taken back.
    """
    now = timezone.now()
    since = now - timedelta(seconds=project.undo_seconds)
    mine = Slot.objects.filter(project=project, holder=labeler).exclude(draw=Draw.SWEEP)
    answered = mine.filter(annotation__created_at__gt=since).select_related(
        "annotation__label_class", "item__image"
    )
    skipped = mine.filter(skipped_at__gt=since).select_related("item__image")
    done = [(slot.annotation.created_at, slot) for slot in answered if slot.annotation]
    # A lease that ran out on a photo that nobody needs any more is closed as a skip is, but later.
    done += [
        (slot.skipped_at, slot) for slot in skipped if slot.skipped_at and slot.skipped_at < slot.expires_at
    ]
    done.sort(key=lambda each: each[0])
    names = _names(project)
    return [
        {
            "key": str(slot.annotation.key if slot.annotation else slot.pk),
            "lease": str(slot.pk),
            "photo": _photo(slot.item.image),
            "label": _label(slot.annotation, names) if slot.annotation else "",
            "skipped": slot.annotation is None,
            "left": _left(at - since),
        }
        for at, slot in done[-MOST:]
    ]


def last_grid(project: Project, labeler: User) -> dict[str, Any] | None:
    """The grid that was handed in last: ``{"key", "sweep", "marks", "left"}``; marks are what its labeler had said."""
    since = timezone.now() - timedelta(seconds=project.undo_seconds)
    handed = (
        SweepHandIn.objects.filter(sweep__project=project, labeler=labeler, created_at__gt=since)
        .select_related("sweep__label_class", "returned")
        .order_by("-id")
        .first()
    )
    if handed is None or not handed.counts or hasattr(handed, "returned"):
        return None
    names, sweep = _names(project), handed.sweep
    key = sweep.label_class.key
    name = names.get(key, key)
    said = {photo.pk: handed.said[str(photo.item_id)] for photo in sweep.photos.all()}
    return {
        "key": str(handed.key),
        "sweep": {"id": str(sweep.pk), "class": key, "name": name},
        "marks": [
            {**one, "id": str(pk), "label": _mark(one, names, name)}
            for pk, one in said.items()
            if one["kind"] not in {"kept", "gone"}
        ],
        "left": _left(handed.created_at - since),
    }


def _left(left: timedelta) -> int:
    return max(0, round(left.total_seconds() * 1000))


def _names(project: Project) -> dict[str, str]:
    return {each.label_class.key: each.name for each in active_classes(project)}


def _photo(image: Image) -> dict[str, Any]:
    size = {"width": image.width, "height": image.height}
    return {"sha256": image.sha256, **size, **photo_urls(image), "tiles": tiles_url(image)}


def _label(annotation: Any, names: dict[str, str]) -> str:
    key = annotation.label_class.key if annotation.label_class else ""
    return _said(annotation.kind, names.get(key, key), annotation.reason)


def _mark(said: dict[str, str], names: dict[str, str], name: str) -> str:
    if said["kind"] == "apart":
        return _("not {name}").format(name=name)
    key = said.get("class", "")
    return _said(said["kind"], names.get(key, key), said.get("reason", ""))


def _said(kind: str, name: str, reason: str) -> str:
    if kind == AnswerKind.CLASS:
        return name
    word, reasons = {
        "hold": (_("Hold"), HoldReason.choices),
        "unusable": (_("Unusable"), UnusableReason.choices),
    }[kind]
    return f"{word}: {dict(reasons).get(reason, reason)}"
