"""Raw facts of an entry, whatever their shape, as lines to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from tui.widgets.cells import plain
from tui.widgets.format import money

Fact = tuple[int, str, str]
"""Depth, label, value."""

MOST_LINES = 500
DEEPEST = 8
LONGEST = 2000
"""Characters of one value that are shown."""

NOTHING = "—"


def fact_lines(facts: object) -> tuple[Fact, ...]:
    """Lay out facts of any shape; never raises, never answers more than a screen can hold.

    ``{"from": 1, "to": 2}`` becomes ``1 → 2``, an amount with its currency ``£43.00``, plain lists are
    joined by commas, nothing is shown as ``—``. What is cut says so.
    """
    found = list(islice(_walk("", facts, -1 if isinstance(facts, Mapping) else 0), MOST_LINES + 1))
    if len(found) > MOST_LINES:
        found[MOST_LINES:] = [(0, "", "… and more")]
    return tuple(found)


def _walk(label: str, value: object, depth: int) -> Iterator[Fact]:
    single = _single(value)
    if single is not None:
        yield max(depth, 0), label, single
    elif depth >= DEEPEST:
        yield depth, label, "… (nested deeper)"
    elif isinstance(value, Mapping):
        if depth >= 0:
            yield depth, label, ""
        for key, inner in value.items():
            yield from _walk(_scalar(key), inner, depth + 1)
    elif isinstance(value, Sequence):
        if label:
            yield max(depth, 0), label, ""
        for number, inner in enumerate(value, start=1):
            yield from _walk(f"{number}.", inner, depth + 1)


def _single(value: object) -> str | None:
    """The value as one text, or None when it needs lines of its own."""
    if isinstance(value, Mapping):
        return _pair(value)
    if isinstance(value, list | tuple):
        if all(not isinstance(inner, Mapping | list | tuple) for inner in value):
            return _cut(", ".join(_scalar(inner) for inner in islice(value, LONGEST))) if value else NOTHING
        return None
    return _scalar(value)


def _pair(value: Mapping[object, object]) -> str | None:
    """Small maps with a meaning: a change, an amount."""
    if not value:
        return NOTHING
    names = set(value)
    if names == {"from", "to"} and not any(
        isinstance(inner, Mapping | list | tuple) for inner in value.values()
    ):
        return f"{_scalar(value['from'])} → {_scalar(value['to'])}"
    return _amount(value) if names == {"amount", "currency"} else None


def _amount(value: Mapping[object, object]) -> str | None:
    amount, currency = value["amount"], value["currency"]
    if not isinstance(amount, int) or not isinstance(currency, str) or isinstance(amount, bool):
        return None
    return money(amount, currency) if abs(amount) < 10**18 and len(currency) == 3 else None


def _scalar(value: object) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        return _cut(str(value))
    except Exception:  # noqa: BLE001 - a number too long to write, an object that cannot be written
        return f"({type(value).__name__} that cannot be shown)"


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return plain(text)
    return f"{plain(text[:LONGEST])}… ({len(text):,} characters)"
