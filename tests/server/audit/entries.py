"""Entries as the tests of the audit log write and read them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from server.audit.models import audit
from server.kit.access import Principal
from server.kit.db import Store
from server.kit.tx import Tx

OWNER = Principal("tok12345", "laptop", "owner", "00000000-0000-7000-8000-000000000001")


def entries(store: Store) -> list[Any]:
    """All entries, newest first."""
    newest = select(audit).order_by(audit.c.inserted_at.desc(), audit.c.id.desc())
    return list(store.read(lambda tx: tx.execute(newest).all()))


def write(store: Store, **given: Any) -> str:
    """An entry as any version of the program may have written it: past the writer's guard."""

    def unit(tx: Tx) -> str:
        row = {"id": tx.new_id(), "action": "post.created", "metadata": {}, "inserted_at": tx.now} | given
        tx.execute(insert(audit).values(**row))
        return str(row["id"])

    return store.write(unit)
