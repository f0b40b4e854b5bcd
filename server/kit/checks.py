"""What is looked at before the server starts. Each thing that is wrong is one sentence."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import text

from server.kit.config import ConfigError
from server.kit.db import Store
from server.kit.failures import DAMAGED, FULL, NOT_A_DATABASE, READ_ONLY, Failure, explain
from server.kit.sqlite import driver, sqlite_version

SAFE_SQLITE: Final = (3, 51, 3)
"""The first SQLite without the WAL-reset bug."""
LOCK_SECONDS = 2.0
CHECKED_AT_START = 64 * 2**20
_MAGIC: Final = b"SQLite format 3\0"
_NETWORK: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "afs", "davfs"),
        *("ceph", "glusterfs", "lustre", "beegfs", "orangefs", "gfs2", "ocfs2"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.davfs2"),
    }
)
_OCTAL = re.compile(r"\\([0-7]{3})")


class StoreError(Exception):
    """The store cannot be used; the message is one sentence.

    Args:
        failure: what is wrong.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


def check_data_dir(path: Path, mounts: str | None = None) -> None:
    """Only its owner may look into the data directory, and it stands on a disk of this machine.

    Args:
        path: the directory.
        mounts: the text of ``/proc/self/mountinfo``; read from there when left out.

    Raises:
        ConfigError: one sentence.
    """
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise ConfigError(f"The data directory {path} belongs to another user. Run shopbelld as its owner.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(f"Others can look into the data directory {path}. Close it: chmod 700 {path}")
    kind = file_system(path, _mounts() if mounts is None else mounts)
    if kind in _NETWORK:
        raise ConfigError(
            f"The data directory {path} is on a network file system ({kind}), where SQLite loses data. "
            "Move it to a local disk, or use PostgreSQL."
        )


def file_system(path: Path, mounts: str) -> str | None:
    """The kind of file system that holds a path, by the text of ``mountinfo``; None where that says nothing."""
    real = path.resolve()
    best: tuple[int, str] | None = None
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5:
            continue
        mount = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        if (real == mount or mount in real.parents) and (best is None or len(mount.parts) >= best[0]):
            best = (len(mount.parts), after.split(" ")[0])
    return best[1] if best else None


def check_file(path: Path) -> bool:
    """Whether the data file can be worked with; one that is not there yet can.

    Returns:
        Whether its pages were checked too: a large file's are better checked while it serves (``check_pages``).

    Raises:
        StoreError: it is no database, damaged, locked, read-only, or cannot be opened.
    """
    if not path.exists() or not path.stat().st_size:
        return True
    small = path.stat().st_size <= CHECKED_AT_START
    with explained():
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise StoreError(NOT_A_DATABASE)
        if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
            raise StoreError(READ_ONLY)
        connection = driver.connect(path, isolation_level=None, timeout=LOCK_SECONDS)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
        if small:
            check_pages(path)
    return small


def check_pages(path: Path) -> None:
    """Look through the pages of the data file, also while it is in use (half a second for each 100 MB).

    Raises:
        StoreError: it is damaged.
    """
    with explained(), contextlib.closing(driver.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only=ON")
        # Every page is read once: keeping them would be for nothing.
        connection.execute("PRAGMA cache_size=-256")
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()
        if answer is None or answer[0] != "ok":
            raise StoreError(DAMAGED)


def sqlite_warning(version: tuple[int, ...] | None = None) -> str | None:
    """A sentence about a SQLite library with the WAL-reset bug; None for a good one."""
    found = version or sqlite_version()
    if found >= SAFE_SQLITE:
        return None
    return (
        f"SQLite {'.'.join(map(str, found))} has a bug that can, rarely, damage the data file (fixed in 3.51.3). "
        "Back up often, and let no second program open the file while the server runs."
    )


def postgresql_warnings(store: Store) -> list[str]:
    """Sentences about a PostgreSQL that is set up to lose what it acknowledged."""
    found = store.read(
        lambda tx: {
            name: tx.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("server_encoding", "fsync", "synchronous_commit")
        }
    )
    warnings = []
    if found["server_encoding"] != "UTF8":
        warnings.append("The PostgreSQL database is not in UTF8: names in other scripts cannot be stored.")
    if "off" in (found["fsync"], found["synchronous_commit"]):
        warnings.append(
            "PostgreSQL runs with fsync or synchronous_commit off: a power cut loses what was confirmed."
        )
    return warnings


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of the database and the system inside the block into sentences.

    Raises:
        StoreError: in their place.
    """
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        failure = explain(error)
        if failure is None and isinstance(error, OSError):
            failure = _of_the_system(error)
        if failure is None:
            raise
        raise StoreError(failure) from None


def _of_the_system(error: OSError) -> Failure:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FULL
    what = error.filename2 or error.filename or "A file"
    return Failure("cannot_open", f"{what} cannot be used: {error.strerror}.")


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # another system than Linux: nothing to go by
