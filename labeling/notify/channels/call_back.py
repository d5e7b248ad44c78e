"""To whom asked for it: a webhook's POST, to the address of the call back, while its account may still ask there."""

from __future__ import annotations

from typing import Any

from labeling.catalog.permissions import Action, may
from labeling.inspections.models import Verdict
from labeling.inspections.permissions import may_in
from labeling.inspections.telling import Telling
from labeling.notify.channels import webhook
from labeling.notify.channels.channel import Answer, Send
from labeling.notify.models import CallBack, Endpoint, Event


def prepare(endpoint: Endpoint, event: Event, body: dict[str, Any]) -> Send:
    call = CallBack.objects.select_related("project", "inspection__protocol", "endpoint__created_by").get(
        event=event
    )
    if not _may_ask(call):
        return lambda: Answer(error="Its account may not ask this any more.")
    if call.inspection is not None and "bound" in body["data"] and not _tells_why(call, event):
        body = body | {"data": body["data"] | {"bound": None}}
    return webhook.post(call.url, endpoint, event, body)


def _may_ask(call: CallBack) -> bool:
    by = call.endpoint.created_by
    if call.inspection is not None:
        return may_in(by, call.inspection.protocol, Action.FIGURES)
    return call.project is not None and may(by, call.project, Action.DECIDE)


def _tells_why(call: CallBack, event: Event) -> bool:
    """As whoever looks at the verdict is told, or not."""
    assert call.inspection is not None
    verdict = Verdict.objects.filter(pk=event.row).first()
    return verdict is not None and Telling([call.inspection], call.endpoint.created_by).tells_why(verdict)
