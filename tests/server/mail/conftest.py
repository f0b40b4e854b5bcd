"""A mail server, and a shop that sends through it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.kit.tx import Tx
from server.mail.kinds import KINDS, Mail, MailKind
from server.mail.service import Composed
from server.practice.mail_server import MailServer
from tests.server.mail.desk import Desk


@pytest.fixture
def desk(store: Store, clock: FrozenClock, post: MailServer) -> Desk:
    """A shop that sends through it."""
    return Desk(store, clock, post)


@pytest.fixture
def once() -> Iterator[list[str]]:
    """A kind of mail that must come at most once (``test``); gives the ids of those that were marked sent."""
    done: list[str] = []

    def compose(tx: Tx, which: Mail) -> Composed:
        return Composed("Once", "Only once.\n")

    def sent(tx: Tx, which: Mail) -> None:
        done.append(which.id)

    KINDS["test"] = MailKind("test", "Test mail", compose, sent, at_most_once=True)
    yield done
    del KINDS["test"]
