"""The connection's state and when to ask next. Pure decisions: the app owns the timer and does the asking.

After every answer or failure the app tells `Poller`, then sets one timer for ``ask_in()`` seconds. Nothing here
ticks: the words for the identity strip change when something happens, never because time passes, so an idle screen
stays as it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum
from typing import Final

from tui.api.clock import Clock
from tui.api.errors import ApiError, Refused, Unauthenticated

INTERVAL: Final = 5.0
"""Seconds between two polls unless the config says otherwise."""
LONGEST_WAIT: Final = 300.0
"""Seconds beyond which no Retry-After is followed."""

_FIRST_WAIT, _LAST_WAIT = 1.0, 30.0
_JITTER = 0.1
_KEYS_REFUSED = frozenset({"forbidden", "insufficient_permissions"})


class State(Enum):
    """How the connection stands."""

    CONNECTING = "connecting"
    """Nothing was answered yet."""
    LIVE = "live"
    """The last poll was answered, and what is shown is at most five seconds old, or the server says when it is not."""
    POLLING = "polling"
    """As live, but asked less often: by the config, or because the server wants it so."""
    OFFLINE = "offline"
    """The last poll failed; what is shown is as old as ``since``."""
    REFUSED = "refused"
    """The server does not take the token; nothing is asked until somebody says so."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection at one moment.

    Attributes:
        state: how it stands.
        since: when it came to stand so (for offline: when the first poll failed).
        every: seconds between two polls while all is well.
        retry_in: seconds from the last failure to the next try; None unless offline.
        sentence: for offline and refused, what went wrong and what to do.
    """

    state: State
    since: datetime
    every: float = INTERVAL
    retry_in: float | None = None
    sentence: str = ""

    @property
    def stale(self) -> bool:
        """Whether what the screen shows may no longer be so."""
        return self.state in {State.OFFLINE, State.REFUSED}

    @property
    def health(self) -> str:
        """``success``, ``warning``, ``error`` or ``muted``: the name of the style for the strip."""
        return {
            State.CONNECTING: "muted",
            State.LIVE: "success",
            State.POLLING: "info",
            State.OFFLINE: "warning",
            State.REFUSED: "error",
        }[self.state]


class Poller:
    """Decides when to ask the server next.

    Args:
        clock: where the time is read.
        interval: seconds between two polls while all is well.
        chance: gives numbers from 0 to 1, so that many clients do not ask at the same moment.
    """

    def __init__(
        self, clock: Clock, interval: float = INTERVAL, chance: Callable[[], float] = random.random
    ) -> None:
        self.clock = clock
        self._interval = interval
        self._chance = chance
        self._failures = 0
        self._due: float | None = clock.monotonic()
        self.streaming = False
        """Whether the server says by itself when something changed."""
        self.connection = Connection(State.CONNECTING, clock.now(), interval)

    def answered(self) -> bool:
        """A poll was answered. Whether the state changed by it."""
        self._failures = 0
        state = State.LIVE if self._interval <= INTERVAL or self.streaming else State.POLLING
        self._wait(self._interval, _JITTER)
        return self._become(Connection(state, self.clock.now(), self._interval))

    def failed(self, error: ApiError) -> bool:
        """A poll failed. Whether what the strip says changed by it."""
        if isinstance(error, Unauthenticated) or (isinstance(error, Refused) and error.code in _KEYS_REFUSED):
            self._due = None
            return self._become(Connection(State.REFUSED, self.clock.now(), sentence=error.sentence))
        if isinstance(error, Refused) and error.code == "rate_limited" and not self._failures:
            wait = self._asked_to_wait(error, self._interval)
            self._wait(wait, _JITTER)
            return self._become(Connection(State.POLLING, self.clock.now(), max(wait, self._interval)))
        back_off = min(_FIRST_WAIT * 2.0**self._failures, _LAST_WAIT)
        self._failures = min(self._failures + 1, 16)
        wait = self._wait(self._asked_to_wait(error, back_off * (0.5 + self._chance() / 2)), 0)
        before = self.connection
        since = before.since if before.state is State.OFFLINE else self.clock.now()
        return self._become(Connection(State.OFFLINE, since, self._interval, wait, error.sentence))

    def ask_now(self) -> None:
        """Ask at once: somebody wants to know."""
        self._due = self.clock.monotonic()

    def hinted(self) -> bool:
        """The server hints at news: ask at once, unless polls fail or the server wants to be asked less often."""
        welcome = (
            self.connection.state in {State.LIVE, State.POLLING} and self.connection.every <= self._interval
        )
        if welcome:
            self.ask_now()
        return welcome

    def ask_in(self) -> float | None:
        """Seconds until the next poll; 0 when it is due; None when there is to be none until `ask_now`."""
        return None if self._due is None else max(0.0, self._due - self.clock.monotonic())

    def _asked_to_wait(self, error: ApiError, own: float) -> float:
        return max(own, min(error.retry_after or 0.0, LONGEST_WAIT))

    def _wait(self, seconds: float, jitter: float) -> float:
        wait = seconds * (1 + jitter * (2 * self._chance() - 1))
        self._due = self.clock.monotonic() + wait
        return wait

    def _become(self, connection: Connection) -> bool:
        before = self.connection
        same = (before.state, before.every) == (connection.state, connection.every)
        if same and not connection.stale:
            return False
        self.connection = connection
        return wordings(before) != wordings(connection)


def wordings(
    connection: Connection,
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
    ascii_only: bool = False,
) -> tuple[str, ...]:
    """The connection in words for the identity strip, from the longest wording to the shortest.

    Args:
        connection: how it stands.
        now: the present moment; with it an offline state of another day says the day.
        zone: the reader's time zone; the machine's when left out.
        ascii_only: marks for terminals whose fonts lack the others.
    """
    good, slow, bad = ("o", ".", "x") if ascii_only else ("●", "◌", "✖")
    state = connection.state
    if state is State.CONNECTING:
        return f"{slow} connecting", slow
    if state is State.LIVE:
        return f"{good} live", good
    if state is State.POLLING:
        return f"{slow} polling {_span(connection.every)}", slow
    if state is State.REFUSED:
        return f"{bad} refused", bad
    since = _moment(connection.since, now, zone)
    retry = f", retry in {_span(connection.retry_in or 0.0)}"
    return f"{bad} offline since {since}{retry}", f"{bad} offline since {since}", f"{bad} offline", bad


def _moment(moment: datetime, now: datetime | None, zone: tzinfo | None) -> str:
    here = moment.astimezone(zone)
    if now is None or now.astimezone(zone).date() == here.date():
        return f"{here:%H:%M}"
    return f"{here.day} {here:%b %H:%M}"


def _span(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole}s" if whole < 120 else f"{round(whole / 60)}m"
