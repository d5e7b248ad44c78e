"""What the queue tells the rooms above it. Receivers call services, in the sender's transaction."""

from django.dispatch import Signal

#: kwargs: project. Another ranking was swapped in: all entries are new.
ranking_swapped = Signal()
#: kwargs: project, item_ids. Photos that came after the order in force have scores and places in it now.
arrivals_placed = Signal()
