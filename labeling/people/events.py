"""What the other rooms may hear of people."""

from django.dispatch import Signal

#: Somebody came by single sign-on. Arguments: ``person``, and ``groups``, a frozenset of what the provider's claim holds.
signed_on = Signal()

#: Another secret key is in force: whoever keeps something encrypted encrypts it anew, and returns how many there were.
key_renewed = Signal()
