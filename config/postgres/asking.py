"""One question at a time, its answer shared by all who ask at the same moment, and nobody waits for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future


class Asking:
    """Asks ``question`` in a thread of its own; who asks while it is out gets the same answer.

    ``question`` returns what is wrong, or "" where all is well. It must end by itself, however late.
    """

    def __init__(self, question: Callable[[], str], *, keep_s: float) -> None:
        self._question = question
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._asked: Future[str] | None = None
        self._at = 0.0

    def ask(self, *, patience_s: float) -> str | None:
        """The answer, at most ``keep_s`` old; ``None`` where there is none within ``patience_s``."""
        with self._lock:
            old = (
                self._asked is not None and self._asked.done() and time.monotonic() - self._at > self._keep_s
            )
            if self._asked is None or old:
                self._asked = Future()
                threading.Thread(target=self._find_out, args=(self._asked,), daemon=True).start()
            asked = self._asked
        try:
            return asked.result(timeout=patience_s)
        except TimeoutError:
            return None

    def _find_out(self, asked: Future[str]) -> None:
        try:
            answer = self._question()
        except Exception as error:
            answer = str(error) or type(error).__name__
        self._at = time.monotonic()
        asked.set_result(answer)
