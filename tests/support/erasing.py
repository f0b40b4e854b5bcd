"""An erasure without the request's checks, and what is left in the store afterwards."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

import server.app.registered  # noqa: F401 - every room's rules
from server.deletion import erasing, planning
from server.kit.db import Store
from server.kit.schema import metadata
from server.kit.tx import Tx


def erase(store: Store, person_id: str) -> dict[str, int]:
    """Erase somebody; what was counted before is what was done."""

    def unit(tx: Tx) -> dict[str, int]:
        subject = planning.subject(tx, person_id)
        planned = erasing.counts(tx, subject)
        done = erasing.erase(tx, subject)
        assert done == planned
        return done

    return store.write(unit)


def everything(store: Store, *tables: str) -> str:
    """All that stands in these tables, as one text."""

    def unit(tx: Tx) -> list[Any]:
        return [tuple(row) for name in tables for row in tx.execute(select(metadata.tables[name]))]

    return repr(store.read(unit))
