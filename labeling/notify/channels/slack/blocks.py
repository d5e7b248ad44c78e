"""Pieces of messages (Block Kit, https://docs.slack.dev/block-kit/): what people typed is text in them, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

#: Slack's limits, in characters and in elements of one row.
_SECTION, _TEXT, _BUTTON, MOST_BUTTONS = 3000, 2000, 75, 25


@dataclass(frozen=True, slots=True)
class Message:
    """``text`` is what a notification shows, and a screen reader reads."""

    text: str
    blocks: Sequence[Block]

    def said(self) -> dict[str, Any]:
        return {
            "text": cut(escaped(self.text), _TEXT),
            "blocks": [block.to_dict() for block in self.blocks],
            "unfurl_links": False,
            "unfurl_media": False,
        }


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def escaped(text: str) -> str:
    """So that it mentions nobody and links nowhere (https://docs.slack.dev/messaging/formatting-message-text/)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(url: str, text: str) -> str:
    return f"<{url}|{escaped(text)}>"


def section(markup: str) -> SectionBlock:
    """``markup``: Slack's, in which what people typed is :func:`escaped`."""
    return SectionBlock(text=MarkdownTextObject(text=cut(markup, _SECTION)))


def small(markup: str) -> ContextBlock:
    return ContextBlock(elements=[MarkdownTextObject(text=cut(markup, _TEXT))])


def button(text: str, value: str) -> ButtonElement:
    """What it asks for is its name too, for no two of a row may share one."""
    return ButtonElement(text=_plain(text), action_id=value, value=value)


def row(block_id: str, buttons: Iterable[ButtonElement]) -> ActionsBlock:
    return ActionsBlock(block_id=block_id, elements=list(buttons))


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=cut(text, _BUTTON), emoji=False)
