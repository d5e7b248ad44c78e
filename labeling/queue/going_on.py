"""An answer and the next photos in one transaction: what a labeler does all day costs one round trip and one commit."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, transaction

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.queue.answering import Submission, submit
from labeling.queue.lending import Claimed, Claiming, claim_under

logger = logging.getLogger(__name__)


@transaction.atomic
def submit_and_claim(
    *, project: Project, labeler: User, claim: Claiming, **answer: Any
) -> tuple[Submission, Claimed | None]:
    """:func:`submit` with what is in ``answer``, then :func:`claim_under` with what is in ``claim``.

    An answer that is refused lends nothing, and raises what :func:`submit` raises. A claim that the database could not do
    lends nothing either, but the answer stands: ``None`` instead of what it lent, and the next claim is as good.
    """
    submission = submit(project=project, labeler=labeler, **answer)
    try:
        return submission, claim_under(project=project, labeler=labeler, **claim)
    except DatabaseError:
        logger.exception("An answer was taken, and no photo lent after it.")
        return submission, None
