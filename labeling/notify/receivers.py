"""What follows here from what happens in other rooms."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from labeling.notify.secrets import encrypt_anew
from labeling.people.events import key_renewed


@receiver(key_renewed)
def renew_secrets(**_named: Any) -> int:
    return encrypt_anew()
