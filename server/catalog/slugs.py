"""Slugs: the part of an address that names a product."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 120
_GAPS: Final = re.compile(r"[^a-z0-9]+")
_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def slug_of(name: str) -> str:
    """A slug that fits ``name``: its letters without accents, everything else as hyphens; ``product`` for none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _GAPS.sub("-", plain).strip("-")[: LONGEST - 12].strip("-") or "product"


def is_slug(text: str) -> bool:
    """Whether a text may be a slug."""
    return len(text) <= LONGEST and _SLUG.fullmatch(text) is not None
