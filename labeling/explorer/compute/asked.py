"""The job ``like``: a photo that was sent is embedded and projected, and its bytes are removed."""

from __future__ import annotations

from typing import Any

from inference.projection import Projection, sign_codes
from labeling.explorer.models import AskedPhoto
from labeling.explorer.search.asking import FILE
from labeling.jobs.progress import Interrupted, JobError, Progress
from labeling.learning.compute.stores import device, embedder_for
from labeling.store.folders import STAGING


def embed(progress: Progress) -> dict[str, Any]:
    """Raises :class:`JobError` where the photo cannot be read, or its space is another one by now."""
    args = progress.job.args
    staged = str(args["staged"])
    try:
        _embed(int(args["space"]), str(args["sha256"]), staged)
    except Interrupted:
        raise
    except BaseException:
        STAGING.drop(staged)
        raise
    STAGING.drop(staged)
    return {}


def _embed(space_id: int, sha256: str, staged: str) -> None:
    asked = AskedPhoto.objects.filter(space=space_id, sha256=sha256).select_related("space").first()
    if asked is None:
        raise JobError("The project's photos got other places meanwhile. Send the photo again.")
    try:
        data = (STAGING.get(staged) / FILE).read_bytes()
    except FileNotFoundError as error:
        raise JobError("What was sent is not there any more. Send the photo again.") from error
    embedder = embedder_for(asked.space.backbone, device())
    for batch in embedder.embed([(sha256, data)]):
        for _sha256, refused in batch.failures:
            raise JobError(f"The photo cannot be read: {refused} Send another copy of it.")
        vectors = Projection.from_bytes(bytes(asked.space.projection))(batch.vectors)
        asked.vector = vectors[0].tolist()
        asked.code = "".join(f"{byte:08b}" for byte in sign_codes(vectors)[0].tolist())
        asked.save(update_fields=["vector", "code"])
