"""Photos that lie near one in their project's space: by an HNSW index of pgvector where the database has it, else exactly.

With pgvector distances are computed in half precision. Without it codes of 256 bits are compared, all of them, and the
nearest ones by their vectors. See docs/decisions/0044-photos-alike.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Func, TextField, Value
from django.db.models.functions import Cast, Concat
from django.db.models.lookups import IsNull
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.database.read_once import read_once
from labeling.explorer.models import AskedPhoto, Space
from labeling.jobs.models import JobState
from labeling.refusals import Refused

#: As many are found of one photo: HNSW looks no further.
MOST = 1000
#: Below so many photos all are compared, in some milliseconds: an index would only be less exact.
FEW = 20_000
#: SQL, an expression: the table is of PostgreSQL's own types, whichever database it is in. 256: inference.projection.DIM.
HALVES = "vector::halfvec(256)"

# Codes that differ in few bits are no more than candidates: 500, or twice as many as are wanted.
_BY_CODES = """
SELECT near.item_id FROM (
    SELECT item_id FROM {table} ORDER BY bit_count(code # %(code)s::bit(256)), item_id
    LIMIT greatest(500, 2 * %(most)s)) near
CROSS JOIN LATERAL (SELECT vector FROM {table} WHERE item_id = near.item_id LIMIT 1) its
ORDER BY (SELECT sum((a - b) * (a - b)) FROM unnest(its.vector, %(vector)s::real[]) AS axis (a, b)), near.item_id
LIMIT %(most)s"""
_BY_VECTORS = """
SELECT item_id FROM {table} ORDER BY vector::halfvec(256) <-> %(vector)s::real[]::halfvec(256) LIMIT %(most)s"""


@dataclass(frozen=True)
class Probe:
    """What photos are compared with. ``item_id``: of a photo of the project, which is not like itself."""

    name: str
    vector: Sequence[float]
    code: str
    item_id: int | None = None


#: Null where the database has no pgvector, or one that does not know half precision yet.
_HALVES = Func(Value("halfvec"), function="to_regtype", output_field=TextField())
#: Null where a space's rows were left behind in a move: backups do not take what can be computed again.
_TABLE = Func(
    Concat(Value("derived.space_"), Cast("pk", TextField())), function="to_regclass", output_field=TextField()
)


@read_once
def current_space(project: Project) -> Space | None:
    """The newest of the project's own backbone, where there is one."""
    spaces = Space.objects.filter(project=project, backbone=project.backbone_name).defer("projection")
    return (
        spaces.alias(its=_TABLE).filter(its__isnull=False).annotate(has_halves=IsNull(_HALVES, False)).first()
    )


def nearest(space: Space, probe: Probe, most: int) -> list[int]:
    """Ids of up to ``most`` items, the most alike first; of at most :data:`MOST`."""
    looked_for = min(most, MOST) + (probe.item_id is not None)
    given: dict[str, Any] = {"vector": list(probe.vector), "code": probe.code, "most": looked_for}
    with transaction.atomic(), connection.cursor() as cursor:
        if space.in_halves:
            # As many as are wanted are looked for, or fewer would be found (1,000 is pgvector's own bound).
            reach = str(min(MOST, max(100, looked_for)))
            cursor.execute("SELECT set_config('hnsw.ef_search', %s, true)", [reach])
            cursor.execute(_BY_VECTORS.format(table=space.table), given)
        else:
            cursor.execute(_BY_CODES.format(table=space.table), given)
        found = [row[0] for row in cursor.fetchall()]
    return [item_id for item_id in found if item_id != probe.item_id][:most]


def probe_of(project: Project, item: Item) -> Probe | None:
    """``None`` where the photo has no place yet."""
    space = current_space(project)
    if space is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT vector, code::text FROM {space.table} WHERE item_id = %s",  # noqa: S608
            [item.pk],
        )
        row = cursor.fetchone()
    return Probe(item.name or item.image.sha256[:12], row[0], row[1], item.pk) if row else None


def alike(project: Project, item: Item, most: int) -> list[Item]:
    """Photos of the project that look most like this one; none where it has no place yet."""
    space, probe = current_space(project), probe_of(project, item)
    if space is None or probe is None:
        return []
    ids = nearest(space, probe, most)
    found = Item.objects.filter(project=project).select_related("image").in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def probe_named(project: Project, sha256: str) -> Probe:
    """Of a photo of the project, or one that was sent to find others like it.

    Raises :class:`Refused`: ``invalid`` (422) for a photo that is neither, ``not_ready`` (409) for one that has no place
    yet, ``unreadable`` (422) where what was sent could not be read.
    """
    item = Item.objects.filter(project=project, image__sha256=sha256).select_related("image").first()
    space = current_space(project)
    probe = probe_of(project, item) if item else None
    if probe is not None:
        return probe
    asked = AskedPhoto.objects.filter(space=space, sha256=sha256).select_related("job").first()
    if asked is not None and asked.vector:
        return Probe(asked.name, asked.vector, asked.code)
    if asked is not None and asked.job.state in {JobState.FAILED, JobState.CANCELLED}:
        raise Refused.invalid(
            "like", asked.job.said or _("It was cancelled. Send the photo again."), code="unreadable"
        )
    if asked is None and item is None:
        raise Refused.invalid(
            "like", _("This photo is not here, or was sent more than a week ago. Send it again.")
        )
    raise Refused(
        "not_ready", _("The photo waits for its embedding. Look again in a moment."), fields={"like": sha256}
    )


def forget(*, project: Project, item_ids: Sequence[int], hashes: Collection[str]) -> None:
    """Nothing of these photos stays in the project's spaces, nor where they were sent to find others like them, anywhere.

    What remains is what a fit to thousands of photos has of each.
    """
    AskedPhoto.objects.filter(sha256__in=hashes).delete()
    for space in (
        Space.objects.alias(its=_TABLE).filter(its__isnull=False, project=project).defer("projection")
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {space.table} WHERE item_id = ANY(%s)", [list(item_ids)])  # noqa: S608
