"""What the frontier tells the rooms above it. Receivers call services."""

from django.dispatch import Signal

#: kwargs: project. The audit found a certificate that no longer holds, and suspended it.
suspended = Signal()
#: kwargs: project, item_ids. The machine decided these photos.
decided = Signal()
#: kwargs: project, item_ids. What the machine had decided of these photos stands no more: overruled, or its certificate is
#: suspended.
taken_back = Signal()
#: kwargs: project, item_ids. Photos that came in, and that the machine has looked at and not decided.
left_to_people = Signal()
