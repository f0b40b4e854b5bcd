"""Backups of the data file: made while the server runs, verified before they count, and put back with care.

A backup is two files: ``FILE`` and its manifest ``FILE.json`` with the SHA-256, the schema and the number of rows of
each table. A backup holds people's data and is made 0600.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from server.kit.checks import explained
from server.kit.clock import Clock, SystemClock, rfc3339
from server.kit.ids import random_text
from server.kit.migrate import KNOWN, SchemaTooNewError
from server.kit.schema import store_fact
from server.kit.sqlite import driver
from server.kit.tx import Tx
from server.kit.upsert import upsert

FORMAT: Final = 1
LAST_BACKUP: Final = "last_backup_at"
RESTORED: Final = ".restored"
_CHUNK: Final = 1 << 20
_NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)


class BackupError(Exception):
    """A backup that cannot be made or must not be used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is, written beside it.

    Args:
        format: of this file.
        schema: the revision of the tables.
        made_at: RFC 3339.
        sha256: of the backup file.
        bytes: its length.
        counts: rows of each table.
        erasures: how many erasures the backup knows of; a restore carries out those that came later.
    """

    format: int
    schema: str
    made_at: str
    sha256: str
    bytes: int
    counts: dict[str, int]
    erasures: int = 0


def manifest_path(file: Path) -> Path:
    """Where the manifest of a backup stands."""
    return file.with_name(file.name + ".json")


def make_backup(source: Path, target: Path, clock: Clock | None = None) -> Manifest:
    """Copy the data file, in one step and while it is in use, verify the copy, and only then give it its name.

    Raises:
        BackupError: something stands at ``target`` already, or the copy did not pass.
        StoreError: the data file cannot be read, or the disk is full.
    """
    for path in (target, manifest_path(target)):
        if path.exists():
            raise BackupError(f"{path} exists already. A backup never overwrites: choose another name.")
    if not source.exists():
        raise BackupError(f"There is no shop at {source}.")
    moment = rfc3339((clock or SystemClock()).now())
    with explained(), _temporary(target) as copy:
        with _database(source) as original, _database(copy) as made:
            original.backup(made)
            made.execute("PRAGMA journal_mode=DELETE")
        counts, schema = inspect(copy)
        digest, length = hash_of(copy)
        manifest = Manifest(FORMAT, schema, moment, digest, length, counts, _erasures(copy, counts))
        with _temporary(manifest_path(target)) as note:
            note.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
            _sync(copy)
            _sync(note)
            _name(copy, target)
            _name(note, manifest_path(target))
    return manifest


def read_manifest(file: Path) -> Manifest:
    """The manifest beside a backup.

    Raises:
        BackupError: there is none, or it is not one of ours.
    """
    try:
        told: dict[str, Any] = json.loads(manifest_path(file).read_text(encoding="utf-8"))
        manifest = Manifest(**told)
    except FileNotFoundError:
        raise BackupError(
            f"The manifest {manifest_path(file)} is missing: this backup cannot be trusted."
        ) from None
    except (OSError, ValueError, TypeError):
        raise BackupError(
            f"The manifest {manifest_path(file)} cannot be read: this backup cannot be trusted."
        ) from None
    if manifest.format != FORMAT:
        raise BackupError(f"{file} was made by a newer shopbell.")
    return manifest


def fetch_verified(file: Path, target: Path) -> Manifest:
    """Copy a backup to ``target`` and let it stand there only if it is exactly what its manifest says.

    Raises:
        BackupError: it is damaged or not a backup.
        SchemaTooNewError: a newer shopbell made it.
    """
    if not file.is_file():
        raise BackupError(f"There is no backup at {file}.")
    manifest = read_manifest(file)
    if manifest.schema not in KNOWN:
        raise SchemaTooNewError(manifest.schema)
    with explained(), _temporary(target) as copy:
        digest = hashlib.sha256()
        with file.open("rb") as original, copy.open("wb") as made:
            while chunk := original.read(_CHUNK):
                digest.update(chunk)
                made.write(chunk)
        damaged = BackupError(f"{file} is damaged: it is not what its manifest says. Nothing was changed.")
        if digest.hexdigest() != manifest.sha256:
            raise damaged
        counts, schema = inspect(copy)
        if counts != manifest.counts or schema != manifest.schema:
            raise damaged
        _sync(copy)
        _name(copy, target)
    return manifest


def inspect(file: Path) -> tuple[dict[str, int], str]:
    """Check a database file thoroughly; its rows by table, and its schema.

    Raises:
        BackupError: a check did not pass.
    """
    with _database(file) as opened:
        if opened.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
            raise BackupError(f"{file} is damaged.")
        if opened.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise BackupError(f"{file} holds rows that refer to nothing.")
        names = [row[0] for row in opened.execute(_TABLES)]
        if "alembic_version" not in names:
            raise BackupError(f"{file} holds no shop.")
        counts = {name: opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608
        schema = opened.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    return counts, str(schema)


def _erasures(file: Path, counts: dict[str, int]) -> int:
    """How many erasures a database file knows of."""
    if "deletion" not in counts:
        return 0
    with _database(file) as opened:
        return int(opened.execute("SELECT count(*) FROM deletion WHERE erased_at IS NOT NULL").fetchone()[0])


_TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' "
    "AND name NOT GLOB '*_words*' ORDER BY name"
)


def put_back(file: Path, data_file: Path, clock: Clock | None = None) -> tuple[Manifest, Path | None]:
    """Put a verified backup in the place of the data file. No server may run on it meanwhile.

    Returns:
        The backup's manifest, and where the file that stood there was kept.

    Raises:
        BackupError, SchemaTooNewError, StoreError: nothing was changed.
    """
    fresh = data_file.with_name(data_file.name + RESTORED)
    fresh.unlink(missing_ok=True)
    manifest = fetch_verified(file, fresh)
    stamp = rfc3339((clock or SystemClock()).now()).replace("-", "").replace(":", "").replace(".", "")
    aside: Path | None = None
    with explained():
        if data_file.exists():
            aside = data_file.with_name(f"{data_file.name}.before-restore-{stamp}")
            for ending in ("-wal", "-shm", ""):  # the log goes with its file: what it holds is not lost
                part = data_file.with_name(data_file.name + ending)
                if part.exists():
                    part.rename(aside.with_name(aside.name + ending))
        fresh.rename(data_file)
        _sync_folder(data_file.parent)
    return manifest, aside


def note_backup(tx: Tx) -> None:
    """Keep when the last backup was made, for ``shopbelld doctor``."""
    insert = upsert(tx.dialect, store_fact)
    tx.execute(
        insert.values(name=LAST_BACKUP, value=str(tx.now)).on_conflict_do_update(
            index_elements=[store_fact.c.name], set_={"value": str(tx.now)}
        )
    )


def hash_of(file: Path) -> tuple[str, int]:
    """SHA-256 and length of a file."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest(), file.stat().st_size


@contextlib.contextmanager
def _database(path: Path) -> Iterator[Any]:
    with contextlib.closing(driver.connect(path, isolation_level=None, timeout=5.0)) as opened:
        yield opened


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A new 0600 file beside ``target``; gone after the block unless it got its name."""
    path = target.with_name(f".{target.name}.{random_text(8, '0123456789abcdef')}")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield path
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


def _name(path: Path, target: Path) -> None:
    """Give a file its name, unless somebody took the name meanwhile."""
    try:
        os.link(path, target)
    except FileExistsError:
        raise BackupError(
            f"{target} exists already. A backup never overwrites: choose another name."
        ) from None
    except OSError as error:
        if error.errno not in _NO_LINKS or target.exists():
            raise
        path.rename(target)  # a file system without links, such as a memory stick's
    _sync_folder(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_sync_folder = _sync
