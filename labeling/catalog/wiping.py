"""Photos are erased for good: their bytes, and every text that names them. Doing it again finishes what was cut off."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from labeling.catalog import erased, events, storage
from labeling.catalog.models import (
    Activity,
    Damage,
    Erased,
    Exemplar,
    GuidelineProposal,
    Image,
    IntakeBatch,
    IntakeFile,
    IntakeKind,
    IntakeOutcome,
    Item,
    Likeness,
    MetadataChange,
    Project,
)
from labeling.catalog.taking_out import blank_files
from labeling.database.append_only import erasing
from labeling.jobs.models import Job
from labeling.store.folders import STAGING

#: A name that is shorter says nothing of anybody, and would be found in every text.
LEAST_LETTERS = 4


class NotYet(Exception):
    """Something stands in the way for now; the message says what, and what to do."""


def named_by(images: Collection[int]) -> set[int]:
    """Those of these images (ids) that a photo, an exemplar, a photo that was set aside or a room above still names."""
    found = {
        image
        for rows in (Item.objects, Exemplar.objects, Likeness.objects)
        for image in rows.filter(image__in=images).values_list("image", flat=True)
    }
    for _receiver, named in events.images_named.send(sender=Image, images=images):
        assert isinstance(named, set)  # narrows the type
        found |= named
    return found


def wipe_image(image_id: int, *, project: Project | None) -> bool:
    """Remove an image's bytes and its row, unless somebody still names it; whether nothing of it is left. ``project``: that
    held it, if one did.

    Its row is locked meanwhile, so that an intake which would hold it waits, and finds it gone. Raises
    :class:`~labeling.store.objects.StoreAway`, :class:`NotYet`.
    """
    with transaction.atomic():
        image = Image.objects.select_for_update().filter(pk=image_id).first()
        if image is None:
            return True
        if named_by([image_id]):
            return False
        if left := storage.forget(image.sha256):
            raise NotYet(_("The store still has %(names)s.") % {"names": ", ".join(left)})
        rows = IntakeFile.objects.filter(Q(image=image) | Q(sha256=image.sha256))
        blank_files(list(rows.exclude(outcome=IntakeOutcome.PENDING).values_list("pk", flat=True)))
        Damage.objects.filter(name__in=storage.names_of(image.sha256)).delete()
        Erased.objects.update_or_create(
            digest=erased.digest(image.sha256),
            project=project,
            defaults={"everywhere": True, "lifted_at": None},
        )
        image.delete()
    return True


def wipe_staged(files: Iterable[dict[str, Any]]) -> None:
    """Remove what of these files (as :func:`~labeling.catalog.taking_out.take_out` keeps them) still waits in an intake, and
    what a watched source knows of them.

    Raises :class:`NotYet` where an archive holds one that an intake is not through with.
    """
    paths = {file["id"]: file["path"] for file in files}
    erased.forget_watched(list(paths))
    waiting = STAGING.names()
    rows = IntakeFile.objects.filter(pk__in=paths).select_related("batch")
    for row in [each for each in rows if str(each.batch_id) in waiting]:
        if row.batch.kind == IntakeKind.ZIP:
            raise NotYet(
                _("The archive of an intake of %(day)s waits. Go on with it, or give up the rest of it.")
                % {"day": f"{row.batch.created_at:%Y-%m-%d}"}
            )
        STAGING.drop_file(str(row.batch_id), paths[row.pk])


def wipe_metadata(item_ids: Collection[int]) -> None:
    """What was ever known of these photos beside their pictures."""
    with erasing():
        MetadataChange.objects.filter(item__in=item_ids).update(data={}, origin="")


def wipe_texts(project: Project | None, *, hashes: Sequence[str], names: Sequence[str]) -> None:
    """Take hashes of photos, and names, out of whatever was written of the project, or of all: diary, proposals and jobs."""
    words = [*hashes, *names]
    if not words:
        return
    # By ASCII letters, for Korean puts particles right behind a name.
    within = "|".join(
        rf"(?<![\w.-]){re.escape(each)}(?![\w-])" for each in words if len(each) >= LEAST_LETTERS
    )
    said = re.compile(
        rf"^(?:{'|'.join(map(re.escape, words))})$" + (f"|{within}" if within else ""), re.ASCII
    )
    with erasing():
        for entry in Activity.objects.filter(pk__in=_holding("catalog_activity", "data", project, words)):
            left = {key: value for key, value in entry.data.items() if not _says(value, said)}
            if left != entry.data:
                Activity.objects.filter(pk=entry.pk).update(data=left)
        for proposal in GuidelineProposal.objects.filter(
            pk__in=_holding("catalog_guidelineproposal", "changes", project, words)
        ):
            GuidelineProposal.objects.filter(pk=proposal.pk).update(
                changes=_without(proposal.changes, set(hashes))
            )
    columns = "concat_ws(' ', args, result, message, error, trace)"
    for job in Job.objects.filter(pk__in=_holding("jobs_job", columns, project, words)):
        Job.objects.filter(pk=job.pk).update(
            args=_blotted(job.args, said),
            result=_blotted(job.result, said),
            **{name: said.sub("", getattr(job, name)) for name in ("message", "error", "trace")},
        )


def wipe_words_on(project: Project, *, decisions: Collection[int]) -> None:
    """Take what people wrote of these decisions (ids) out of the diary, too."""
    with erasing():
        for entry in Activity.objects.filter(
            project=project, kind="decision_overruled", data__decision__in=list(decisions)
        ):
            left = {key: value for key, value in entry.data.items() if key != "reason"}
            Activity.objects.filter(pk=entry.pk).update(data=left)


def wipe_source(project: Project, source: str) -> None:
    """Take the name of a source out of its intakes, their jobs and the diary: none of its photos is left."""
    batches = [
        batch
        for batch in IntakeBatch.objects.filter(project=project).exclude(source="")
        if batch.source[-200:] == source
    ]
    ids = [str(batch.pk) for batch in batches]
    IntakeBatch.objects.filter(pk__in=ids).update(source="")
    for job in Job.objects.filter(project_id=project.pk, args__batch__in=ids):
        Job.objects.filter(pk=job.pk).update(args={"batch": job.args["batch"]})
    with erasing():
        for entry in Activity.objects.filter(project=project, data__batch__in=ids):
            left = {key: value for key, value in entry.data.items() if key != "source"}
            Activity.objects.filter(pk=entry.pk).update(data=left)


def _holding(table: str, column: str, project: Project | None, words: Sequence[str]) -> list[Any]:
    """Ids of the project's rows (of all) in whose ``column`` (SQL) one of the words stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id FROM {table} WHERE (%s::bigint IS NULL OR project_id = %s)
              AND EXISTS (SELECT 1 FROM unnest(%s::text[]) word WHERE position(word IN ({column})::text) > 0)
            """,
            [project.pk if project else None, project.pk if project else None, list(words)],
        )
        return [row[0] for row in cursor.fetchall()]


def _says(value: Any, said: re.Pattern[str]) -> bool:
    """Whether a text in it does. A number that happens to be somebody's name counts something."""
    return bool(_blotted(value, said) != value)


def _blotted(value: Any, said: re.Pattern[str]) -> Any:
    """The same JSON without what is said in its texts."""
    if isinstance(value, dict):
        return {said.sub("", key): _blotted(inner, said) for key, inner in value.items()}
    if isinstance(value, list):
        return [_blotted(inner, said) for inner in value]
    return said.sub("", value) if isinstance(value, str) else value


def _without(value: Any, gone: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, gone) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, gone) for inner in value if inner not in gone] if value else value
    return value
