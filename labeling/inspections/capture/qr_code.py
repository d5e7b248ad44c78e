"""An address as a QR code (ISO/IEC 18004), for a phone that shall open it."""

from __future__ import annotations

import segno


def qr_code(address: str) -> str:
    """A picture as a ``data:`` address: SVG, dark on light in every theme, as readers want it, with its quiet zone."""
    return segno.make_qr(address, error="m").svg_data_uri(scale=6, dark="#000", light="#fff")
