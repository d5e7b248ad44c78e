"""One job of a vocabulary: look at the texts there are, or apply the version in force. The job's ``step`` says which."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from labeling.catalog.models import Item
from labeling.exchange.categories.compute.looks import Looks
from labeling.exchange.categories.looking import count_texts, propose_categories
from labeling.exchange.categories.mapping import map_photos
from labeling.exchange.vocabularies import Vocabulary
from labeling.jobs.progress import JobError, Progress

#: Photos of one transaction.
PAGE = 1000


def work(progress: Progress) -> dict[str, Any]:
    """Returns {texts, waiting}, or {photos, full}: how many were looked at, and of how many no value could be kept."""
    of = Vocabulary.objects.select_related("project").filter(pk=progress.args["vocabulary"]).first()
    if of is None:
        raise JobError(gettext_noop("These categories are gone."))
    return _look(of, progress) if progress.args["step"] == "look" else _apply(of, progress)


def _look(of: Vocabulary, progress: Progress) -> dict[str, Any]:
    progress.report(0, None, gettext_noop("Looking at the texts"))
    count_texts(of)
    photos = dict(of.texts.exclude(count=0).values_list("key", "photos"))
    looks = Looks(of.project, photos)
    propose_categories(of, looks)
    while of.texts.filter(category="", why="").exists():  # came meanwhile, and asked for no look of their own
        propose_categories(of, looks)
    return {"texts": of.texts.count(), "waiting": of.texts.filter(category="").count()}


def _apply(of: Vocabulary, progress: Progress) -> dict[str, Any]:
    done, full, last = 0, 0, 0
    items = Item.objects.filter(project=of.project).order_by("pk").values_list("pk", flat=True)
    while page := list(items.filter(pk__gt=last)[:PAGE]):
        full += map_photos(of, page)
        done, last = done + len(page), page[-1]
        progress.report(done, None, gettext_noop("Mapping the photos' texts"))
        progress.check()
    return {"photos": done, "full": full}
