"""What an operator should know of the rules by which roles follow groups, before anybody signs on."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from labeling.catalog.models import Role
from labeling.catalog.signing_on import SUPERUSER


@register()
def rules_for_groups_can_be_followed(**_named: Any) -> list[CheckMessage]:
    rules = settings.SSO_ROLES
    fine = isinstance(rules, dict) and all(
        rule == SUPERUSER or (isinstance(rule, dict) and all(role in Role.values for role in rule.values()))
        for rule in rules.values()
    )
    if fine:
        return []
    return [
        Error(
            "HILLTOP_SSO_ROLES cannot be followed.",
            hint='It is JSON, a rule a group: {"line leads": {"cells": "reviewer"}, "it": "superuser"}. Roles: '
            + ", ".join(Role.values),
            id="catalog.E001",
        )
    ]
