"""One table of all that keys can do: footer, help, palette, command line and the user's keymap come from it.

A command has a stable id (what the config file and the command line name), the keys it has unless the user
says otherwise, the action it runs, a word for the footer and a sentence for the help. A *scope* is where it
holds; ``TOGETHER`` lists the scopes that are live at once, so no key may stand twice within one of its sets.
"""

from __future__ import annotations

from tui.keys.command import Command, Focus, Scope
from tui.keys.footers import FOOTER_WORDS, FOOTERS
from tui.keys.keymap import BY_ID, COMMANDS, NEVER_ALONE, TOGETHER, Keymap, bindings, clashes, keymap
from tui.keys.names import KeymapError, show_key

__all__ = [
    "BY_ID",
    "COMMANDS",
    "FOOTERS",
    "FOOTER_WORDS",
    "NEVER_ALONE",
    "TOGETHER",
    "Command",
    "Focus",
    "Keymap",
    "KeymapError",
    "Scope",
    "bindings",
    "clashes",
    "keymap",
    "show_key",
]
