"""How many made-up examples a test tries: few each time, many where somebody asks for them.

``HILLTOP_TEST_EXAMPLES=5 make test`` tries five times as many.
"""

from __future__ import annotations

import os


def thorough(usual: int) -> int:
    """``usual`` examples, or as many times more as were asked for."""
    return round(usual * float(os.environ.get("HILLTOP_TEST_EXAMPLES", 1)))
