"""A picture of a product."""

from __future__ import annotations

from typing import Final

PICTURE: Final = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#c9dcd3"/>'
    b'<path d="M22 8h18v26l12 12a8 8 0 0 1-11 11L22 40z" fill="#2f6b57"/>'
    b'<path d="M22 14h18v5H22z" fill="#f3e9d6"/></svg>'
)
