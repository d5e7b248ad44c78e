"""Every route of the URLconf against every role. A route without an entry here fails, so none is forgotten."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from config.database import ROOT
from labeling.catalog.permissions import ALLOWED, Action
from labeling.gateway.api.base import ApiView
from labeling.http.who_may import Who
from tests.gateway.addresses import ROUTES, address_of, who_may
from tests.gateway.conftest import World
from tests.notify.slack_here import SECRET, signed

ROLES = ("anonymous", "outsider", "viewer", "labeler", "reviewer", "admin", "superuser")
ANYONE, SIGNED_IN, SUPERUSER = Who.ANYONE, Who.SIGNED_IN, Who.SUPERUSER
VIEW, LABEL, REVIEW, ADMIN = Action.VIEW, Action.LABEL, Action.REVIEW, Action.ADMIN
FIGURES, OVERRULE, DECIDE, PREDICT = Action.FIGURES, Action.OVERRULE, Action.DECIDE, Action.PREDICT

#: route name -> method -> who may, of what does not say so itself: Django's, allauth's, photos, what nobody signs in for.
OTHERS: dict[str, dict[str, str]] = {
    "events": {"GET": VIEW},
    "healthz": {"GET": ANYONE},
    "metrics": {"GET": SUPERUSER},
    "api-schema": {"GET": ANYONE},
    "api-unmatched": {},
    "set_language": {"POST": ANYONE},
    "login": {"GET": ANYONE},
    "logout": {"POST": ANYONE},
    "password-change": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "forgot": {"GET": ANYONE, "POST": ANYONE},
    "forgot-sent": {"GET": ANYONE},
    "link": {"GET": ANYONE},
    "account_login": {"GET": ANYONE},
    "mfa_authenticate": {},  # only between the password and the code; tests/people/test_second_step.py
    "account_reauthenticate": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_reauthenticate": {"GET": SIGNED_IN},
    "mfa_activate_totp": {"GET": SIGNED_IN},
    "mfa_deactivate_totp": {"GET": SIGNED_IN},
    "mfa_view_recovery_codes": {"GET": SIGNED_IN},
    "mfa_generate_recovery_codes": {"GET": SIGNED_IN},
    "openid_connect_login": {"GET": ANYONE},
    "openid_connect_callback": {"GET": ANYONE},
    "photo": {"GET": VIEW},
    "photo-tile": {"GET": VIEW},
    "photo-of-old": {"GET": ANYONE},
    "unsubscribe": {"GET": ANYONE, "POST": ANYONE},  # who has its address
    "slack-actions": {},  # of no role: see SIGNED
    "slack-picture": {"GET": ANYONE},  # who has its address
    "capture": {"GET": ANYONE},
}
#: The same of pages and of the API, beside what each itself declares. A route that is not named here must be an admin's.
KNOWN: dict[str, dict[str, str]] = {
    "home": {"GET": SIGNED_IN},
    "tour-seen": {"POST": SIGNED_IN},
    "account": {"GET": SIGNED_IN},
    "sign-out-everywhere": {"POST": SIGNED_IN},
    "token-make": {"POST": SIGNED_IN},
    "token-revoke": {"POST": SIGNED_IN},
    "mfa_index": {"GET": SIGNED_IN},
    "person-two-step": {"POST": SUPERUSER},
    "people": {"GET": SUPERUSER},
    "audit-trail": {"GET": SUPERUSER},
    "person-invite": {"GET": SUPERUSER, "POST": SUPERUSER},
    "person": {"GET": SUPERUSER},
    "person-link": {"POST": SUPERUSER},
    "person-switch": {"POST": SUPERUSER},
    "person-sign-out": {"POST": SUPERUSER},
    "person-token-revoke": {"POST": SUPERUSER},
    "brightness": {"POST": SIGNED_IN},
    "own-keys": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "project-new": {"GET": SUPERUSER, "POST": SUPERUSER},
    "templates": {"GET": SUPERUSER, "POST": SUPERUSER},
    "template-file": {"GET": SUPERUSER},
    "template-remove": {"POST": SUPERUSER},
    "protocol-new": {"GET": SUPERUSER, "POST": SUPERUSER},
    "protocol-templates": {"GET": SUPERUSER, "POST": SUPERUSER},
    "protocol-template-file": {"GET": SUPERUSER},
    "protocol-template-remove": {"POST": SUPERUSER},
    "slack-link": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "slack-unlink": {"POST": SIGNED_IN},
    "guideline": {"GET": VIEW},
    "photos": {"GET": REVIEW, "POST": ADMIN},
    "photos-like": {"POST": REVIEW},
    "photos-words": {"POST": REVIEW},
    "photos-save": {"POST": REVIEW},
    "photos-ticked": {"POST": REVIEW},
    "photos-forget": {"POST": REVIEW},
    "photos-rename": {"POST": REVIEW},
    "photos-bulks": {"GET": REVIEW, "POST": REVIEW},
    "photos-bulk": {"GET": REVIEW},
    "photos-bulk-state": {"GET": REVIEW},
    "photos-bulk-go-on": {"POST": REVIEW},
    "photos-bulk-stop": {"POST": REVIEW},
    "photos-bulk-take-back": {"POST": REVIEW},
    "map": {"GET": REVIEW},
    "map-points": {"GET": REVIEW},
    "map-photo": {"GET": REVIEW},
    "photo-page": {"GET": REVIEW},
    "photo-similar": {"GET": REVIEW},
    "photo-mend": {"POST": REVIEW},
    "photo-original": {"GET": REVIEW},
    "inspection": {"GET": FIGURES},
    "inspection-overrule": {"POST": OVERRULE},
    "protocol-rules": {"GET": FIGURES},
    "person-erase": {"GET": SUPERUSER, "POST": SUPERUSER},
    "person-unerase": {"POST": SUPERUSER},
    "protocols": {"GET": SIGNED_IN},
    "protocol": {"GET": FIGURES},
    "protocol-figures": {"GET": FIGURES},
    "asset": {"GET": SIGNED_IN},
    "review": {"GET": REVIEW},
    "review-dispute": {"GET": REVIEW},
    "review-several": {"GET": REVIEW, "POST": REVIEW},
    "review-undo": {"POST": REVIEW},
    "review-ruling": {"POST": REVIEW},
    "review-amend": {"POST": REVIEW},
    "review-again": {"POST": REVIEW},
    "review-paused-back": {"POST": REVIEW},
    "label": {"GET": LABEL},
    "label-criteria": {"GET": LABEL},
    "sweep": {"GET": LABEL},
    "sheet": {"GET": LABEL},
    "sheets": {"GET": SIGNED_IN},
    "sheet-new": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mine": {"GET": LABEL},
    "project": {"GET": VIEW},
    "monitors": {"GET": OVERRULE},
    "frontier": {"GET": OVERRULE},
    "dashboard": {"GET": FIGURES},
    "week": {"GET": FIGURES},
    "frontier-certify": {"POST": DECIDE},
    "frontier-draw": {"POST": DECIDE},
    "frontier-bands": {"GET": OVERRULE},
    "frontier-decisions": {"GET": OVERRULE},
    "frontier-policy": {"GET": OVERRULE, "POST": DECIDE},
    "frontier-suspend": {"POST": DECIDE},
    "frontier-decision": {"GET": OVERRULE},
    "frontier-overrule": {"POST": OVERRULE},
    "frontier-why": {"POST": OVERRULE},
    "frontier-heat": {"GET": OVERRULE},
    "protocol-links": {"GET": OVERRULE, "POST": OVERRULE},
    "capture-link": {"POST": OVERRULE},
    "api-login": {"POST": ANYONE},
    "api-logout": {"POST": SIGNED_IN},
    "api-me": {"GET": SIGNED_IN},
    "api-tokens": {"GET": SIGNED_IN},
    "api-token": {"DELETE": SIGNED_IN},
    "api-audit-trail": {"GET": SUPERUSER},
    "api-site-endpoints": {"GET": SUPERUSER, "POST": SUPERUSER},
    "api-audit-trail-export": {"GET": SUPERUSER},
    "api-projects": {"GET": SIGNED_IN, "POST": SUPERUSER},
    "api-project": {"GET": VIEW, "PATCH": ADMIN},
    "api-templates": {"GET": SUPERUSER, "POST": SUPERUSER},
    "api-template": {"GET": SUPERUSER, "DELETE": SUPERUSER},
    "api-project-template": {"GET": ADMIN, "POST": ADMIN},
    "api-protocol-templates": {"GET": SUPERUSER, "POST": SUPERUSER},
    "api-protocol-template": {"GET": SUPERUSER, "POST": SUPERUSER, "DELETE": SUPERUSER},
    "api-protocol-as-template": {"GET": ADMIN, "POST": ADMIN},
    "api-guideline": {"GET": VIEW},
    "api-guidelines": {"GET": VIEW, "POST": REVIEW},
    "api-guideline-price": {"GET": REVIEW},
    "api-guideline-proposals": {"GET": REVIEW, "POST": REVIEW},
    "api-guideline-changes": {"GET": VIEW},
    "api-members": {"GET": ADMIN},
    "api-member": {"PUT": ADMIN, "DELETE": ADMIN},
    "api-items": {"GET": REVIEW},
    "api-bulks": {"GET": REVIEW, "POST": REVIEW},
    "api-bulk": {"GET": REVIEW},
    "api-bulk-photos": {"GET": REVIEW},
    "api-bulk-go-on": {"POST": REVIEW},
    "api-bulk-stop": {"POST": REVIEW},
    "api-bulk-take-back": {"POST": REVIEW},
    "api-views": {"GET": REVIEW, "POST": REVIEW},
    "api-view": {"GET": REVIEW, "PATCH": REVIEW, "DELETE": REVIEW},
    "api-like": {"POST": REVIEW},
    "api-words": {"POST": REVIEW},
    "api-item": {"GET": REVIEW},
    "api-item-ruling": {"POST": REVIEW},
    "api-item-metadata": {"PATCH": ADMIN},
    "api-photo": {"GET": VIEW},
    "api-request-review": {"POST": ADMIN},
    "api-intakes": {"POST": ADMIN},
    "api-intake": {"GET": ADMIN},
    "api-intake-files": {"GET": ADMIN},
    "api-sources": {"GET": ADMIN, "POST": ADMIN},
    "api-source": {"PATCH": ADMIN, "DELETE": ADMIN},
    "api-source-look": {"POST": ADMIN},
    "api-claims": {"POST": LABEL},
    "api-skip": {"POST": LABEL},
    "api-earlier": {"POST": LABEL},
    "api-unskip": {"POST": LABEL},
    "api-release": {"POST": LABEL},
    "api-annotations": {"GET": ADMIN, "POST": LABEL},
    "api-undo": {"POST": LABEL},
    "api-sweeps": {"POST": LABEL},
    "api-sweep-hand-in": {"POST": LABEL},
    "api-sweep-undo": {"POST": LABEL},
    "api-sweep-release": {"POST": LABEL},
    "api-sheets": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "api-sheet": {"GET": LABEL, "PATCH": ADMIN, "DELETE": ADMIN},
    "api-sheet-claims": {"POST": LABEL},
    "api-disputes": {"GET": REVIEW},
    "api-dispute": {"GET": REVIEW},
    "api-dispute-earlier": {"POST": REVIEW},
    "api-paused-back": {"POST": REVIEW},
    "api-ruling": {"POST": REVIEW},
    "api-ground-truths": {"GET": REVIEW},
    "api-export": {"GET": ADMIN},
    "api-feed": {"GET": ANYONE},
    "api-golds": {"GET": ADMIN, "POST": ADMIN},
    "api-gold": {"DELETE": ADMIN},
    "api-train": {"POST": ADMIN},
    "api-models": {"GET": REVIEW},
    "api-model": {"GET": REVIEW},
    "api-promote": {"POST": ADMIN},
    "api-model-review": {"POST": ADMIN},
    "api-derive": {"POST": ADMIN},
    "api-scores": {"GET": ADMIN},
    "api-embeddings": {"GET": ADMIN},
    "api-versions": {"POST": ADMIN},
    "api-jobs": {"GET": ADMIN},
    "api-job": {"GET": ADMIN},
    "api-cancel": {"POST": ADMIN},
    "api-bundle": {"GET": ADMIN, "POST": ADMIN},
    "api-lab": {"GET": ADMIN, "POST": ADMIN},
    "api-rank": {"POST": ADMIN},
    "api-open-band": {"POST": ADMIN},
    "api-reopen-band": {"POST": ADMIN},
    "api-bands": {"GET": OVERRULE},
    "api-draw": {"POST": DECIDE},
    "api-progress": {"GET": VIEW},
    "api-frontier": {"GET": OVERRULE, "PATCH": DECIDE},
    "api-dashboard": {"GET": FIGURES},
    "api-dashboard-panel": {"GET": FIGURES},
    "api-certify": {"POST": DECIDE},
    "api-decide": {"POST": DECIDE},
    "api-predict": {"POST": PREDICT},
    "api-decisions": {"GET": OVERRULE},
    "api-overrule": {"POST": OVERRULE},
    "api-explanation": {"GET": OVERRULE, "POST": OVERRULE},
    "api-heat": {"GET": OVERRULE},
    "api-monitors": {"GET": OVERRULE, "PATCH": ADMIN},
    "api-monitors-look": {"POST": ADMIN},
    "api-monitors-acknowledge": {"POST": ADMIN},
    "api-protocols": {"GET": SIGNED_IN, "POST": SUPERUSER},
    "api-protocol": {"GET": FIGURES, "PATCH": ADMIN},
    "api-protocol-figures": {"GET": FIGURES},
    "api-inspections": {"GET": FIGURES, "POST": OVERRULE},
    "api-inspection": {"GET": FIGURES},
    "api-inspection-photos": {"POST": OVERRULE},
    "api-verdicts": {"GET": FIGURES, "POST": OVERRULE},
    "api-protocol-trial": {"POST": ADMIN},
    "api-erase-asset": {"POST": SUPERUSER},
    "api-capture": {"GET": ANYONE},
    "api-capture-photos": {"POST": ANYONE},
    "api-capture-submit": {"POST": ANYONE},
    "api-capture-links": {"GET": OVERRULE, "POST": OVERRULE},
    "api-capture-link": {"DELETE": OVERRULE},
    "api-labelers": {"GET": ADMIN},
    "api-resume": {"POST": ADMIN},
}
#: Posts that no session and no form's token lets in, but what stands in the request: a signature.
SIGNED = {"slack-actions"}
#: Posts to addresses that are a permission, or that let whoever sends one do nothing but for themselves.
BY_ADDRESS = {"unsubscribe"}
#: All that declare it.
DECLARED: dict[str, dict[str, str]] = {
    name: {method: KNOWN.get(name, {}).get(method, ADMIN) for method in declared}
    for name, route in ROUTES.items()
    if (declared := who_may(route))
}
#: What is shown of an asset is by the protocols by which it was inspected.
MAY = OTHERS | DECLARED | {"asset": {"GET": FIGURES}}
CASES = [(name, method) for name, methods in MAY.items() for method in methods]


def test_every_route_says_who_may_use_it() -> None:
    assert set(ROUTES) == set(MAY)


def test_every_method_says_who_may_use_it() -> None:
    for name, methods in DECLARED.items():
        assert who_may(ROUTES[name]) == methods, name


def test_what_is_known_is_there() -> None:
    assert set(KNOWN) <= set(DECLARED)
    assert all(set(methods) <= set(DECLARED[name]) for name, methods in KNOWN.items())
    assert not set(OTHERS) & set(DECLARED)


def test_every_view_of_the_api_has_anaddress_of() -> None:
    placed = {getattr(route.callback, "cls", None) for route in ROUTES.values()}
    assert [view for view in ApiView.__subclasses__() if view not in placed] == []


def _allowed(role: str, needed: str) -> bool:
    if needed == ANYONE:
        return True
    if role == "anonymous":
        return False
    if needed == SIGNED_IN or role == "superuser":
        return True
    if needed == SUPERUSER or role == "outsider":
        return False
    return needed in ALLOWED[role]


@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_route_answers_only_those_who_may_use_it(world: World, name: str, method: str) -> None:
    needed = MAY[name][method]
    address = address_of(world, name)
    for role in ROLES:
        with transaction.atomic():
            client = world.client(role)
            status = _send(client, method, address)
            transaction.set_rollback(True)
        told = f"{method} {address} as {role}: {status}"
        if _allowed(role, needed):
            # Their own photo or lease may not exist for them; what they sent may be no good. But they may ask.
            fine = status < 500 and status not in {401, 403}
            own = name in {"api-undo", "api-skip", "api-unskip", "api-release"} and role != "labeler"
            own |= name in {"api-sweep-hand-in", "api-sweep-undo"}  # nobody holds a grid in this world
            own |= name in {"token-revoke", "person-token-revoke", "api-token"}  # nobody has a token
            own |= name in {"forgot", "forgot-sent"}  # no mail is set up
            own |= name.startswith(
                ("mfa_", "openid_connect_")
            )  # nobody has a second step; no provider is set up
            own |= name == "map-points"  # the photos of this world have no embeddings
            own |= name == "api-erasure-lift"  # no photo of this world is gone
            own |= name == "slack-picture"  # the photo in dispute has no file
            own |= "model-import-" in name  # nor did it look at a model that was sent
            own |= name == "lab-earlier"  # the job of this world is no run of the lab
            assert fine and (status != 404 or own), told
        elif role == "anonymous":
            # A photo is no page: whoever may not see it learns nothing, not even that it exists.
            assert status == (404 if name in {"photo", "photo-tile"} else 302 if _is_page(name) else 401), (
                told
            )
        elif role == "outsider" and needed not in {SUPERUSER}:
            assert status == 404, told
        else:
            assert status in {401, 403}, told


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_only_a_signature_opens_what_no_role_does(world: World, settings: Settings, name: str) -> None:
    settings.SLACK_SIGNING_SECRET = SECRET
    address, body = address_of(world, name), b"payload=%7B%22type%22%3A%22shortcut%22%7D"
    for role in ROLES:
        for headers, status in (({}, 401), (signed(body), 200)):
            with transaction.atomic():
                sent = world.client(role).post(
                    address, body, content_type="application/x-www-form-urlencoded", headers=headers
                )
                transaction.set_rollback(True)
            assert sent.status_code == status, f"POST {address} as {role}: {sent.status_code}"


def test_every_page_that_takes_forms_from_elsewhere_is_known() -> None:
    exempt = {name for name, route in ROUTES.items() if getattr(route.callback, "csrf_exempt", False)}
    read_only = {name for name, methods in MAY.items() if set(methods) == {"GET"}}
    assert {name for name in exempt - read_only if _is_page(name)} == SIGNED | BY_ADDRESS


def _is_page(name: str) -> bool:
    return not name.startswith("api-") and name not in {"events", "metrics"}


def _send(client: Any, method: str, address: str) -> int:
    api = address.startswith("/api/")
    body = {"data": {}, "content_type": "application/json"} if api and method != "GET" else {}
    response = getattr(client, method.lower())(address, **body)
    if response.status_code in {302, 303}:  # to the log-in page, or on to the next page after a form
        return 302 if "/login" in response["Location"] else 200
    return int(response.status_code)


def test_a_page_asks_whether_it_is_posted_to_and_not_whether_it_is_got() -> None:
    """HEAD is allowed wherever GET is, and needs no token: what takes it for a POST changes something."""
    rooms = ROOT / "labeling"
    views = [*rooms.rglob("*views.py"), *rooms.rglob("views/*.py")]
    assert len(views) > 20
    assert [path for path in views if re.search(r"method (==|!=) \"GET\"", path.read_text())] == []
