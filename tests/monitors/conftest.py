"""The monitors' jobs, and those that they wait for, are loaded as in a worker."""

from __future__ import annotations

import labeling.frontier.tasks
import labeling.monitors.tasks  # noqa: F401  (registers the handlers)
