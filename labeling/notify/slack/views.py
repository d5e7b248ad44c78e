"""The way back from Slack: pressed buttons, the picture that its servers ask for, and the page that says who somebody is."""

from __future__ import annotations

from math import ceil
from threading import Thread

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from labeling.catalog.pages import open_to
from labeling.http.safe_methods import only_looked_at
from labeling.http.who_may import Who
from labeling.notify import pictures
from labeling.notify.channels.channel import Send
from labeling.notify.channels.slack.api import call
from labeling.notify.channels.slack.blocks import escaped
from labeling.notify.channels.slack.sending import changed
from labeling.notify.slack import linking
from labeling.notify.slack.pressed import Pressed, read
from labeling.notify.slack.ruling import press
from labeling.notify.slack.signatures import is_slacks
from labeling.people import rate_limits
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused

#: What Slack sends of a pressed button holds the message, and is some 10 kB.
FORM, MOST_BYTES = "application/x-www-form-urlencoded", 100_000
#: Of one picture in an hour: Slack keeps what it has read.
MOST_READ = 60


@csrf_exempt  # Slack signs it
@require_POST
@never_cache
def actions(request: HttpRequest) -> HttpResponse:
    """Slack waits three seconds for an answer, and shows none of it: what is said goes by its API, aside."""
    if not settings.SLACK_SIGNING_SECRET:
        raise Refused("no_slack", _("No Slack is set up here."), status=404)
    if request.content_type != FORM:  # of other forms Django leaves no body to be signed
        raise Refused("unknown_type", _("Slack sends forms: %(type)s.") % {"type": FORM}, status=415)
    if len(request.body) > MOST_BYTES:
        raise Refused("too_large", _("That is more than may be sent"), status=413)
    if not is_slacks(request):
        raise Refused("unsigned", _("This was not signed by Slack, or too long ago."), status=401)
    pressed = read(request.body)
    if pressed is not None:
        said, message = press(pressed)
        # Where it stands may not be written down yet; then its event alone changes it.
        change = changed(message) if message is not None and message.ts else None
        Thread(target=_tell, args=[pressed, said, change], name="slack").start()
    return HttpResponse()


def _tell(pressed: Pressed, said: str, change: Send | None) -> None:
    """To that member alone (https://docs.slack.dev/reference/methods/chat.postEphemeral). Who misses it presses again."""
    call(
        "chat.postEphemeral",
        {"channel": pressed.channel, "user": pressed.member, "text": escaped(said), "unfurl_links": False},
    )
    if change is not None:  # its event will, too; so nobody waits for a worker
        change()


@only_looked_at
def picture(request: HttpRequest, token: str) -> HttpResponse:
    pk = pictures.id_of(token)
    so_many, left = rate_limits.count(rate_limits.key_of("slack-picture", str(pk)), seconds=3600)
    if so_many > MOST_READ:
        raise Refused(
            "throttled",
            _("Too many requests from your network. Try again in an hour."),
            status=429,
            retry_after=ceil(left),
        )
    response = HttpResponse(pictures.jpeg_of(pk), content_type="image/jpeg")
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@open_to(get=Who.SIGNED_IN, post=Who.SIGNED_IN)
@never_cache
def link(request: HttpRequest, token: str) -> HttpResponse:
    """To look at it changes nothing."""
    if request.method == "POST":
        member = linking.confirm(token=token, person=signed_in(request))
        messages.success(
            request,
            _("In Slack @%(name)s now acts as you. Press the button there again.") % {"name": member.name},
        )
        return redirect("account")
    shown = {"member": linking.member_of(token), "me": signed_in(request)}
    return render(request, "notify/slack_link.html", shown)
