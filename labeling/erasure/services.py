"""What the erasure room does for pages and the API: one import for all its writes."""

from labeling.erasure.asking import ask, lift, undo
from labeling.erasure.assets import ask_for_asset
from labeling.erasure.people import ask_for_person, undo_person

__all__ = ["ask", "ask_for_asset", "ask_for_person", "lift", "undo", "undo_person"]
