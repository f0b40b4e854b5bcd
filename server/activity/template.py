"""Sentences with slots, and how a value of any shape is written into one. Nothing in here ever raises over a value.

A template is plain text with ``{slots}``; a part in ``[brackets]`` is left out when one of its slots has no value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from server.kit.clock import rfc3339
from server.kit.money import money_text

Kind = Literal["money", "text", "count", "instant"]
"""What a parameter is: ``{"amount", "currency"}``, a short text, a whole number, milliseconds since 1970 UTC."""

MISSING: Final = "?"
"""Stands for a value that the sentence needs and the entry does not have."""
_LONGEST: Final = 512
_DEEPEST: Final = 4
_MOST: Final = 50
_DIGITS: Final = 10**30
_PARTS: Final = re.compile(r"\[([^\]]*)\]|([^\[]+)")
_SLOT: Final = re.compile(r"\{([a-z_]+)\}")

_Run = tuple[tuple[str, str | None], ...]


class Template:
    """A sentence that was taken apart once, to be filled often."""

    __slots__ = ("_parts", "slots", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.slots: frozenset[str] = frozenset(_SLOT.findall(text))
        parts: list[tuple[bool, _Run]] = []
        for optional, plain in _PARTS.findall(text):
            parts.append((bool(optional), _run(optional or plain)))
        self._parts = tuple(parts)

    def fill(self, values: Mapping[str, str]) -> str:
        """The sentence with these values; an empty one counts as none."""
        said: list[str] = []
        for optional, run in self._parts:
            start = len(said)
            for words, slot in run:
                said.append(words)
                if slot is None:
                    continue
                value = values.get(slot)
                if value:
                    said.append(value)
                elif optional:
                    del said[start:]
                    break
                else:
                    said.append(MISSING)
        return "".join(said)


def _run(text: str) -> _Run:
    pieces = _SLOT.split(text)  # words, slot, words, slot, …, words
    pairs = [(pieces[n], pieces[n + 1] if n + 1 < len(pieces) else None) for n in range(0, len(pieces), 2)]
    return tuple((words, slot) for words, slot in pairs if words or slot)


def show(kind: Kind, value: Any) -> str:
    """A parameter as its sentence writes it; one of another shape than its kind's as `plain` writes it."""
    if kind == "text" and type(value) is str and len(value) <= _LONGEST:
        return value
    if kind == "money":
        return _money(value) or plain(value)
    if kind == "instant" and type(value) is int and 0 <= value < 10**14:
        return rfc3339(value)[:16].replace("T", " ") + " UTC"
    return plain(value)


def plain(value: Any, depth: int = 0) -> str:
    """Any value as one short line: ``{"from": 1, "to": 2}`` → ``1 → 2``, maps ``key: value``, lists joined."""
    text = "…"
    if value is None:
        text = ""
    elif isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, float) or (isinstance(value, int) and -_DIGITS < value < _DIGITS):
        text = str(value)
    elif isinstance(value, dict) and depth < _DEEPEST:
        text = _map(value, depth + 1)
    elif isinstance(value, list | tuple) and depth < _DEEPEST:
        text = _list(value, depth + 1)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _map(value: dict[Any, Any], depth: int) -> str:
    if value.keys() == {"from", "to"}:
        return f"{plain(value['from'], depth)} → {plain(value['to'], depth)}"
    if money := _money(value):
        return money
    items = list(value.items())[:_MOST]
    return ", ".join(f"{plain(key, depth)}: {plain(item, depth)}" for key, item in items)


def _list(value: list[Any] | tuple[Any, ...], depth: int) -> str:
    return ", ".join(plain(item, depth) for item in value[:_MOST])


def _money(value: Any) -> str | None:
    if not isinstance(value, dict) or len(value) != 2:
        return None
    amount, currency = value.get("amount"), value.get("currency")
    if type(amount) is not int or type(currency) is not str or not -_DIGITS < amount < _DIGITS:
        return None
    return money_text(amount, currency[:8])
