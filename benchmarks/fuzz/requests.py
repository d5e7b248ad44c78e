"""Made-up requests from the published schema, turned towards things that exist: else one 404 would follow another."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Routes of the labeling loop: what they act on belongs to one labeler.
LOOP = frozenset({"claim", "answer", "undo", "skip", "release"})


@dataclass
class Aimed:
    """``real``: parameters of addresses by name; ``known``: values of body fields, each of something that exists."""

    schema: Mapping[str, Any]
    real: Mapping[str, Any]
    known: Mapping[str, Any]
    turns: Counter[str] = field(default_factory=Counter)

    @property
    def tried(self) -> int:
        return self.turns.total()

    def aim(self, case: Any, name: str) -> None:
        """Change the case in place. ``name``: the operation's id. What is done to it depends on no other operation."""
        self.turns[name] += 1
        turn = self.turns[name]
        case.path_parameters |= {each: self.real[each] for each in case.path_parameters if each in self.real}
        if not isinstance(case.body, dict):
            return
        # Made-up fields are refused, so every other request is without them.
        shape = self.shape_of(case.operation.definition.raw)
        if turn % 2 and "properties" in shape:
            for each in case.body.keys() - shape["properties"].keys():
                del case.body[each]
        case.body |= {each: self.known[each] for each in case.body if each in self.known}
        if name == "answer" and turn % 4 == 1:
            # By chance alone, few of the answers would hang together; so one in four says nothing that it need not.
            case.body = {each: said for each, said in case.body.items() if each in shape["required"]}
            case.body["kind"] = "class"
        if "class" in {case.body.get("kind"), case.body.get("outcome")}:
            case.body["class"] = self.known["class"]
            if turn % 2:
                case.body.pop("reason", None)  # a class takes none

    def shape_of(self, operation: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema of the JSON body; empty where it takes none."""
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        found: Mapping[str, Any] = self.schema["components"]["schemas"].get(name, {})
        return found


def says_why(status: int, content: bytes) -> bool:
    """Whether a refusal has the one shape that all have, with a code and a message."""
    if status < 400:
        return True
    try:
        error = json.loads(content)["error"]
        return bool(error["code"] and error["message"])
    except (ValueError, KeyError, TypeError):
        return False
