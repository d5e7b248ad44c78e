"""What the explorer does for pages and the API: one import for all its writes."""

from labeling.explorer.mending import mend

__all__ = ["mend"]
