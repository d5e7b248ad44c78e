"""Data sets, made: what goes into one is fixed in a moment, and written each time it is asked for."""

from __future__ import annotations

from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from labeling.catalog.activity import log_activity
from labeling.catalog.models import MetadataChange, Project
from labeling.catalog.selectors import current_guideline
from labeling.exchange.choosing import request_choosing
from labeling.exchange.formats import FORMATS
from labeling.exchange.models import LEAVE_SOME, DataSet, Pictures, Together
from labeling.explorer.search.wanted import Wanted
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.plain import composed
from labeling.truth.models import GroundTruth

#: Answers wait behind whoever waits for a table, so nobody does for longer.
_WAIT = "1s"


def make_data_set(*, project: Project, by: User, format: str, search: str = "", **asked: Any) -> DataSet:
    """Fix what goes into a data set. ``asked``: fields of :class:`DataSet`, each with a default. ``search``: of the
    explorer, as an address says it; what it finds is looked up in the background, and then fixed too.

    Raises :class:`Refused` for a format that is not there or cannot be written so, for shares that leave nothing to
    train on, and for filters that are not there.
    """
    if format not in FORMATS:
        raise Refused.invalid(
            "format", _("Choose one of these formats: %(names)s.") % {"names": ", ".join(FORMATS)}
        )
    pictures = asked.pop("pictures", Pictures.ORIGINAL)
    if not (FORMATS[format].holds_pictures or FORMATS[format].needs_pictures):
        pictures = Pictures.NONE
    elif FORMATS[format].needs_pictures and pictures == Pictures.NONE:
        raise Refused.invalid(
            "pictures", _("In this format the photos are the data: choose how they shall be in it.")
        )
    if asked.get("validation", 0) + asked.get("test", 0) > 90:
        raise Refused.invalid_fields({"validation": LEAVE_SOME, "test": LEAVE_SOME}, str(LEAVE_SOME))
    query = Wanted.read(project, search).query
    by_value = asked.get("together") == Together.VALUE
    asked["value"] = composed(" ".join(asked.get("value", "").split())) if by_value else ""
    names = (composed(" ".join(name.split())) for name in asked.get("metadata", ()))
    asked["metadata"] = list(dict.fromkeys(filter(None, names)))
    if by_value and not asked["value"]:
        raise Refused.invalid(
            "value", _("Name the metadata of which each value shall stay on one side, as vehicle.")
        )
    with transaction.atomic():
        made = DataSet.objects.create(
            project=project,
            search=query,
            format=format,
            pictures=pictures,
            guideline=current_guideline(project),
            upto=_last(GroundTruth, project=project),
            values_upto=_last(MetadataChange, item__project=project)
            if by_value or asked["metadata"]
            else None,
            created_by=by,
            **asked,
        )
        log_activity(
            project=project, kind="data_set", actor=by, format=FORMATS[format].title, data_set=str(made.pk)
        )
        if query:
            request_choosing(data_set=made, by=by)
    return made


def _last(model: type[GroundTruth] | type[MetadataChange], **of: Project) -> int:
    """The id below which every such row is committed.

    A transaction that has its id and is not at its end could put a row below the newest one later. The lock waits for
    those, and lets new ones begin when this transaction has ended: with greater ids.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_WAIT}'")
        try:
            cursor.execute(f"LOCK TABLE {model._meta.db_table} IN SHARE MODE")
        except OperationalError as error:
            raise Refused(
                "busy", _("Many labels are being settled at this moment. Try again in a few seconds.")
            ) from error
        cursor.execute("SET LOCAL lock_timeout = 0")  # for whatever else this transaction does
    return model.objects.filter(**of).aggregate(last=Max("pk"))["last"] or 0
