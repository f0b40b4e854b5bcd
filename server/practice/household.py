"""All that lives in the practice process besides the server: put together, opened, and closed in order."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from server.app.assembly import create_app
from server.kit.config import ServerConfig
from server.practice import state as memory
from server.practice.caller import in_process
from server.practice.clock import PracticeClock, PracticeStore
from server.practice.connecting import BOUNCES, connect, new_keys
from server.practice.driver import Driver
from server.practice.errands import Errands
from server.practice.life import Life
from server.practice.player import Player
from server.practice.shop import new_secret
from server.practice.state import State
from server.practice.suppliers import Suppliers
from server.practice.working import Overtime


class Household:
    """A practice shop whose store is furnished, with its local servers, which listen inside the ``with`` block.

    Args:
        data: the data directory.
        store: open, migrated and furnished.
        clock: the shop's time.
        state: where it stands; its tokens open the store.
    """

    def __init__(self, data: Path, store: PracticeStore, clock: PracticeClock, state: State) -> None:
        self._data = data
        self._store = store
        self._clock = clock
        self._state = state
        state.keys = state.keys or new_keys()
        secret = new_secret()
        self.config = ServerConfig(data_dir=data, variables={"SHOPBELL_STRIPE_WEBHOOK_SECRETS": secret})
        self.app = create_app(store, self.config)
        self.call = in_process(self.app)
        self.suppliers = Suppliers(data, clock, state)
        self.overtime = Overtime(store, self.suppliers.clock)
        self.errands = Errands(
            self.suppliers,
            self.call,
            at=clock.at,
            staff=state.colleague_token or state.owner_token,
            bounces=state.keys[BOUNCES],
        )
        self.player = Player(
            self.call,
            at=clock.at,
            staff=state.colleague_token or state.owner_token,
            program=state.program_token,
            secret=secret,
            colleague=state.colleague_token,
            orders=state.orders,
        )

    def __enter__(self) -> Self:
        self.suppliers.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.suppliers.close()

    def connect(self) -> None:
        """Connect the shop to the local servers, and keep what is to be remembered."""
        self._store.write(lambda tx: connect(tx, self._state, self.suppliers.addresses()))
        self.save(self._state)

    def save(self, state: State) -> None:
        """Keep the state."""
        memory.save(self._data, state)

    def driver(self, days: int, pause: float = 0.001) -> Driver:
        """What plays the shop's life, of so many days of history."""
        return Driver(
            Life(self._state.seed, self._state.opened_at),
            self.player,
            self._clock,
            self._state,
            self.save,
            suppliers=self.suppliers,
            errands=self.errands,
            overtime=self.overtime,
            days=days,
            pause=pause,
        )
