"""What a request that only looks was told, it need not ask again.

A page is made of the parts of many rooms, and each of them asks for the same guideline, champion and order. A reader that is
marked with :func:`read_once` asks the database once while a GET or HEAD is answered, and each time everywhere else: whoever
writes must see what was just written. So the figures of one page also belong together.

Readers are marked whose answer only depends on their arguments and on rows that no GET changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_only_middleware

P = ParamSpec("P")
R = TypeVar("R")


class _Told:
    """``over``: the answer is made; a stream that goes on from it has inherited this, and must ask again."""

    def __init__(self) -> None:
        self.answers: dict[Any, Any] = {}
        self.over = False


_told: ContextVar[_Told | None] = ContextVar("told", default=None)


@contextmanager
def only_looking() -> Iterator[None]:
    """Nothing is written in the block: also where a POST has done its part, and answers with a page."""
    if (known := _told.get()) is not None and not known.over:
        yield
        return
    told = _Told()
    before = _told.set(told)
    try:
        yield
    finally:
        told.over = True
        _told.reset(before)


def is_looking() -> bool:
    """Whether nothing is written, so that one look may fetch what other parts of the page ask for."""
    told = _told.get()
    return told is not None and not told.over


def read_once(reader: Callable[P, R]) -> Callable[P, R]:
    """Mark a reader of what can be hashed (rows are told apart by their keys). Nobody may change what it returned."""

    @wraps(reader)
    def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        told = _told.get()
        if told is None or told.over:
            return reader(*args, **kwargs)
        key = (reader, args, tuple(sorted(kwargs.items())))
        if key not in told.answers:
            told.answers[key] = reader(*args, **kwargs)
        answer: R = told.answers[key]
        return answer

    return ask


@sync_only_middleware
def read_once_while_looking(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method not in {"GET", "HEAD"}:
            return get_response(request)
        with only_looking():
            return get_response(request)

    return middleware
