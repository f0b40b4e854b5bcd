"""The part of ``cli.md`` that follows from the command line: every command with what it takes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, Final

from docs.markdown import lines
from tui.cli import parser
from tui.commands.grammar import TWINS, Parser

_EVERYWHERE: Final = frozenset({"help", "url", "profile", "uds", "config", "ca_file", "json"})
"""What the page explains once for all commands."""


def cli_part() -> str:
    """Every noun with its verbs, each with its arguments."""
    rooms = _choices(parser())
    told: list[str] = []
    for name in TWINS:
        room = rooms[name]
        assert isinstance(room, Parser)  # noqa: S101 - they all are
        room.learn()
        told += [f"## {room.prog}", "", room.description or "", ""]
        for verb in _choices(room).values():
            told += _verb(verb)
    return lines(told)


def _choices(above: argparse.ArgumentParser) -> dict[str, Any]:
    """The commands below one."""
    [found] = [action for action in above._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found.choices)


def _verb(verb: argparse.ArgumentParser) -> Iterator[str]:
    own = [action for action in verb._actions if action.dest not in _EVERYWHERE]
    words = " ".join([verb.prog, *(_placed(action) for action in own if not action.option_strings)])
    yield f"### {words}"
    yield ""
    yield verb.description or ""
    yield ""
    for action in own:
        if action.help:
            yield f"* {_named(action)}: {action.help}{_default(action)}"
    if own:
        yield ""


def _placed(action: argparse.Action) -> str:
    name = _value(action)
    return f"[{name}]" if action.nargs == "?" else name


def _value(action: argparse.Action) -> str:
    if action.choices is not None:
        return "|".join(str(choice) for choice in action.choices)
    return str(action.metavar or action.dest.upper())


def _named(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{_value(action)}`"
    value = "" if action.nargs == 0 else f" {_value(action)}"
    return ", ".join(f"`{name}{value}`" for name in action.option_strings)


def _default(action: argparse.Action) -> str:
    named = action.default not in (None, "", False, argparse.SUPPRESS)
    return f"; `{action.default}` if left out" if named else ""
