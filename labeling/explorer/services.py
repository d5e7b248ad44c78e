"""What the explorer does for pages and the API: one import for all its writes."""

from labeling.explorer.bulk import do_with
from labeling.explorer.mending import mend
from labeling.explorer.saving import forget_view, save_view

__all__ = ["do_with", "forget_view", "mend", "save_view"]
