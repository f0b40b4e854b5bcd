"""Asking for the pulse: one question at a time, a one-shot timer after each answer, sooner when the server hints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from textual.timer import Timer

from tui.api.errors import ApiError, Refused
from tui.api.poller import Poller, State

if TYPE_CHECKING:
    from server.contract.pulse import Pulse
    from tui.api.client import Client


class Workplace(Protocol):
    """What polling asks of its screen."""

    @property
    def is_running(self) -> bool:
        """Whether it still stands."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Do something later."""

    def begin_work(self, work: Callable[[], Awaitable[None]], group: str, *, exclusive: bool) -> None:
        """Do something in the background."""


class Polling:
    """Polls for one screen.

    Args:
        screen: owns the timer and the workers; when it goes, polling ends.
        poller: decides when to ask.
        heard: called with each pulse that says something new, and with whether the server was away before.
        stood: called whenever the words for the connection changed.
        follow: also listen to the server's hints, from the first answer on.
    """

    def __init__(
        self,
        screen: Workplace,
        poller: Poller,
        heard: Callable[[Pulse | None, bool], None],
        stood: Callable[[], None],
        *,
        follow: bool = False,
    ) -> None:
        self.poller = poller
        self._follow = follow
        self._screen = screen
        self._heard = heard
        self._stood = stood
        self._client: Client | None = None
        self._timer: Timer | None = None
        self._asking = False
        self._again = False
        self._hint = False

    def begin(self, client: Client) -> None:
        """Ask this server from now on."""
        self._client = client
        self.ask_now()

    def ask_now(self) -> None:
        """Ask at once; when a question is on its way, once more after its answer."""
        self.poller.ask_now()
        if self._asking:
            self._again = True
        elif self._client is not None:
            self._ask_soon()

    def failed(self, error: ApiError) -> None:
        """Another call failed. If that says that the server is away: say so, try again as the poller decides."""
        if isinstance(error, Refused) or self.poller.connection.stale:
            return
        if self.poller.failed(error):
            self._stood()
        if not self._asking:
            self._arm()

    def _ask_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not self._asking:
            self._asking = True
            self._screen.begin_work(self._ask, "pulse", exclusive=False)

    async def _ask(self) -> None:
        client = self._client
        if client is None:  # the rows failed before there was anything to poll
            self._asking = False
            return
        away = self.poller.connection.stale
        try:
            pulse = await client.pulse()
        except ApiError as error:
            changed = self.poller.failed(error)
        else:
            changed = self.poller.answered()
            self._heard(pulse, away)
            self._begin_to_follow()
        finally:
            self._asking = False
        if changed:
            self._stood()
        if self._again:
            self._again = False
            self.poller.ask_now()
        elif self._hint:
            self.poller.hinted()
        self._hint = False
        self._arm()

    def _begin_to_follow(self) -> None:
        if self._follow:
            self._follow = False  # once; it comes back by itself
            self._screen.begin_work(self._listen, "events", exclusive=False)

    async def _listen(self) -> None:
        from tui.api.events import Follower  # noqa: PLC0415 - after the first rows

        if self._client is not None:
            await Follower(self._client, self.poller.clock, self._hinted, self._streams).follow()

    def _hinted(self) -> None:
        if self._asking:
            self._hint = True
        elif self.poller.hinted():
            self._ask_soon()

    def _streams(self, stands: bool) -> None:
        self.poller.streaming = stands

    def _arm(self) -> None:
        wait = self.poller.ask_in()
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if wait is None or not self._screen.is_running:
            return
        if wait == 0:
            self._ask_soon()
        else:
            self._timer = self._screen.set_timer(wait, self._ask_soon)

    @property
    def connecting(self) -> bool:
        """Whether nothing was answered yet."""
        return self.poller.connection.state is State.CONNECTING
