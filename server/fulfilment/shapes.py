"""Readers shared by the providers' clients: what a strange value is worth, never an exception."""

from __future__ import annotations

from typing import Any, Final

from server.fulfilment.provider import ProviderError
from server.kit.folding import clean_text

LONGEST: Final = 255
_LONGEST_URL: Final = 2048


def text(value: object, most: int = LONGEST) -> str | None:
    """A text, cleaned and cut; a number as its digits; None for nothing or another shape."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return clean_text(value.strip(), most) or None if isinstance(value, str) else None


def ident(value: object, label: str, what: str) -> str:
    """An id.

    Raises:
        ProviderError: there is none, so the answer cannot be believed.
    """
    found = text(value)
    if found is None:
        raise odd(label, what)
    return found


def odd(label: str, what: str) -> ProviderError:
    """The failure for an answer that lacks what it must hold. What was asked for may have happened."""
    return ProviderError(f"{label} answered without {what}.")


def web_address(value: object) -> str | None:
    """An http(s) address; None for anything else."""
    found = value.strip() if isinstance(value, str) else ""
    fits = 8 <= len(found) <= _LONGEST_URL and found.startswith(("https://", "http://"))
    return found if fits and found.isprintable() and " " not in found else None


def mapping(value: object) -> dict[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[dict[str, Any]]:
    """The objects of an array; none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def whole(value: object) -> int | None:
    """An integer of zero or more; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
