"""The page behind a link, for whoever has it; and the page on which reviewers make links."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from labeling.catalog.permissions import Action
from labeling.http.refused import refusals_beside
from labeling.http.safe_methods import only_looked_at
from labeling.http.who_may import pages
from labeling.inspections.capture import links, screen
from labeling.inspections.capture.forms import LinkForm
from labeling.inspections.capture.qr_code import qr_code
from labeling.inspections.capture.texts import texts
from labeling.inspections.models import CaptureLink, Protocol
from labeling.inspections.pages import open_to, protocol_context
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused

SHOWN = 100
PROLONGED = timedelta(days=1)
#: Offered, beside whatever else somebody calls it.
EVENTS = ("wash", "return", "hand-over", "maintenance")
#: For this page alone; all others may use none of it (labeling/gateway/permissions_policy.py).
_MAY_USE = "camera=(self), accelerometer=(self), gyroscope=(self), microphone=(), geolocation=()"


@only_looked_at
@never_cache
def capture(request: HttpRequest, token: str) -> HttpResponse:
    """Nobody signs in. Of a link that ended, the page says so, and keeps what waits on the phone."""
    status = 200
    try:
        settings = screen.settings_for(links.open_link(token), token)
    except Refused as refused:
        if refused.status != 410:
            raise
        settings, status = screen.settings_of_ended(links.id_of(token), token, refused.message), 410
    context = {"settings": settings, "texts": texts()}
    response = render(request, "inspections/capture/capture.html", context, status=status)
    response["Permissions-Policy"] = _MAY_USE
    return response


@open_to(get=Action.OVERRULE, post=Action.OVERRULE)
def capture_links(request: HttpRequest, protocol: Protocol) -> HttpResponse:
    """All links of a protocol, newest first, and the form for another one."""
    form = LinkForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            with refusals_beside(form):
                made = links.make_link(protocol=protocol, by=signed_in(request), **form.asked())
                messages.success(request, _("The link is made. Send it, or have its code read by a phone."))
                return redirect(f"{reverse('protocol-links', args=[protocol.slug])}?link={made.pk}")
        status = 422
    return _page(request, protocol, form, status)


@pages({"link_id": ("link", links.link_for)})(post=Action.OVERRULE)
def capture_link(request: HttpRequest, link: CaptureLink) -> HttpResponse:
    """Revoke a link, or let it go on."""
    if request.POST.get("action") == "revoke":
        links.revoke_link(link=link, by=signed_in(request))
        messages.success(request, _("The link is revoked: whoever opens it is told so. What was sent stays."))
    else:
        until = max(link.expires_at, timezone.now() + PROLONGED)
        links.prolong_link(link=link, by=signed_in(request), expires_at=until)
        messages.success(request, _("The link goes on. What waits on a phone for it is sent by itself."))
    return redirect("protocol-links", protocol=link.protocol.slug)


def _page(request: HttpRequest, protocol: Protocol, form: LinkForm, status: int) -> HttpResponse:
    made = list(links.links_of(protocol)[:SHOWN])
    chosen = next((each for each in made if str(each.pk) == request.GET.get("link")), None)
    address = _address(request, chosen) if chosen else ""
    now = timezone.now()
    context = protocol_context(
        request,
        protocol,
        "protocol-links",
        form=form,
        links=made,
        chosen=chosen,
        address=address,
        code=qr_code(address) if address else "",
        events=EVENTS,
        now=now,
        tomorrow=now + PROLONGED,
    )
    return render(request, "inspections/capture/links.html", context, status=status)


def _address(request: HttpRequest, link: CaptureLink) -> str:
    return request.build_absolute_uri(reverse("capture", args=[links.token_of(link)]))
