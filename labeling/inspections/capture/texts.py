"""All that the capture page says, in the language of the phone. ``{n}`` and the like are filled in there."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


def texts() -> dict[str, Any]:
    return {
        "startText": _(
            "{n} photos, about a minute. Walk round once: each time bring it inside the line, hold still, and press the "
            "button. No account is needed."
        ),
        "goOnTitle": _("Go on where you stopped"),
        "goOnText": _("What you have photographed is kept. The next photo comes as soon as the camera runs."),
        "count": _("{n} of {of}"),
        "take": _("Photograph “{shot}”"),
        "good": _("“{shot}” is good."),
        "again": _("Once more: {shot}"),
        "states": {
            "open": _("photo {n}, still to take"),
            "waiting": _("photo {n}, on its way"),
            "accepted": _("photo {n}, taken"),
            "refused": _("photo {n}, to be taken again"),
            "skipped": _("photo {n}, left out"),
        },
        "complete": _("All photos are there"),
        "completeText": _("Hand them in. Tap a photo below to take it again first."),
        "missing": _("Still missing: {n}"),
        "missingText": _("You can hand in without them, but then people must look at this inspection first."),
        "sentTitle": _("Thank you: everything has arrived"),
        "sentText": _("You can close this page."),
        "sentLooking": _(
            "Keep the page open for a moment: should a photo show something else than it was meant to, it says so here."
        ),
        "keptTitle": _("Almost done"),
        "keptAway": _(
            "Your photos are kept on this phone. They are sent as soon as the network is back: keep this page, or open it "
            "again then."
        ),
        "keptSending": _("Your photos are being sent. Keep this page open until they have arrived."),
        "allSent": _("All sent"),
        "sending": _("Sending: {n}"),
        "offline": _("No network. Go on: photos are kept"),
        "offlineWaiting": _("No network. Kept here: {n}"),
        "backOnline": _("The network is back."),
        "memoryOnly": _("This browser cannot store photos. Keep the page open"),
        "cameraTitles": {
            "denied": _("The camera is not allowed"),
            "busy": _("The camera is in use"),
            "none": _("The camera cannot be used here"),
        },
        "cameras": {
            "denied": _(
                "Allow the camera for this page in the browser's settings, then try again. Or take each photo with the "
                "phone's own camera: press “Take the photo”."
            ),
            "busy": _(
                "Close the app that uses the camera, then try again. Or take each photo with the phone's own camera: press "
                "“Take the photo”."
            ),
            "none": _("Take each photo with the phone's own camera: press “Take the photo”."),
        },
        "endedText": _("Photos that had arrived are kept there."),
        "endedWaiting": _(
            "Photos that are still on this phone: {n}. They are sent by themselves if the link is prolonged; open this page "
            "again then."
        ),
    }
