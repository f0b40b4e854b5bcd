"""The real client, for tests in a terminal, with some of what keeps strangers' text harmless taken away.

``python -m tests.support.client_child NETS ARGUMENTS…`` runs ``shopbell ARGUMENTS…``. NETS names the nets that
stay, joined by ``+``: ``cleaning`` (where text enters the client), ``widgets`` (where they draw), ``filter`` (what
is written at last); or ``none``. With ``crash`` all stay, and asking the server anew fails as a mistake would.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, NoReturn

CLEANING, WIDGETS, FILTER = "cleaning", "widgets", "filter"
NETS = f"{CLEANING}+{WIDGETS}+{FILTER}"
CRASH = "crash"
LOCAL = "Tom Avery, card 4242 4242 4242 4242"
"""What stands in a local variable and in the message of the forced mistake, beside the token."""


def _as_it_is(value: Any, *_: Any) -> Any:
    return value


def _replace(owner: object, name: str, value: object) -> None:
    """Put something else in the place of what is there; a name that is not there is a mistake of this file."""
    getattr(owner, name)
    setattr(owner, name, value)


def without_cleaning() -> None:
    """Let answers through as they come. Before anything else of the client is imported."""
    from tui.api import clean

    for name in ("clean_line", "clean_block", "clean_tree"):
        _replace(clean, name, _as_it_is)


def without_widgets_care() -> None:
    """Let widgets draw whatever they are given. Before any widget is imported."""
    from tui.widgets import cells

    _replace(cells, "plain", _as_it_is)
    _replace(cells, "DEAD", re.compile("(?!)"))


def without_filter() -> None:
    """Let drawn text through to the terminal."""
    from textual.app import App

    from tui.widgets.safety import SafeApp

    _replace(SafeApp, "get_line_filters", App.get_line_filters)


def with_a_mistake(token: str) -> None:
    """Make ctrl+r fail with secrets at hand."""
    from tui.screens.shell import Shell

    def fail(_: Shell) -> NoReturn:
        customer, headers = LOCAL, {"Authorization": f"Bearer {token}"}
        raise RuntimeError(f"{customer} {headers}")

    _replace(Shell, "action_refresh_now", fail)


def main(nets: str, arguments: list[str]) -> int:
    """Take the other nets away and run the client."""
    if nets == CRASH:
        with_a_mistake(os.environ["SHOPBELL_TOKEN"])
        nets = NETS
    kept = nets.split("+")
    for net, take_away in (
        (CLEANING, without_cleaning),
        (WIDGETS, without_widgets_care),
        (FILTER, without_filter),
    ):
        if net not in kept:
            take_away()
    from tui.cli import main as shopbell

    return shopbell(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
