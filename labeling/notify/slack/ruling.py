"""A pressed button rules as the review page does, for whom the person in Slack is here, or says why it does not."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from labeling.catalog.permissions import Action, project_for
from labeling.notify.models import SlackMessage
from labeling.notify.slack import linking
from labeling.notify.slack.pressed import Pressed
from labeling.people import rate_limits
from labeling.people.models import User
from labeling.people.slack import person_of
from labeling.refusals import Refused
from labeling.truth import services
from labeling.truth.forms import RulingForm, first_error
from labeling.truth.models import Dispute
from labeling.truth.selectors import ruling_text

#: Of one member of Slack, in a minute.
MOST_A_MINUTE = 60


def press(pressed: Pressed) -> tuple[str, SlackMessage | None]:
    """What the person alone is told, and the message that says something else now."""
    message = (
        SlackMessage.objects.select_related("endpoint")
        .filter(pk=pressed.message, endpoint__removed_at=None)
        .exclude(dispute=None)
        .first()
    )
    if message is None:
        return _("Nothing was done: this message belongs to no channel that Hilltop tells any more."), None
    with translation.override(message.endpoint.language or None):
        try:
            return _press(pressed, message)
        except Refused as refused:
            return refused.message, message if refused.code == "already_ruled" else None
        except (Http404, PermissionDenied) as error:
            return str(error), None


def _press(pressed: Pressed, message: SlackMessage) -> tuple[str, SlackMessage | None]:
    so_many, _left = rate_limits.count(rate_limits.key_of("slack", pressed.team, pressed.member), seconds=60)
    if so_many > MOST_A_MINUTE:
        return _("Too many at once. Wait a minute, then try again."), None
    person = person_of(pressed.team, pressed.member)
    if person is None:
        address = linking.address_of(pressed, message.endpoint)
        return _(
            "Hilltop does not know yet who you are there. Open this link within 10\u00a0minutes, sign in and confirm; then "
            "press again: %(address)s"
        ) % {"address": address}, None
    return _rule(person, pressed.value, message), message


def _rule(person: User, value: str, message: SlackMessage) -> str:
    dispute = Dispute.objects.select_related("project").get(pk=str(message.dispute))
    project = project_for(person, dispute.project.slug, Action.REVIEW)
    form = RulingForm({"ruling": value})
    if not form.is_valid():
        return first_error(form)
    made = services.rule(project=project, dispute_id=dispute.pk, reviewer=person, **form.ruled())
    page = message.endpoint.site + reverse("review-dispute", args=[project.slug, dispute.pk])
    return _("Ruled as %(name)s: %(ruling)s. It can be taken back for %(seconds)d\u00a0s there: %(page)s") % {
        "name": person.username,
        "ruling": ruling_text(made),
        "seconds": project.undo_seconds,
        "page": page,
    }
