"""A picture such as a customer would send: a sock with a hole in its heel, as a PNG, the same every time."""

from __future__ import annotations

import struct
import zlib
from typing import Final

NAME: Final = "hole.png"
MEDIA_TYPE: Final = "image/png"
_WIDTH, _HEIGHT = 96, 64
_TABLE, _WOOL, _HOLE = (226, 214, 196), (44, 94, 104), (222, 176, 150)


def photo() -> bytes:
    """The bytes of the PNG, well under a kilobyte."""
    rows = b"".join(
        b"\0" + bytes(part for x in range(_WIDTH) for part in _pixel(x, y)) for y in range(_HEIGHT)
    )
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)  # eight bits each of red, green and blue
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _pixel(x: int, y: int) -> tuple[int, int, int]:
    leg, foot = 16 <= x < 42 and 4 <= y < 44, 16 <= x < 84 and 30 <= y < 56
    if (x - 27) ** 2 + (y - 46) ** 2 < 30:
        return _HOLE
    return _WOOL if leg or foot else _TABLE


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
