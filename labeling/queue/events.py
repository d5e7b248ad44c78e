"""What the queue tells the rooms above it. Receivers call services, in the sender's transaction."""

from django.dispatch import Signal

#: kwargs: project. Another ranking took over: all entries are new.
ranking_swapped = Signal()
