"""From a data directory to an open store, through every check."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from sqlalchemy import func, select

from server.app.backup import RESTORED
from server.audit.models import audit
from server.kit import checks
from server.kit.clock import Clock, rfc3339
from server.kit.config import ConfigError, ServerConfig, make_data_dir
from server.kit.db import Store, open_store
from server.kit.migrate import migrate
from server.settings.source import attach

_log = logging.getLogger("shopbell.boot")


def data_file(config: ServerConfig) -> str:
    """Where the shop's data stands, for people; never with a password."""
    return str(config.data_dir / "shop.db") if config.is_file else "PostgreSQL"


def check_place(config: ServerConfig) -> None:
    """Make the data directory and look at it.

    Raises:
        ConfigError: one sentence.
    """
    make_data_dir(config.data_dir)
    checks.check_data_dir(config.data_dir, mounts=None if config.is_file else "")


@contextlib.contextmanager
def checked_store(config: ServerConfig, clock: Clock | None = None) -> Iterator[Store]:
    """The store, checked and brought up to date, for the length of a ``with`` block.

    Raises:
        ConfigError: the directory or the address is wrong.
        StoreError: the store cannot be used.
        SchemaTooNewError: it was written by a newer shopbell.
    """
    check_place(config)
    if config.is_file:
        file = config.data_dir / "shop.db"
        if not file.exists() and file.with_name(file.name + RESTORED).exists():
            raise ConfigError("A restore was cut off half way. Run it again: shopbelld restore FILE")
        checks.check_file(file)
    with checks.explained():
        try:
            store = open_store(config.database_url, config.data_dir, clock)
        except ValueError as error:
            raise ConfigError(f"{error}.") from None
        try:
            attach(store, config)
            migrate(store)
        except BaseException:
            store.close()
            raise
    try:
        yield store
    finally:
        store.close()


def catch_up(store: Store) -> None:
    """Erase again whom the store, put back from a backup by whatever means, does not know to be erased."""
    from server.app import registered  # noqa: F401, PLC0415 - every room's rules; most commands need none of them
    from server.deletion import replay  # noqa: PLC0415

    for sentence in replay.catch_up(store).sentences():
        _log.warning("at start", extra={"fields": {"sentence": sentence}})


def warnings(config: ServerConfig, store: Store) -> list[str]:
    """Sentences about what is not right but does not keep the server from starting."""
    found = []
    if config.is_file:
        found += [said] if (said := checks.sqlite_warning()) else []
    else:
        found += checks.postgresql_warnings(store)
    newest = store.read(lambda tx: tx.execute(select(func.max(audit.c.inserted_at))).scalar())
    now = store.clock.now()
    if newest is not None and newest > now:
        found.append(
            f"The clock of this machine says {rfc3339(now)}, which is before the newest entry of the shop "
            f"({rfc3339(newest)}). Set it right: times would be recorded wrong."
        )
    return found
