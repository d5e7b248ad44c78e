"""Why a classifier is not taken."""


class NotTaken(ValueError):
    """The file, or what was said of it, is not taken; the text says why, and what to do."""
