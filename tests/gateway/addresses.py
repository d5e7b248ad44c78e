"""Every route of the URLconf, and an address for each in the small project of ``tests.gateway.conftest``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from labeling.catalog.models import Item
from labeling.catalog.renditions import VERSION
from labeling.exchange.feeds.links import token_of as token_of_feed
from labeling.gateway.api.base import ApiView
from labeling.inspections.capture.links import token_of
from labeling.notify.pictures import picture_of
from labeling.notify.slack.linking import address_of as address_of_linking
from labeling.notify.slack.pressed import Pressed
from labeling.notify.unsubscribing import address_of as address_of_unsubscribing
from tests.gateway.conftest import World

#: Where a plain 200 (or the like) is no proof, because the thing to act on must exist and fit.
SPECIAL: dict[str, dict[str, Any]] = {
    "api-promote": {"number": 1},
    "model-promote": {"number": 1},
    "api-guideline-changes": {"number": 1},
    "label-criteria": {"key": "functional"},
    "template-file": {"key": "damage"},
    "template-remove": {"key": "damage"},
    "api-template": {"key": "damage"},
    "protocol-template-file": {"key": "car-return"},
    "protocol-template-remove": {"key": "car-return"},
    "api-protocol-template": {"key": "car-return"},
    "api-guideline-object": {"number": 1},
}


def _routes(patterns: list[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns)
        else:
            yield pattern


def handlers_of(route: URLPattern) -> dict[str, Any]:
    """Method -> handler of a view of the API; empty for any other."""
    view = getattr(route.callback, "cls", None)
    if view is None or not issubclass(view, ApiView):
        return {}
    offered = (name for name in view.http_method_names if name != "options" and hasattr(view, name))
    return {name.upper(): getattr(view, name) for name in offered}


def who_may(route: URLPattern) -> dict[str, str]:
    """Method -> who may, as a page or the API's handlers declare it; empty for any other."""
    page = getattr(route.callback, "may", {})
    return {method: who for method, who in page.items() if method != "HEAD"} or {
        method: handler.may for method, handler in handlers_of(route).items()
    }


ROUTES = {str(route.name): route for route in _routes(get_resolver().url_patterns)}


def _photo(world: World, name: str) -> Item:
    """One that is gold, or settled, where the route is about such; else the one that has a file."""
    if name == "api-gold":
        return world.gold.item
    return (
        world.settled if name in {"photo-page", "photo-mend", "api-item", "api-item-ruling"} else world.photo
    )


def _token(world: World, name: str) -> str:
    if name == "api-feed":
        return token_of_feed(world.feed)
    if name == "unsubscribe":
        return address_of_unsubscribing(world.delivery.endpoint).rpartition("/")[2]
    if name == "slack-picture":
        return picture_of(world.slack_message).rpartition("/")[2].removesuffix(".jpg")
    if name == "slack-link":
        anna = Pressed("T0", "U0ANNA", "anna", "C0LINE", world.slack_message.pk, "hold")
        return address_of_linking(anna, world.slack_message.endpoint).rpartition("/")[2]
    return token_of(world.link) if "capture" in name else "none"


def address_of(world: World, name: str) -> str:
    """Of a route, with the parameters of what is in ``world``."""
    known = {
        "slug": world.project.slug,
        "username": world.second.username,
        "sha256": _photo(world, name).image.sha256,
        "variant": "thumb",
        "version": VERSION,
        "x": 0,
        "y": 0,
        "item_id": _photo(world, name).pk,
        "view_id": world.view.pk,
        "bulk_id": world.bulk.pk,
        "batch_id": world.batch.pk,
        "source_id": world.source.pk,
        "lease": world.lease,
        "sweep_id": world.lease,
        "sheet": world.sheet.slug,
        "key": world.answered,
        "class_key": "functional",
        "dispute_id": world.dispute.pk,
        "gold_id": world.gold.pk,
        "what": "annotations",
        "ending": "csv",
        "number": 2,
        "certificate_id": world.decision.certificate_id,
        "decision_id": world.decision.pk,
        "alert_id": world.alert.pk,
        "proposal_id": world.proposal.pk,
        "data_set_id": world.data_set.pk,
        "feed_id": world.feed.pk,
        "erasure_id": world.erasure.pk,
        "import_id": world.imported.pk,
        "vocabulary_id": world.vocabulary.pk,
        "job_id": world.job.pk,
        "protocol": world.protocol.slug,
        "inspection_id": world.inspection.pk,
        "link_id": world.link.pk,
        "endpoint_id": world.delivery.endpoint_id,
        "delivery_id": world.delivery.pk,
        "kind": world.inspection.asset.kind,
        "identifier": world.inspection.asset.identifier,
        "truth": "functional",
        "said": "defective",
        "panel": "decided",
        "pk": world.second.pk,
        "begins": "0" * 15,
        "uidb64": "MQ",
        "token": _token(world, name),
        "provider_id": settings.SSO_ID,
    } | SPECIAL.get(name, {})
    converters = ROUTES[name].pattern.converters
    regex = getattr(ROUTES[name].pattern.regex, "groupindex", {})
    return reverse(name, kwargs={key: known[key] for key in {*converters, *regex}})
