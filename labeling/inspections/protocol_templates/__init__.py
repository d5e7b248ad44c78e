"""Protocols that somebody thought out before: shots, what is asked of them, and what follows, as data."""
