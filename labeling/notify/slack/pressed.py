"""What Slack says of a pressed button (https://docs.slack.dev/reference/interaction-payloads/block_actions-payload)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from labeling.refusals import Refused
from labeling.text.plain import plain

_ID = re.compile(r"[A-Z0-9]{1,32}")


@dataclass(frozen=True, slots=True)
class Pressed:
    """``team``, ``member``, ``channel``: Slack's ids; ``message``: of a :class:`SlackMessage`; ``value``: the button's."""

    team: str
    member: str
    name: str
    channel: str
    message: UUID
    value: str


def read(body: bytes) -> Pressed | None:
    """``None`` for what is no button of ours, as Slack also tells of others.

    Raises :class:`Refused` ``malformed`` (400).
    """
    try:
        said = json.loads(QueryDict(body, encoding="utf-8")["payload"])
        if said["type"] != "block_actions":
            return None
        user, action = said["user"], said["actions"][0]
        if "value" not in action or not _is_uuid(action["block_id"]):
            return None
        return Pressed(
            team=_id(user.get("team_id") or said["team"]["id"]),
            member=_id(user["id"]),
            name=plain(str(user.get("username") or user.get("name") or user["id"]))[:80],
            channel=_id(said["channel"]["id"]),
            message=UUID(action["block_id"]),
            value=str(action["value"])[:200],
        )
    # QueryDict: a key that is not there is a KeyError.
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise Refused("malformed", _("The request could not be read."), status=400) from error


def _id(given: Any) -> str:
    if not isinstance(given, str) or not _ID.fullmatch(given):
        raise ValueError(given)
    return given


def _is_uuid(given: Any) -> bool:
    return isinstance(given, str) and re.fullmatch(r"[0-9a-f-]{36}", given) is not None
