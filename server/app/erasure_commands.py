"""What ``shopbelld`` does with erasures: receipts shown and verified, the list of erasures written and replayed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.app import boot, registered  # noqa: F401 - every room's rules and jobs
from server.deletion import erasures, receipts, replay
from server.deletion.models import deletion
from server.kit.clock import Clock
from server.kit.config import ConfigError, ServerConfig
from server.kit.crypto import KeyTroubleError, ring_of
from server.kit.tx import Tx

DONE, REFUSED, WRONG_USE = 0, 1, 2


def receipt_show(config: ServerConfig, deletion_id: str, clock: Clock | None = None) -> int:
    """Print the receipt of an erasure, as it can be kept in a file and verified."""

    def unit(tx: Tx) -> tuple[Any, Any, Any] | None:
        columns = (deletion.c.state, deletion.c.receipt, deletion.c.signature)
        row = tx.execute(select(*columns).where(deletion.c.id == deletion_id)).first()
        return None if row is None else (row.state, row.receipt, row.signature)

    with boot.checked_store(config, clock) as store:
        found = store.read(unit)
    if found is None:
        _say(f"There is no deletion with the id {deletion_id}.")
        return REFUSED
    state, receipt, signature = found
    if receipt is None:
        _say(
            {
                "scheduled": "This erasure is still to come: it has no receipt yet.",
                "restored": "This erasure was called off: it has no receipt.",
            }.get(state, "No receipt of this erasure was kept.")
        )
        return REFUSED
    sys.stdout.write(receipts.document(receipt, signature))
    return DONE


def receipt_verify(config: ServerConfig, file: str, key: str | None = None) -> int:
    """Say whether a receipt's signature holds, and whether a key of this shop made it.

    Neither a store nor a key is needed: with ``key`` (a public one that the shop told) anybody verifies anywhere.

    Returns:
        0 when it holds and is the shop's; 1 when it does not hold, or nobody here knows the key; 2 when the file cannot
        be read.
    """
    given = _bytes_of(file)
    if given is None:
        return WRONG_USE
    known = {key.lower()} if key is not None else set(_own_keys(config))
    found = receipts.verify(given, known)
    if found.receipt is not None:
        for line in _told(found.receipt):
            _out(line)
    for sentence in found.sentences:
        (_out if found.holds and found.known else _say)(sentence)
    return DONE if found.holds and found.known else REFUSED


def receipt_key(config: ServerConfig) -> int:
    """Print the public keys of this shop's receipts, the one that signs now first."""
    boot.check_place(config)
    ring = ring_of(config)
    ring.current()
    for line in receipts.public_keys(ring):
        _out(line)
    return DONE


def erasures_list(config: ServerConfig, clock: Clock | None = None) -> int:
    """Print the list of erasures: to be kept beside a dump, and replayed on it when it is put back."""
    with boot.checked_store(config, clock) as store:
        found = store.read(erasures.in_table)
    sys.stdout.writelines(entry.line() for entry in found.values())
    return DONE


def erasures_replay(config: ServerConfig, file: Path, clock: Clock | None = None) -> int:
    """Erase again whom a store that was put back does not know to be erased."""
    if not file.is_file():
        _say(f"There is no list of erasures at {file}.")
        return REFUSED
    with boot.checked_store(config, clock) as store:
        own = replay.catch_up(store)
        done = replay.catch_up(store, file)
        replay.catch_up(store)  # the list beside the data holds what came from the file, too
    for sentence in (*own.sentences(), *done.sentences()):
        _out(sentence)
    if not own.anything and not done.anything:
        _out("Nothing was to be done: the store knows of every erasure.")
    return REFUSED if done.broken else DONE


def _own_keys(config: ServerConfig) -> list[str]:
    try:
        return receipts.public_keys(ring_of(config))
    except (KeyTroubleError, ConfigError) as trouble:
        _say(f"The keys of this shop cannot be read. {trouble}")
        return []


def _told(receipt: Mapping[str, Any]) -> list[str]:
    """What a receipt whose signature holds says, for people."""
    total = sum(entry["count"] for entry in receipt["counts"] if entry["fate"] != "keep")
    lines = [
        f"Erasure {receipt['deletion_id']} of the {_KINDS.get(receipt['kind'], 'person')} ⟨erased {receipt['mark']}⟩",
        f"asked for by {receipt['asked_by_role']} at {receipt['asked_at']}, done at {receipt['erased_at']}",
        f"store {receipt['store_id']}, shopbell {receipt['shopbell']}, schema {receipt['schema']}",
    ]
    lines += [f"  {entry['fate']:<10} {entry['count']:>7}  {entry['records']}" for entry in receipt["counts"]]
    return [*lines, f"  {total} records deleted or anonymised"]


def _bytes_of(file: str) -> bytes | None:
    try:
        if file == "-":
            return sys.stdin.buffer.read(receipts.LONGEST + 1)
        with Path(file).open("rb") as opened:
            return opened.read(receipts.LONGEST + 1)
    except OSError as error:
        _say(f"{file} cannot be read: {error.strerror}.")
        return None


_KINDS = {"customer": "customer", "staff": "member of staff"}


def _out(line: str) -> None:
    sys.stdout.write(line + "\n")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
