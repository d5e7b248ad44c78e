"""What the explorer does for pages and the API: one import for all its writes."""

from labeling.explorer.bulk.asking import go_on, look, stop, take_back
from labeling.explorer.bulk.ticked import do_with
from labeling.explorer.mending import mend
from labeling.explorer.saving import forget_view, rename_view, save_view

__all__ = ["do_with", "forget_view", "go_on", "look", "mend", "rename_view", "save_view", "stop", "take_back"]
