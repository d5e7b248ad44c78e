"""What the explorer does for pages and the API: one import for all its writes."""

from labeling.explorer.asking import ask_alike
from labeling.explorer.bulk import do_with
from labeling.explorer.laying_out import request_space
from labeling.explorer.mending import mend
from labeling.explorer.saving import forget_view, save_view
from labeling.explorer.spaces import forget as forget_places

__all__ = ["ask_alike", "do_with", "forget_places", "forget_view", "mend", "request_space", "save_view"]
