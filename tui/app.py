"""The client's app: it puts desk, keys, theme and the one screen together, and nothing else."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from tui import keys
from tui.api.clock import ShopClock
from tui.api.errors import ConfigError
from tui.api.poller import Poller
from tui.screens.desk import Desk
from tui.screens.shell import Shell
from tui.widgets.format import ASCII, UNICODE, TimeFormat
from tui.widgets.safety import SafeApp
from tui.widgets.theme import choose_theme, known

if TYPE_CHECKING:
    from tui.api.client import Client
    from tui.api.clock import Clock
    from tui.api.config import Config
    from tui.widgets.crash import CrashReports

SETTLE_AFTER = 2.0
"""Seconds from the first paint until what it and the first rows did without is caught up on: the modules of a story
are imported, and the garbage collector is let go, which ``tui.cli`` held to start sooner."""


class ShopbellApp(SafeApp[int], inherit_bindings=False):
    """The client.

    Args:
        connect: makes the client of the server; may block, is called in a thread after the first paint.
        config: the user's settings.
        title: the shop's name until the server told it.
        clock: where the time is read.
        reports: where a crash report goes.
        follow: listen to the server's hints beside asking it by the timer.

    Raises:
        ConfigError: the config's ``[keys]`` cannot hold, or it names no theme that there is.
    """

    ENABLE_COMMAND_PALETTE = False  # our own is imported when it is opened
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        connect: Callable[[], Client],
        config: Config,
        title: str,
        clock: Clock,
        *,
        reports: CrashReports | None = None,
        follow: bool = False,
    ) -> None:
        try:
            live = keys.keymap(config.keys)
        except keys.KeymapError as error:
            raise ConfigError(config.path, "keys", str(error)) from None
        super().__init__(reports=reports)
        self.title = title
        clock = ShopClock(clock)
        self.set_keymap(live.for_textual())
        self._set_theme(config)
        self.desk = Desk(
            clock=clock,
            live=live,
            glyphs=ASCII if config.ui.ascii else UNICODE,
            format=TimeFormat(config.ui.time),
        )
        self._shell = Shell(self.desk, connect, Poller(clock, config.ui.poll_seconds), title, follow=follow)

    def _set_theme(self, config: Config) -> None:
        colours = {"standard": 16, "256": 256, "truecolor": 2**24}.get(self.console.color_system or "")
        name = choose_theme(config.ui.theme, no_color=self.no_color, colours=colours)
        if not known(name, self.available_themes):
            there = ", ".join(sorted(self.available_themes))
            raise ConfigError(config.path, "ui.theme", f"there is no theme {name!r}; there are: {there}.")
        self.theme = name

    def get_default_screen(self) -> Screen[None]:
        """The one screen."""
        return self._shell

    def on_ready(self) -> None:
        """The first paint is out: connect now, and let the rest wait until the first rows have had their time."""
        self._shell.begin()
        self.set_timer(SETTLE_AFTER, _settle)


def _settle() -> None:
    """Have at hand what a story is made of. What was made so far stays: the collector need not look at it again."""
    import tui.screens.order_story  # noqa: F401, PLC0415 - opening the first order need not wait for it

    gc.enable()
    gc.collect()
    gc.freeze()


def run(
    connect: Callable[[], Client],
    config: Config,
    title: str,
    clock: Clock,
    *,
    reports: CrashReports | None = None,
) -> int:
    """Run the client until the reader leaves.

    Args:
        connect: makes the client of the server; may block, is called in a thread after the first paint.
        config: the user's settings.
        title: the shop's name until the server told it.
        clock: where the time is read.
        reports: where a crash report goes.

    Returns:
        The exit code: 0, or 1 after an error of the client's own.

    Raises:
        ConfigError: the config's ``[keys]`` cannot hold, or it names no theme that there is.
    """
    app = ShopbellApp(connect, config, title, clock, reports=reports, follow=True)
    app.run(mouse=config.ui.mouse)
    return app.return_code or 0
