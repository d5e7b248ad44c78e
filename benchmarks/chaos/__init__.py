"""Fifty people at work on a real Hilltop while it is killed, frozen, filled and cut off; and a checker apart from it."""
