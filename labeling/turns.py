"""Two requests for one name at the same moment take turns, so that what the first one made is seen by the second."""

from __future__ import annotations

from django.db import connection


def take_turn(room: str, name: str) -> None:
    """Wait until no other transaction holds ``name`` in ``room``, and hold it until this one ends.

    Call it before a service looks whether a name is free and then takes it: the look sees what others have committed.
    Names that differ only in small and capital letters are one. Without it the unique constraint would refuse
    the second request with an error instead of words. It needs PostgreSQL's default isolation (read committed).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(lower(%s)))", [room, name])
