"""What was chosen about a product, in the one form by which two lines are the same or not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def chosen(specs: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was really chosen: nothing at all is the same as an empty choice, and null the same as not named."""
    return {key: value for key, value in (specs or {}).items() if value is not None}


def hash_of(variant_id: str | None, specs: Mapping[str, Any] | None) -> str:
    """The canonical hash: the order of the keys does not matter, but ``1``, ``"1"`` and ``true`` are three values."""
    words = json.dumps([variant_id, chosen(specs)], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(words.encode()).hexdigest()
