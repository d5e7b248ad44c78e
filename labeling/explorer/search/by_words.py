"""Photos are looked for by words, where a backbone of the project knows words: a worker compares them with every photo.

What it finds is kept for a week, so that pages turn in no time and an address can be sent on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog import backbones
from labeling.catalog.models import Project
from labeling.explorer.models import AskedWords
from labeling.explorer.search.asking import SOON
from labeling.explorer.search.wanted import LONGEST
from labeling.jobs.models import JobState
from labeling.jobs.services import enqueue
from labeling.learning.selectors import counted_by_backbone
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.plain import composed, is_seen

JOB_KIND = "words"


def backbone_for_words(project: Project) -> str | None:
    """The first of the project's backbones that knows words and has looked at its photos."""
    return next((name for name, told in _knowing(project).items() if "embedded" in told), None)


def _knowing(project: Project) -> dict[str, dict[str, Any]]:
    """Those of the project's backbones that know words, and what was counted of each."""
    knowing = [name for name in project.backbone_names if backbones.knows_words(name)]
    counted = counted_by_backbone(project) if knowing else {}
    return {name: counted.get(name, {}) for name in knowing}


@transaction.atomic
def ask_words(*, project: Project, by: User, words: str) -> str:
    """The words as they are looked for, among all photos that are there now; what they found before is found anew.

    Raises :class:`Refused`: ``nothing_sent`` (422), ``invalid`` (422) for too many letters, ``not_ready`` (409) where no
    backbone of the project knows words, or none that does has looked at its photos yet.
    """
    words = composed(" ".join(words.split()))
    if not is_seen(words):
        raise Refused.invalid("words", _("Say in a few words what the photos show."), code="nothing_sent")
    if len(words) > LONGEST:
        raise Refused.invalid("words", _("At most %(most)d letters.") % {"most": LONGEST})
    backbone = backbone_for_words(project)
    if backbone is None:
        for name, told in _knowing(project).items():
            if "error" in told:
                failed = _("%(name)s could not be used: %(why)s") % {"name": name, "why": told["error"]}
                raise Refused("not_ready", failed)
        raise Refused(
            "not_ready",
            _(
                "No backbone that knows words has looked at the photos of this project. An admin adds one on the page "
                "Backbones; its embedding then runs by itself."
            ),
        )
    asked: dict[str, Any] = {"project": project, "backbone": backbone, "words": words}
    earlier = AskedWords.objects.filter(**asked).select_related("job").first()
    if earlier is None or not earlier.job.is_live:
        job = enqueue(
            kind=JOB_KIND,
            project_id=project.pk,
            args={"backbone": backbone},  # jobs are kept for long, words for a week
            requested_by=by,
            priority=SOON,
        )
        anew = {"job": job, "created_by": by, "item_ids": None, "asked_at": timezone.now()}
        AskedWords.objects.update_or_create(**asked, defaults=anew)
    return words


def found_by(project: Project, words: str) -> list[int]:
    """Ids of items, the ones that the words fit best first.

    Raises :class:`Refused`: ``invalid`` (422) for words that nobody asked for lately, ``not_ready`` (409) while a worker
    compares them, ``unreadable`` (422) where it could not.
    """
    asked = AskedWords.objects.filter(project=project, words=words).select_related("job")
    newest = asked.order_by("-asked_at").first()
    if newest is None:
        raise Refused.invalid(
            "words", _("Nobody has looked for these words in the last week. Look for them anew.")
        )
    if newest.item_ids is not None:
        return newest.item_ids
    if newest.job.state in {JobState.FAILED, JobState.CANCELLED}:
        raise Refused.invalid(
            "words", newest.job.said or _("It was cancelled. Look for the words anew."), code="unreadable"
        )
    raise Refused(
        "not_ready",
        _("A worker compares the words with the photos. Look again in a moment."),
        fields={"words": words},
    )


def forget_old() -> None:
    long_ago = timezone.now() - timedelta(days=AskedWords.DAYS)
    AskedWords.objects.filter(asked_at__lt=long_ago).delete()
