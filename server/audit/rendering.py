"""How an entry is shown: a sentence, and lines of what changed, whatever its metadata may be.

Entries were written by many versions of this program and outlive all of them, so nothing is taken for granted here:
any shape, any size, any depth and any text gives lines that can be shown, and never an error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from server.audit.actions import ACTIONS
from server.kit.folding import clean_text

DEPTH: Final = 6
"""How deep one looks into nested facts."""

ITEMS: Final = 40
"""Facts of one map or list, and lines of one entry."""

LENGTH: Final = 300
"""Letters of one line, of one text and of the sentence."""

_BUDGET: Final = 400  # values looked at in one entry
_MORE: Final = "…"
_PIECE: Final = re.compile(r"\[([^\[\]]*)\]|\{([a-z_0-9]+)\}")
_PLACE: Final = re.compile(r"\{([a-z_0-9]+)\}")
_TO: Final = "_to"
_FROM: Final = "_from"


def decoded(text: Any) -> dict[str, Any]:
    """Stored metadata as what can be sent and shown: a map of plain values, cut where it is too much."""
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        value = {"unreadable": True}
    return plain(value)


def plain(value: Any) -> dict[str, Any]:
    """Any value as a map of plain JSON values, cut where it is too deep, too long or too much."""
    made = _Plain().of(value, 0)
    if isinstance(made, dict):
        return made
    return {} if made is None else {"value": made}


def summary(action: str, metadata: Mapping[str, Any], names: Mapping[str, str | None]) -> str:
    """The sentence of an entry.

    Args:
        action: its action; one that this version does not know is shown by its words.
        metadata: its facts, as ``decoded`` gives them.
        names: what the places ``actor``, ``target`` and ``resource`` are called now; None for one that is unknown.
    """
    known = ACTIONS.get(action)
    if known is None:
        return _line(_unknown(action, metadata))
    places: dict[str, str | None] = {name: inline(value) or None for name, value in metadata.items()}
    places |= names
    return _line(_PIECE.sub(lambda found: _piece(found, places), known.sentence))


def changes(metadata: Mapping[str, Any]) -> list[str]:
    """A line for each fact: ``status: draft → sent`` for what changed, ``amount: 4300`` for what is."""
    lines = []
    for name, before, after in _pairs(metadata):
        said = inline(after) if before is _NOTHING else f"{inline(before)} → {inline(after)}".strip()
        lines.append(_line(f"{_words(name)}: {said}"))
        if len(lines) == ITEMS:
            lines.append(_MORE)
            break
    return lines


def inline(value: Any) -> str:
    """One value in a line: None is nothing, ``{from, to}`` is a change, a list is joined, a map is ``k: v``."""
    return _line(_inline(plain({"value": value}).get("value")))


def _inline(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        if set(value) == {"from", "to"}:
            return f"{_inline(value['from'])} → {_inline(value['to'])}"
        return ", ".join(f"{_words(name)}: {_inline(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(_inline(each) for each in value)
    return str(value)


_NOTHING: Final = object()


def _pairs(metadata: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Facts in their order; the two sides of a change stand together where the first of them stood."""
    done: set[str] = set()
    for name, value in metadata.items():
        if name in done:
            continue
        for mine, other, turned in ((_FROM, _TO, False), (_TO, _FROM, True)):
            base = name.removesuffix(mine)
            if base and base != name and base + other in metadata:
                done.add(base + other)
                sides = (metadata[base + other], value) if turned else (value, metadata[base + other])
                yield base, *sides
                break
        else:
            yield name, _NOTHING, value


def _unknown(action: str, metadata: Mapping[str, Any]) -> str:
    fields = [_words(name.removesuffix(_TO)) for name in metadata if name.endswith(_TO) and name != _TO]
    if fields:
        return f"{', '.join(fields[:ITEMS])} updated"
    words = _words(action.replace(".", " ")).strip()
    return words[:1].upper() + words[1:] if words else "Unknown act"


def _piece(found: re.Match[str], places: Mapping[str, str | None]) -> str:
    """A place filled, or a piece in brackets with its places filled: left out when one of them is not known."""
    optional, name = found[1], found[2]
    if name is not None:
        return places.get(name) or _UNKNOWN.get(name, "some")
    if not all(places.get(each) for each in _PLACE.findall(optional)):
        return ""
    return _PLACE.sub(lambda place: places[place[1]] or "", optional)


_UNKNOWN: Final = {"actor": "somebody", "target": "somebody", "resource": "something"}


def _words(name: str) -> str:
    return name.replace("_", " ")


def _line(text: str) -> str:
    return clean_text(" ".join(text.split()), LENGTH)


class _Plain:
    """Makes plain values of anything, until the budget is spent."""

    def __init__(self) -> None:
        self._left = _BUDGET

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            if depth >= DEPTH or self._left <= 0:
                return _MORE
            return self._map(value, depth) if isinstance(value, Mapping) else self._list(value, depth)
        return _single(value)

    def _map(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, each in value.items():
            if len(made) >= ITEMS or self._left <= 0:
                made[_MORE] = _MORE
                break
            made[clean_text(name if isinstance(name, str) else _key(name), LENGTH)] = self.of(each, depth + 1)
        return made

    def _list(self, value: Any, depth: int) -> list[Any]:
        made: list[Any] = []
        for each in value:
            if len(made) >= ITEMS or self._left <= 0:
                made.append(_MORE)
                break
            made.append(self.of(each, depth + 1))
        return made


def _single(value: Any) -> Any:
    """A value that holds no others, as JSON can have it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**63 else "a very large number"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return clean_text(str(value), LENGTH) if isinstance(value, str) else f"({type(value).__name__})"


def _key(name: Any) -> str:
    if name is None or isinstance(name, bool):
        return json.dumps(name)
    if isinstance(name, int) and -(2**63) <= name < 2**63:
        return str(name)
    return f"({type(name).__name__})"
