"""What the explorer does for pages and the API: one import for all its writes."""

from labeling.explorer.bulk.asking import go_on, look, stop, take_back
from labeling.explorer.bulk.ticked import do_with
from labeling.explorer.laying_out import request_space
from labeling.explorer.photo.mending import mend
from labeling.explorer.search.asking import ask_alike
from labeling.explorer.search.by_words import ask_words
from labeling.explorer.search.saving import change_view, forget_view, forget_views_of, save_view
from labeling.explorer.spaces import forget as forget_places

__all__ = [
    "ask_alike",
    "ask_words",
    "change_view",
    "do_with",
    "forget_places",
    "forget_view",
    "forget_views_of",
    "go_on",
    "look",
    "mend",
    "request_space",
    "save_view",
    "stop",
    "take_back",
]
