"""What the frontier tells the rooms above it. Receivers call services."""

from django.dispatch import Signal

#: kwargs: project. The audit found a certificate that no longer holds, and suspended it.
suspended = Signal()
