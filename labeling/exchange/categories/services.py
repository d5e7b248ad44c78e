"""Vocabularies as admins make them: what is normalised, what each text is, and the version that puts it in force."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.metadata.values import LONGEST_TEXT, checked
from labeling.catalog.models import Project
from labeling.database.locks import Lock, hold
from labeling.exchange.vocabularies import MOST_TEXTS, Vocabulary, VocabularyText, VocabularyVersion, Why
from labeling.jobs import services as jobs
from labeling.jobs.models import Job
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.lengths import longest
from labeling.text.plain import composed, plain
from labeling.text.spelling import spelled

JOB_KIND = "vocabulary"
#: Texts of one call.
MOST_AT_ONCE = 1000


@transaction.atomic
def make_vocabulary(*, project: Project, by: User, name: str, target: str = "") -> Vocabulary:
    """Have the texts that photos have as ``name`` looked at, and what they are kept as ``target`` (by default ``name``
    with ``_normalised``). Raises :class:`Refused` (422)."""
    name = _metadata_name("name", name)
    target = _metadata_name("target", target or f"{name}_normalised"[-60:])
    hold(Lock.ITEMS, project.pk)  # photos come in under it: each is mapped, or looked at
    taken = set(Vocabulary.objects.filter(project=project).values_list("name", "target"))
    if name in {one for one, _target in taken}:
        raise Refused.invalid("name", _("Texts of this name are normalised already."))
    if target == name or target in {each for pair in taken for each in pair}:
        raise Refused.invalid("target", _("Keep the categories under a name of their own."))
    if name in {each for _name, each in taken}:
        raise Refused.invalid("name", _("This is what categories are kept under. Name the texts."))
    made = Vocabulary.objects.create(project=project, name=name, target=target, created_by=by)
    log_activity(project=project, kind="vocabulary_made", actor=by, name=name)
    look_again(of=made, by=by)
    return made


def look_again(*, of: Vocabulary, by: User | None) -> Job:
    """Have texts counted and proposals made anew. What was said stays."""
    return _enqueue(of, "look", by)


@transaction.atomic
def say(*, of: Vocabulary, categories: Mapping[str, str]) -> None:
    """Say what texts are: text -> category, or nothing, so that it waits. In force with the next version.

    A text that no photo has may be named: it is known when it comes. Raises :class:`Refused` (422).
    """
    if len(categories) > MOST_AT_ONCE:
        raise Refused.invalid("texts", _("Say at most %(most)d texts at once.") % {"most": MOST_AT_ONCE})
    said = {
        _text("texts", text): _text("texts", category, empty=True) for text, category in categories.items()
    }
    VocabularyText.objects.bulk_create(
        [VocabularyText(of=of, key=spelled(text), text=text, category=said[text]) for text in _once(said)],
        update_conflicts=True,
        unique_fields=["of", "key"],
        update_fields=["category"],
    )
    if of.texts.count() > MOST_TEXTS:
        raise Refused.invalid(
            "texts", _("A vocabulary tells %(most)d texts apart, and no more.") % {"most": MOST_TEXTS}
        )


@transaction.atomic
def change(
    *,
    of: Vocabulary,
    texts: Mapping[str, str] | None = None,
    accept: str = "",
    rename: Mapping[str, str] | None = None,
) -> None:
    """:func:`accept_proposals`, then :func:`rename_category`, then :func:`say`; all of it or nothing."""
    if accept:
        accept_proposals(of=of, why=accept)
    for old, new in (rename or {}).items():
        rename_category(of=of, old=old, new=new)
    if texts:
        say(of=of, categories=texts)


@transaction.atomic
def accept_proposals(*, of: Vocabulary, why: str) -> int:
    """Take what is proposed for this reason as said, for each text that waits; returns for how many."""
    if why not in Why.values:
        raise Refused.invalid("accept", _("One of: %(values)s.") % {"values": ", ".join(Why.values)})
    return of.texts.filter(category="", why=why).exclude(proposed="").update(category=F("proposed"))


@transaction.atomic
def rename_category(*, of: Vocabulary, old: str, new: str) -> int:
    """Call a category otherwise, or like another one: then they are one. Returns of how many texts."""
    new = _text("new", new)
    found = of.texts.filter(category=old).update(category=new)
    found += of.texts.filter(category="", proposed=old).update(proposed=new)
    if not found:
        raise Refused.invalid("old", _("No text has this category."))
    return found


@transaction.atomic
def save_version(*, of: Vocabulary, by: User, note: str) -> VocabularyVersion:
    """Apply what is said, to all photos.

    Raises :class:`Refused` (422), ``nothing_changed`` (409).
    """
    note = _text("note", note, longest=longest(VocabularyVersion, "note"))
    hold(
        Lock.ITEMS, of.project_id
    )  # whoever says something of photos now is mapped by the one before, or by this one
    categories = dict(of.texts.exclude(category="").values_list("key", "category"))
    before = of.versions.order_by("-number").first()
    if categories == (before.categories if before else {}):
        raise Refused(
            "nothing_changed", _("Nothing was said since the last version. Say what a text is first.")
        )
    made = VocabularyVersion.objects.create(
        of=of,
        number=(of.versions.aggregate(last=Max("number"))["last"] or 0) + 1,
        categories=categories,
        note=note,
        created_by=by,
    )
    log_activity(
        project=of.project, kind="vocabulary_version", actor=by, name=of.name, number=made.number, note=note
    )
    _enqueue(of, "apply", by)
    return made


def latest_job(of: Vocabulary) -> Job | None:
    return (
        Job.objects.of_project(of.project_id)
        .filter(kind=JOB_KIND, args__contains={"vocabulary": of.pk})
        .order_by("-created_at")
        .first()
    )


def _enqueue(of: Vocabulary, step: str, by: User | None) -> Job:
    return jobs.enqueue(
        kind=JOB_KIND,
        project_id=of.project_id,
        args={"vocabulary": of.pk, "step": step},
        requested_by=by,
        dedupe=f"vocabulary:{of.pk}:{step}",
        lock=f"vocabulary:{of.pk}",
    )


def _once(texts: Mapping[str, str]) -> list[str]:
    """The last of those that are one by their key: of one statement a row may be written once."""
    return list({spelled(text): text for text in texts}.values())


def _metadata_name(field: str, given: str) -> str:
    try:
        (name,) = checked({given: None})
    except Refused as refusal:
        raise Refused.invalid(field, refusal.message) from None
    return name


def _text(field: str, given: str, *, empty: bool = False, longest: int = LONGEST_TEXT) -> str:
    text = composed(" ".join(plain(given).split()))
    if len(text) > longest or not (text or empty):
        raise Refused.invalid(field, _("Write 1 to %(most)d letters.") % {"most": longest})
    return text
