"""A new question on photos that are there already: a project derived from another one, on the same backbone.

Embeddings belong to a photo's bytes and the backbone, not to a project, so nothing is embedded again: the job only writes
items, and the queue is ordered from vectors that are there.

What is taken over: the photos (all, or those settled as one class), the settings, the members if wished. What is not:
answers, ground truth, gold, audit draws. They are answers to another question.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from labeling.catalog.models import Image, Item, Membership, Project
from labeling.catalog.projects import SETTINGS
from labeling.catalog.selectors import class_resolution
from labeling.catalog.services import add_items, create_project, log_activity, set_role
from labeling.jobs.models import Job
from labeling.jobs.progress import JobError, Progress
from labeling.jobs.services import enqueue
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.plain import composed
from labeling.truth.models import GroundTruth
from labeling.truth.services import add_gold

JOB_KIND = "derive"
#: Photos put into the new project in one transaction.
CHUNK = 5_000
#: Gold is asked blind again and again; more than this is no yardstick but a data set.
MOST_GOLD = 500
#: A project that was made to have a model soon trains by itself, also where its source did not.
RETRAIN_EVERY = 25
#: Not taken over: they say what the new project asks.
_OWN = frozenset({"name", "question", "description"})


@transaction.atomic
def derive_project(
    *,
    source: Project,
    slug: str,
    name: str,
    question: str,
    classes: Sequence[dict[str, Any]],
    by: User,
    description: str = "",
    only_class: str = "",
    with_members: bool = False,
    gold: Sequence[tuple[str, str]] = (),
) -> tuple[Project, Job]:
    """Create the project, and enqueue the job that brings its photos; return both.

    The new project trains and promotes by itself: its first model comes when two classes have five ground truths each.

    Args:
        classes: as :func:`~labeling.catalog.projects.create_project` takes them.
        only_class: key of a class of ``source``: only photos settled as it. Empty: all photos.
        with_members: everybody keeps their role; ``by`` is an admin in any case.
        gold: (file name or SHA-256 of a photo, class key) whose answers are known. They become gold: a yardstick for
            people, which never trains. Labels that should train are imported into the new project (``exchange.imports``).

    Raises :class:`Refused`: ``no_photos`` (409) when nothing would come over; ``invalid`` or ``unknown_class`` (422), also
    where ``gold`` names a photo that would not come over.
    """
    chosen = _photos_to_bring(source, only_class)
    gold = [(composed(called), key) for called, key in gold]
    if len(gold) > MOST_GOLD:
        raise Refused.invalid("gold", _("At most %(most)d gold photos at once.") % {"most": MOST_GOLD})
    _refuse_two_names_of_one_photo(chosen, [called for called, _key in gold])
    project = create_project(
        slug=slug,
        name=name,
        question=question,
        classes=classes,
        by=by,
        description=description,
        **_settings_taken_over(source),
    )
    _refuse_unknown_classes(project, [key for _called, key in gold])
    _refuse_unknown_photos(chosen, [called for called, _key in gold])
    if with_members:
        _bring_members(source, project, by)
    log_activity(project=project, kind="derived", actor=by, source=source.slug, only_class=only_class)
    job = enqueue(
        kind=JOB_KIND,
        queue="cpu",
        project_id=project.pk,
        args={"source": source.pk, "only_class": only_class, "gold": [list(pair) for pair in gold]},
        requested_by=by,
        dedupe=f"derive:{project.pk}",
    )
    return project, job


def _photos_to_bring(source: Project, only_class: str) -> QuerySet[Item]:
    chosen = items_of(source, only_class)
    if not chosen.exists():
        raise Refused(
            "no_photos",
            _(
                "No photo of this project is settled as that class yet. Derive from all photos, or label first."
            )
            if only_class
            else _("This project holds no photos yet. Take some in first."),
        )
    return chosen


def _settings_taken_over(source: Project) -> dict[str, Any]:
    return {key: getattr(source, key) for key in SETTINGS - _OWN} | {
        "retrain_every": source.retrain_every or RETRAIN_EVERY,
        "promote_automatically": True,
    }


def _bring_members(source: Project, project: Project, by: User) -> None:
    for membership in Membership.objects.filter(project=source, user__is_active=True).exclude(user=by):
        set_role(project=project, user=membership.user, role=membership.role, by=by)


def _refuse_unknown_classes(project: Project, keys: Sequence[str]) -> None:
    known = set(project.label_classes.values_list("key", flat=True))
    if strange := sorted(set(keys) - known):
        raise Refused.invalid(
            "gold", _("The new project has no such classes: %(keys)s.") % {"keys": ", ".join(strange)}
        )


def _refuse_two_names_of_one_photo(chosen: QuerySet[Item], called: Sequence[str]) -> None:
    """Raises :class:`Refused` ``invalid`` (422) where a file name and a SHA-256 are those of the same photo."""
    hashes = {each for each in called if len(each) == 64}
    named: dict[str, str] = {}
    for name, sha256 in chosen.filter(name__in=called).values_list("name", "image__sha256"):
        named.setdefault(name, sha256)  # of several with one name it is the oldest, as for gold
    for name, sha256 in named.items():
        if sha256 in hashes and name != sha256:
            raise Refused.invalid(
                "gold",
                _("“%(name)s” and %(sha256)s are the same photo. Give its answer once.")
                % {"name": name[:80], "sha256": sha256},
            )


#: Of photos that are not there; who has more of them has sent another project's file.
_NAMED = 5


def _refuse_unknown_photos(chosen: QuerySet[Item], called: Sequence[str]) -> None:
    """Raises :class:`Refused` ``invalid`` (422) for names and hashes of photos that would not come over."""
    hashes = [each for each in called if len(each) == 64]
    there = set(chosen.filter(name__in=called).values_list("name", flat=True))
    there |= set(chosen.filter(image__sha256__in=hashes).values_list("image__sha256", flat=True))
    unknown = [each for each in called if each not in there]
    if unknown:
        raise Refused.invalid(
            "gold",
            _(
                "Known answers for photos that would not come over (%(n)d): %(names)s. Correct them or leave them out."
            )
            % {
                "n": len(unknown),
                "names": ", ".join(f"“{each[:80]}”" for each in unknown[:_NAMED])
                + ("…" if len(unknown) > _NAMED else ""),
            },
        )


def items_of(source: Project, only_class: str = "") -> QuerySet[Item]:
    """The photos that would come over, oldest first.

    Raises :class:`Refused` ``unknown_class`` (422).
    """
    items = Item.objects.filter(project=source).order_by("pk")
    if not only_class:
        return items
    wanted = source.label_classes.filter(key=only_class).first()
    if wanted is None:
        raise Refused.invalid(
            "only_class",
            _("There is no class “%(key)s” in the project that you derive from.") % {"key": only_class},
            short=_("unknown"),
            code="unknown_class",
        )
    # Answers to a class that was merged count for its survivor.
    same = [one for one, survivor in class_resolution(source).items() if survivor == wanted.pk]
    # Those that people settled, as the page counts them: gold was known before anybody asked.
    settled = GroundTruth.objects.trainable().filter(project=source, label_class_id__in=[*same, wanted.pk])
    return items.filter(pk__in=settled.values("item"))


def run(progress: Progress) -> dict[str, Any]:
    """The job ``derive``: items first, then gold. Safe to run again: what is there stays as it is.

    Returns {photos, already, gold, unknown}: photos that came, that were there, that became gold, and names that no
    fresh photo has (any more: the request had them all).
    """
    project = Project.objects.get(pk=progress.job.project_id or 0)
    args = progress.args
    source = Project.objects.filter(pk=args["source"]).first()
    if source is None:
        raise JobError("The project to derive from is gone. Take the photos in by an intake instead.")
    chosen = items_of(source, args["only_class"])
    total = chosen.count()
    came = seen = 0
    for rows in _chunks(chosen):
        images = Image.objects.in_bulk([image for image, _name, _from in rows])
        for where in dict.fromkeys(place for _image, _name, place in rows):
            added = add_items(
                project=project,
                images=[(images[image], name) for image, name, place in rows if place == where],
                source=where,
            )
            came += len(added)
        seen += len(rows)
        progress.report(seen, max(seen, total), gettext_noop("Bringing photos over"))
    told = _make_gold(project, args["gold"], progress)
    return {"photos": came, "already": seen - came, **told}


def _chunks(items: QuerySet[Item]) -> Iterator[list[tuple[int, str, str]]]:
    """(image id, name, source) of the photos, some at a time."""
    last = 0
    while True:
        rows = list(items.filter(pk__gt=last).values_list("pk", "image_id", "name", "source")[:CHUNK])
        if not rows:
            return
        last = rows[-1][0]
        yield [(image, name, source) for _pk, image, name, source in rows]


def _make_gold(project: Project, pairs: Sequence[Sequence[str]], progress: Progress) -> dict[str, Any]:
    by = progress.job.requested_by or project.created_by
    made = 0
    unknown: list[str] = []
    for called, key in pairs:
        items = Item.objects.filter(project=project)
        item = (
            items.filter(image__sha256=called).first()
            if len(called) == 64
            else items.filter(name=called).order_by("pk").first()
        )
        if item is None:
            unknown.append(called)
            continue
        try:
            add_gold(project=project, item=item, class_key=key, by=by)
        except Refused:  # somebody has answered it meanwhile: it can no longer be asked blind
            unknown.append(called)
            continue
        made += 1
        progress.report(made, len(pairs), gettext_noop("Making gold"))
    return {"gold": made, "unknown": unknown[:50]}


def read_gold(given: str | bytes) -> list[tuple[str, str]]:
    """Lines of ``photo name or SHA-256, class key``, with or without a header line ``photo,class``.

    Args:
        given: text, or a file's bytes in UTF-8, with or without a byte order mark.

    Raises :class:`Refused` ``invalid`` (422) and names the line.
    """
    text = _decoded(given).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    rows = csv.reader(io.StringIO(text))
    pairs: list[tuple[str, str]] = []
    first_line: dict[str, int] = {}
    while True:
        # A quoted cell may hold line ends, so a row is named by the line on which it begins.
        number = rows.line_num + 1
        try:
            cells = [cell.strip() for cell in next(rows)]
        except StopIteration:
            return pairs
        except csv.Error:
            raise _not_a_pair(number) from None
        if not any(cells):
            continue
        if not pairs and [cell.lower() for cell in cells] in (["photo", "class"], ["sha256", "class"]):
            continue
        if len(cells) != 2 or not all(cells) or any(_CONTROL.search(cell) for cell in cells):
            raise _not_a_pair(number)
        called, key = composed(cells[0]), cells[1]
        if _SHA256.fullmatch(called):
            called = called.lower()
        if called in first_line:
            raise Refused.invalid(
                "gold",
                _("Line %(n)d names “%(photo)s” again, which line %(first)d does already.")
                % {"n": number, "photo": called[:80], "first": first_line[called]},
            )
        first_line[called] = number
        pairs.append((called, key))


_SHA256 = re.compile("[0-9a-fA-F]{64}")
# No name or key holds one, and the database takes no NUL.
_CONTROL = re.compile(r"[\x00-\x1f]")


def _decoded(given: str | bytes) -> str:
    if isinstance(given, str):
        return given
    try:
        return given.decode()
    except UnicodeDecodeError as error:
        line = given[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
        raise Refused.invalid(
            "gold",
            _("Line %(n)d is not UTF-8. In Excel, save the file as “CSV UTF-8”.") % {"n": line},
        ) from None


def _not_a_pair(number: int) -> Refused:
    return Refused.invalid("gold", _("Line %(n)d is not “photo name or SHA-256, class key”.") % {"n": number})
