"""How keys are called: by the terminal's library, by a person who writes them down, and on the screen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_NAMES: Mapping[str, str] = {
    "slash": "/", "backslash": "\\", "at": "@", "minus": "-", "plus": "+", "underscore": "_",
    "return": "enter", "esc": "escape", "pgdn": "pagedown", "pgup": "pageup", "del": "delete",
}  # fmt: skip
_NAMED = frozenset(
    ["escape", "enter", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"]
    + ["up", "down", "left", "right"]
    + [f"f{number}" for number in range(1, 25)]
)
_SHOWN: Mapping[str, str] = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "⏎", "escape": "esc", "pagedown": "pgdn",
    "pageup": "pgup", "backspace": "⌫", "comma": ",",
}  # fmt: skip
_SHOWN_ASCII: Mapping[str, str] = {
    "up": "up", "down": "down", "left": "left", "right": "right", "enter": "enter", "backspace": "bksp",
}  # fmt: skip
_MODIFIED = re.compile(r"((?:ctrl|shift|alt)\+)+(.+)")


class KeymapError(ValueError):
    """The ``[keys]`` of the config file cannot hold; ``str()`` is a sentence for the person who wrote it."""


def show_key(key: str, *, ascii_only: bool = False) -> str:
    """A key as a person reads it: ``⏎``, ``↑``, ``ctrl+d``, ``x``."""
    if ascii_only and key in _SHOWN_ASCII:
        return _SHOWN_ASCII[key]
    return _SHOWN.get(key, key)


def canonical(command_id: str, text: str) -> str:
    """One spelling for each key: the character itself, or the name."""
    key = text.strip()
    modified = _MODIFIED.fullmatch(key.lower())
    if modified is not None:
        return key.lower()[: modified.start(2)] + canonical(command_id, modified[2])
    if len(key) == 1:
        return key
    name = key.lower()
    if name in _NAMED:
        return name
    if name in _NAMES:
        return _NAMES[name]
    if name == "comma":
        return ","
    try:
        return unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        raise KeymapError(f"{command_id!r} has {key!r}, which is no key's name.") from None
