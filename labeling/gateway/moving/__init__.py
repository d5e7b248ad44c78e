"""All that a Hilltop holds, taken elsewhere whole: a backup, back from one, and from one machine to many.

PostgreSQL's own programs carry the database, Django's storages the files; what is here counts, hashes and compares.
"""


class CannotMove(Exception):
    """Why it was not done, or not whole, and what to do."""
