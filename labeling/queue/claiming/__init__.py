"""Find the next photo for a labeler: every step is an index look-up, whatever the size of the pool.

In this order: a wanted answer whose lease ran out; else, by lot, a gold question; else a photo that was asked for
before all others; else one that somebody else has begun (so that pairs of blind answers complete); else, by lot, an
audit draw; else a fresh one from the current band, then outward from it. Rows that another claim holds are skipped
(``SKIP LOCKED``), never waited for. The functions here run inside the caller's transaction and return the new slot, or
``None``.
"""
