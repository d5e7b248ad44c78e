"""What signed addresses share: having one is the permission, so nobody signs in, and each is rationed by itself."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from labeling.gateway.api.base import Throttle


class ThrottleByAddress(Throttle):
    """All who have one address together; and together all that send what is none. The view's ``id_of`` reads it."""

    def get_ident(self, request: Request) -> str:
        asked = request.parser_context
        return str(asked["view"].id_of(asked["kwargs"]["token"]))


class ByAddress:
    """Of a view, before :class:`ApiView`: it says ``id_of`` (a token's id or ``None``) and its ``throttle_scope``."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_classes: Any = (ThrottleByAddress,)
