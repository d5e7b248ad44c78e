"""Which bytes are not to come back, once they were erased (docs/decisions/0043-what-is-erased.md).

A list of digests is all that is kept: each is a hash over a photo's hash. Whoever holds the photo can ask whether it is
listed; nobody can learn a photo, or its hash, from the list. It has no key, for one that was changed or lost would bring
back what was erased.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from labeling.catalog.models import Erased, Image, Project
from labeling.store import objects

#: In a store that was restored: the list that lay beside its backups, until it is taken in.
FILE = "erased.jsonl"
#: Why an intake refuses a file, as :data:`labeling.catalog.photos.ADVICE` names it.
REASON = "erased"


def digest(sha256: str) -> str:
    """SHA-256 (hex) that stands for a photo's."""
    return hashlib.sha256(f"hilltop erased {sha256}".encode()).hexdigest()


def listed(project: Project, hashes: Iterable[str]) -> set[str]:
    """Those of ``hashes`` that may not come into the project."""
    by_digest = {digest(sha256): sha256 for sha256 in hashes}
    rows = standing().filter(Q(project=project) | Q(everywhere=True), digest__in=by_digest)
    return {by_digest[each] for each in rows.values_list("digest", flat=True)}


def listed_everywhere(hashes: Collection[str]) -> set[str]:
    """Those that nobody held any more when they were erased."""
    by_digest = {digest(sha256): sha256 for sha256 in hashes}
    rows = standing().filter(everywhere=True, digest__in=by_digest)
    return {by_digest[each] for each in rows.values_list("digest", flat=True)}


def standing() -> QuerySet[Erased]:
    return Erased.objects.filter(lifted_at__isnull=True)


#: SQL of a text, or of an expression: what stands for it where a watched source is to know a file that it may not name.
STANDS_FOR = "'erased-' || encode(sha256(convert_to('hilltop erased ' || {0}, 'UTF8')), 'hex')"


def forget_watched(file_ids: Collection[int]) -> None:
    """What watched sources know of these files of intakes goes; that they were seen stays, or they would be taken again."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM catalog_watchedfile earlier USING catalog_watchedfile w
            WHERE w.file_id = ANY(%(files)s) AND NOT starts_with(w.path, 'erased-')
              AND earlier.source_id = w.source_id AND earlier.path = {STANDS_FOR.format("w.path")}
            """,
            {"files": list(file_ids)},
        )
        cursor.execute(
            f"""
            UPDATE catalog_watchedfile SET path = {STANDS_FOR.format("path")}, version = {STANDS_FOR.format("version")}
            WHERE file_id = ANY(%(files)s) AND NOT starts_with(path, 'erased-')
            """,
            {"files": list(file_ids)},
        )


def keep_out(project: Project, images: Sequence[Image]) -> None:
    """From now on they do not come in again."""
    digests = [digest(image.sha256) for image in images]
    Erased.objects.bulk_create(
        [Erased(digest=each, project=project) for each in digests], ignore_conflicts=True
    )
    Erased.objects.filter(project=project, digest__in=digests).update(lifted_at=None)


def let_in_again(project: Project, hashes: Iterable[str]) -> None:
    """What was taken out is back: nothing was erased."""
    Erased.objects.filter(project=project, digest__in=[digest(each) for each in hashes]).delete()


def take_in_list() -> int:
    """Take in what :data:`FILE` lists, and remove it; returns how many entries it had.

    Raises :class:`~labeling.store.objects.StoreAway`.
    """
    try:
        rows = [json.loads(line) for line in objects.read(FILE).splitlines()]
    except FileNotFoundError:
        return 0
    projects = set(Project.objects.values_list("pk", flat=True))
    now = timezone.now()
    Erased.objects.bulk_create(
        [
            Erased(
                digest=digest,
                project_id=project if project in projects else None,
                everywhere=everywhere,
                lifted_at=now if lifted else None,
            )
            for digest, project, everywhere, lifted in rows
        ],
        update_conflicts=True,
        unique_fields=["digest", "project"],
        update_fields=["everywhere", "lifted_at"],
    )
    objects.delete([FILE])
    return len(rows)


def lift(project: Project, sha256: str) -> bool:
    """An admin lets a photo in again that was erased; whether it was listed."""
    rows = standing().filter(Q(project=project) | Q(everywhere=True), digest=digest(sha256))
    return bool(rows.update(lifted_at=timezone.now()))
