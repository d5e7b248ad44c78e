"""An admin objects to a version that was published as another wording only: then it counts as a change of meaning."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.catalog import events
from labeling.catalog.activity import log_activity
from labeling.catalog.models import Guideline, MeaningObjection, Project
from labeling.people.models import User
from labeling.refusals import Refused
from labeling.text.notes import kept_whole


@transaction.atomic
def object_to_wording(*, project: Project, number: int, by: User, note: str) -> Guideline:
    """From now on version ``number`` means something of its own. Sends ``meaning_changed``.

    Raises :class:`Refused` ``invalid`` (422) without a note, ``not_found`` (404), ``not_wording`` (409) for a version that
    counts as a change of meaning already.
    """
    if not note.strip():
        raise Refused.invalid("note", _("Say what means something else now: it is kept."), short=_("missing"))
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    version = Guideline.objects.filter(project=project, number=number).first()
    if version is None:
        raise Refused("not_found", _("The guideline has no such version."), status=404)
    if not version.wording_only or MeaningObjection.objects.filter(guideline=version).exists():
        raise Refused("not_wording", _("This version counts as a change of meaning already."))
    words = kept_whole(note, field="note")
    MeaningObjection.objects.create(guideline=version, by=by, note=words)
    log_activity(project=project, kind="wording_objected", actor=by, number=number, note=words)
    events.meaning_changed.send(sender=MeaningObjection, project=project, by=by)
    return version
