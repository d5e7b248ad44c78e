"""The project and what is set of it: also its protocols, question sheets and webhooks."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from labeling.overview import changes
from labeling.overview.diary.kind import Data, Kind

#: How an endpoint is told. Lines of before there were several say none.
_CHANNELS = {"webhook": _("Webhook"), "mail": _("Mail"), "slack": _("Slack")}


def _settings(data: Data) -> str:
    said = {"who": data["who"], "changes": changes.of_settings(data["changes"])}
    return _("%(who)s changed the settings: %(changes)s.") % said


def _webhook_off(data: Data) -> str:
    if data["why"] == "admin":
        return _("%(who)s switched the webhook “%(name)s” off.") % data
    channel = _CHANNELS.get(data.get("channel", ""), _CHANNELS["webhook"])
    said = _("“%(name)s” (%(channel)s) is switched off: nobody takes its events. Look at its log.")
    return said % (data | {"channel": channel})


def _left(data: Data) -> str:
    said = _("Whoever reads the mails of “%(name)s” wants no more of: %(kinds)s.")
    return said % (data | {"kinds": ", ".join(data["kinds"])})


KINDS = {
    "project_created": Kind("mountain", "", _("%(who)s created the project.")),
    "project_archived": Kind("dot", "", _("%(who)s archived the project.")),
    "project_restored": Kind("dot", "", _("%(who)s brought the project back from the archive.")),
    "settings_changed": Kind("settings", "project-settings", _settings),
    "backbone_adapted": Kind(
        "wand-sparkles",
        "adaptation",
        ngettext_lazy(
            "The backbone was adapted to %(photos)s photo.",
            "The backbone was adapted to %(photos)s photos.",
            "photos",
        ),
    ),
    "protocol_published": Kind(
        "clipboard-check",
        "",
        _("%(who)s published version %(number)s of the protocol %(protocol)s, which asks this project."),
    ),
    "protocol_archived": Kind("archive", "", _("%(who)s archived the protocol %(protocol)s.")),
    "protocol_restored": Kind(
        "archive-restore", "", _("%(who)s brought the protocol %(protocol)s back from the archive.")
    ),
    "capture_link_prolonged": Kind(
        "link", "", _("%(who)s let a capture link of the protocol %(protocol)s go on.")
    ),
    "capture_link_revoked": Kind(
        "unlink", "", _("%(who)s revoked a capture link of the protocol %(protocol)s.")
    ),
    "sheet_made": Kind("list-checks", "", _("%(who)s put the question on the question sheet “%(sheet)s”.")),
    "sheet_changed": Kind("list-checks", "", _("%(who)s changed the question sheet “%(sheet)s”.")),
    "sheet_removed": Kind("list-checks", "", _("%(who)s put the question sheet “%(sheet)s” away.")),
    "endpoint_made": Kind("webhook", "webhooks", _("%(who)s made the webhook “%(name)s”.")),
    "endpoint_changed": Kind("webhook", "webhooks", _("%(who)s changed the webhook “%(name)s”.")),
    "endpoint_secret": Kind(
        "key-round", "webhooks", _("%(who)s renewed the secret of the webhook “%(name)s”.")
    ),
    "endpoint_removed": Kind("webhook", "webhooks", _("%(who)s removed the webhook “%(name)s”.")),
    "endpoint_on": Kind("webhook", "webhooks", _("%(who)s switched the webhook “%(name)s” on.")),
    "endpoint_off": Kind("circle-pause", "webhooks", _webhook_off),
    "endpoint_left": Kind("circle-pause", "webhooks", _left),
}
