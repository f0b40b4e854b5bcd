"""Writes the documentation's pages that follow from the code: ``api.md``, ``cli.md``, ``erasure.md``, ``events.md``,
``keys.md``, and the settings of ``configuration.md``.

``python -m docs.pages`` writes them anew; with ``--check`` it only says which differ, and fails when one does.
What stands above the marker of a page is written by hand and kept.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from docs.commands import cli_part
from docs.erasures import erasure_part
from docs.markdown import lines, table
from docs.routes import api_part
from server.activity.reference import events_part
from server.settings.registry import GROUPS, REGISTRY
from server.settings.setting import Setting
from tui import keys

DOCS: Final = Path(__file__).resolve().parent
MARKER: Final = "<!-- Everything below is made by `make docs`. -->\n"


def pages() -> dict[Path, str]:
    """Every page that is made here, with the text that it should have."""
    made = {
        "api.md": api_part(),
        "cli.md": cli_part(),
        "erasure.md": erasure_part(),
        "events.md": events_part(),
        "keys.md": keys_part(),
        "configuration.md": settings_part(),
    }
    return {DOCS / name: _head(DOCS / name) + MARKER + part for name, part in made.items()}


def _head(path: Path) -> str:
    """What is written by hand.

    Raises:
        ValueError: the page has no marker.
    """
    head, marker, _ = path.read_text(encoding="utf-8").partition(MARKER)
    if not marker:
        raise ValueError(f"{path.name} has lost its line {MARKER.strip()}")
    return head


# -- the keys


def keys_part() -> str:
    """The keys by group, with the ids for the configuration."""
    told: list[str] = []
    groups: dict[str, list[keys.Command]] = {}
    for command in keys.COMMANDS:
        groups.setdefault(command.group, []).append(command)
    live = keys.Keymap()
    for group, commands in groups.items():
        told += [f"## {group}", ""]
        told += table(
            ["keys", "what it does", "where", "id"],
            [
                [_keys_of(command, live), _what(command), _where(command), f"`{command.id}`"]
                for command in commands
            ],
        )
    return lines(told)


def _keys_of(command: keys.Command, live: keys.Keymap) -> str:
    return " ".join(_code(keys.show_key(key)) for key in live.keys(command)) or "none"


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _what(command: keys.Command) -> str:
    needs = f" Needs the permission `{command.needs}`." if command.needs else ""
    return f"{'↗ ' if command.outside else ''}{command.help}{needs}"


def _where(command: keys.Command) -> str:
    names = {"list": "lists", "story": "stories"}
    return ", ".join(names.get(scope, scope.capitalize()) for scope in command.scopes)


# -- the settings


def settings_part() -> str:
    """The shop's settings by group, with their variables."""
    told: list[str] = []
    for group, label in GROUPS.items():
        told += [f"### {label}", ""]
        told += table(
            ["setting", "what", "values", "without it", "variable"],
            [
                [
                    f"`{known.name}`",
                    f"{known.label}. {known.help}",
                    _values(known),
                    _without(known),
                    f"`{known.variable}`",
                ]
                for known in REGISTRY.values()
                if known.group == group
            ],
        )
    return lines(told)


def _values(known: Setting[Any]) -> str:
    if known.choices:
        return ", ".join(f"`{choice}`" for choice in known.choices)
    if known.kind == "switch":
        return "`on`, `off`"
    try:
        known.read("")
    except ValueError as error:
        return str(error).removeprefix("must be ")
    raise ValueError(f"{known.name} takes an empty text")


def _without(known: Setting[Any]) -> str:
    text = known.text(known.default)
    return f"`{text}`" if text else f"that of `{known.like}`" if known.like else ""


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with ``--check`` say which differ. The exit code."""
    changed = {path: text for path, text in pages().items() if path.read_text(encoding="utf-8") != text}
    for path, text in changed.items():
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.name}: {'differs' if '--check' in arguments else 'written'}\n")
    return 1 if changed and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
