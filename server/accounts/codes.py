"""One-time codes that people type: of the first Owner, of an invitation. Only their hashes are stored."""

from __future__ import annotations

import hashlib
import string
from typing import Final

from server.kit.ids import random_text

_ALPHABET: Final = string.digits + string.ascii_uppercase
_GROUPS: Final = 5
_GROUP: Final = 5  # 36**25 > 2**128


def new_code() -> str:
    """A code of 128 random bits, in groups that can be read out."""
    return "-".join(random_text(_GROUP, _ALPHABET) for _ in range(_GROUPS))


def hash_code(code: str) -> str:
    """What is stored of a code; however it was typed, with or without its dashes, in whatever case."""
    plain = code.strip().upper().replace("-", "").replace(" ", "")
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
