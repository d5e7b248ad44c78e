"""What each message says. None says how a photo was answered, scored, decided or ruled on: who reads it may yet be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from slack_sdk.models.blocks import Block, ImageBlock

from labeling.catalog.models import Project
from labeling.catalog.selectors import active_classes
from labeling.frontier.models import EndReason
from labeling.frontier.picture import BandState, picture
from labeling.notify.channels.channel import Told
from labeling.notify.channels.digest import line, parts_of, title_of
from labeling.notify.channels.slack.blocks import (
    MOST_BUTTONS,
    Message,
    button,
    escaped,
    link,
    row,
    section,
    small,
)
from labeling.notify.models import Endpoint, Event, SlackMessage
from labeling.notify.pictures import picture_of
from labeling.overview.week.report import report
from labeling.truth.models import Dispute, OpenDispute, Outcome

_SIGN = {
    BandState.CERTIFIED: "■",
    BandState.RING: "◧",
    BandState.SUSPENDED: "✕",
    BandState.SETTLED: "▣",
    BandState.PASSED: "▤",
    BandState.OPEN: "░",
    BandState.CLOSED: "·",
}
#: Where it leads to what an event's subject begins with.
_PAGES = {
    "class": "frontier",
    "bands": "frontier",
    "monitor": "monitors",
    "versions": "models",
    "labeler": "labelers",
}


def of_dispute(message: SlackMessage) -> Message:
    """With the photo and a button for each ruling, as long as one is asked for; without them once it is over."""
    dispute = Dispute.objects.select_related("project", "item__image").get(pk=str(message.dispute))
    project, site = dispute.project, message.endpoint.site
    leads = site + reverse("review-dispute", args=[project.slug, dispute.pk])
    if not OpenDispute.objects.filter(dispute=dispute).exists():
        text = _("%(project)s: the dispute is ruled on.") % {"project": project.name}
        return Message(text, [section(f"{escaped(text)} {link(leads, _('Open it in Hilltop'))}")])
    text = _("%(project)s: a photo waits for a ruling.") % {"project": project.name}
    blocks: list[Block] = [
        section(f"*{escaped(text)}* {link(leads, _('Open it in Hilltop'))}\n{escaped(project.question)}"),
        ImageBlock(image_url=picture_of(message), alt_text=_("Photo %(n)d") % {"n": dispute.item_id}),
    ]
    rulings = _rulings(project)
    if len(rulings) <= MOST_BUTTONS:
        blocks.append(row(str(message.pk), [button(name, value) for value, name in rulings]))
    blocks.append(small(_("Only reviewers can rule. What others answered is on the page in Hilltop alone.")))
    return Message(text, blocks)


def _rulings(project: Project) -> list[tuple[str, str]]:
    """As the review page's form takes them. To send a photo back takes a comment, so that is done there."""
    classes = [(f"class:{each.label_class.key}", each.name) for each in active_classes(project)]
    return [*classes, *((str(each), str(each.label)) for each in (Outcome.HOLD, Outcome.UNUSABLE))]


def of_event(endpoint: Endpoint, told: Told) -> Message:
    """Any other that is told alone."""
    event = told.event
    where = event.project.name if event.project else "Hilltop"
    title = f"{where}: {title_of(event.kind)}"
    blocks = [section(f"*{link(_leads(endpoint, event), title)}*")]
    if told.body is not None:
        blocks += _more(event, told)
    return Message(title, blocks)


def _more(event: Event, told: Told) -> list[Any]:
    data: dict[str, Any] = (told.body or {})["data"]
    if event.kind == "certificate.suspended" and event.project:
        names = {each.label_class.key: each.name for each in active_classes(event.project)}
        cause = _("%(class)s: %(cause)s. People decide its photos from now on.") % {
            "class": names.get(data["class"], data["class"]),
            "cause": EndReason(data["reason"]).label,
        }
        return [section(escaped(cause))]
    if event.kind == "week.over" and event.project:
        return [section(escaped(report(event.project, data["week"]).says)), *_frontier(event.project)]
    return [] if _of_photo(event) else [section(escaped(line(told)))]


def _frontier(project: Project) -> list[Any]:
    """The frontier picture in letters, as it stands now, with what its signs mean."""
    now = picture(project)
    if not now.lines:
        return [section(escaped(now.empty))]
    drawn, states = [], set()
    for each in now.lines:
        states |= {band.state for band in each.bands}
        signs = "".join(_SIGN[band.state] for band in each.bands)
        drawn.append(
            " ".join([each.left.name, f"│{signs}│", each.right.name if each.right else _("boundary")])
        )
    shown = escaped("\n".join(drawn)).replace("`", "'")
    meant = (f"{_SIGN[state]} {state.said}" for state in _SIGN if state in states)
    return [section(f"```{shown[:2900]}```"), small(escaped(" · ".join(meant)))]


def of_several(endpoint: Endpoint, told: Sequence[Told]) -> Message:
    """A digest: counted by kind, and what does not concern single photos with what it says."""
    where = endpoint.project.name if endpoint.project else "Hilltop"
    n = len(told)
    title = ngettext("%(project)s: %(n)d event", "%(project)s: %(n)d events", n) % {"project": where, "n": n}
    home = reverse("project", args=[endpoint.project.slug]) if endpoint.project else reverse("home")
    blocks = [section(f"*{link(endpoint.site + home, title)}*")]
    shown = [
        Told(each.event, None if _of_photo(each.event) else each.body, each.endpoint_hears_all)
        for each in told
    ]
    for part in parts_of(shown):
        lines = [f"*{escaped(part.title)}* ({part.n})", *(f"• {escaped(each)}" for each in part.lines)]
        if part.lines and part.more:
            lines.append("• " + _("and %(n)d more") % {"n": part.more})
        blocks.append(section("\n".join(lines)))
    return Message(title, blocks)


def _of_photo(event: Event) -> bool:
    return event.subject.startswith("photo/")


def _leads(endpoint: Endpoint, event: Event) -> str:
    if event.project is None:
        return endpoint.site + reverse("home")
    what, _slash, which = event.subject.partition("/")
    slug = event.project.slug
    if what == "photo":
        return endpoint.site + reverse("photo-page", args=[slug, int(which)])
    if what == "week":
        return f"{endpoint.site}{reverse('week', args=[slug])}?of={which.rpartition('/')[2]}"
    return endpoint.site + reverse(_PAGES.get(what, "project"), args=[slug])
