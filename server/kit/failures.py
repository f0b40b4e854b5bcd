"""What a database's error means to people: one sentence each, without the database's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from server.kit.tx import TransactionLostError


@dataclass(frozen=True, slots=True)
class Failure:
    """A store that cannot do its work now.

    Args:
        kind: stable name for logs and tests.
        sentence: what is wrong and what to do, for people.
        passing: whether it may well be over in a moment.
    """

    kind: str
    sentence: str
    passing: bool = False


LOCKED: Final = Failure(
    "locked", "Another program holds the shop's data. Close it, then try again.", passing=True
)
FULL: Final = Failure("full", "The disk of the shop's data is full. Make room on it.")
READ_ONLY: Final = Failure(
    "read_only", "The shop's data can only be read here. Make its file and folder writable."
)
CANNOT_OPEN: Final = Failure(
    "cannot_open", "The shop's data cannot be opened. Check its folder and permissions."
)
NOT_A_DATABASE: Final = Failure("not_a_database", "The shop's data file is no SQLite database.")
DAMAGED: Final = Failure(
    "damaged", "The shop's data file is damaged. Restore a backup: shopbelld restore FILE."
)
DISK_ERROR: Final = Failure("disk_error", "The disk of the shop's data reports errors.")
UNREACHABLE: Final = Failure("unreachable", "The shop's database does not answer.", passing=True)
REFUSED: Final = Failure("refused", "The shop's database refuses the log-in of this server.")
NO_RIGHTS: Final = Failure(
    "no_rights", "The user of the shop's database may not make tables, or the extension pg_trgm, in it."
)
BUSY: Final = Failure("busy", "The shop's database is busy. Try again in a moment.", passing=True)

# The low byte of SQLite's extended result codes.
_SQLITE: Final = {
    5: LOCKED,  # SQLITE_BUSY
    6: LOCKED,  # SQLITE_LOCKED
    8: READ_ONLY,  # SQLITE_READONLY
    10: DISK_ERROR,  # SQLITE_IOERR
    11: DAMAGED,  # SQLITE_CORRUPT
    13: FULL,  # SQLITE_FULL
    14: CANNOT_OPEN,  # SQLITE_CANTOPEN
    26: NOT_A_DATABASE,  # SQLITE_NOTADB
}
_POSTGRESQL: Final = {
    "25006": READ_ONLY,
    "42501": NO_RIGHTS,
    "53100": FULL,
    "53300": BUSY,  # too many connections
    "55P03": LOCKED,
    "57P01": UNREACHABLE,  # it is shutting down
    "57P02": UNREACHABLE,
    "57P03": UNREACHABLE,  # it is starting
    "28000": REFUSED,
    "28P01": REFUSED,
    "3D000": REFUSED,  # no such database
}


def explain(error: BaseException) -> Failure | None:
    """The failure behind an exception; None when it is no failure of the store but a mistake of the program."""
    if isinstance(error, TransactionLostError):
        cause = error.__cause__
        return (explain(cause) if cause else None) or BUSY
    if isinstance(error, PoolTimeoutError):
        return BUSY
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF)
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRESQL.get(state) or (UNREACHABLE if state.startswith("08") else None)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return UNREACHABLE
    return UNREACHABLE if type(original).__module__.startswith("psycopg") and _no_server(original) else None


def _no_server(original: BaseException | None) -> bool:
    return type(original).__name__ in ("OperationalError", "ConnectionTimeout")
