"""Reading and changing settings. A stored text that no longer means anything never stops the shop."""

from __future__ import annotations

import logging
from typing import Any, overload

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from server.contract.pulse import Shop
from server.kit.problems import invalid_request
from server.kit.tx import Tx
from server.settings.models import setting
from server.settings.registry import REGISTRY, NumberSetting, TextSetting

_log = logging.getLogger("shopbell.settings")
_ALL = select(setting.c.name, setting.c.value)


@overload
def get(tx: Tx, name: TextSetting) -> str: ...
@overload
def get(tx: Tx, name: NumberSetting) -> int: ...
def get(tx: Tx, name: str) -> Any:
    """The value of a setting; its default when nobody set it, or when the stored text is invalid (and says so)."""
    stored = tx.execute(select(setting.c.value).where(setting.c.name == name)).scalar()
    return _value(name, stored)


def set_value(tx: Tx, name: str, text: str) -> None:
    """Store a setting.

    Raises:
        ProblemError: 422 ``invalid_request`` for an unknown name or a text that does not fit.
    """
    if name not in REGISTRY:
        raise invalid_request((name, "there is no such setting"))
    try:
        REGISTRY[name].read(text)
    except ValueError as error:
        raise invalid_request((name, str(error))) from None
    insert = sqlite_insert(setting) if tx.dialect == "sqlite" else postgresql_insert(setting)
    changed = {"value": text, "updated_at": tx.now}
    tx.execute(
        insert.values(name=name, **changed).on_conflict_do_update(
            index_elements=[setting.c.name], set_=changed
        )
    )
    tx.touch("settings")


def shop(tx: Tx) -> Shop:
    """What the frame shows of the shop."""
    stored = {row.name: row.value for row in tx.execute(_ALL)}
    return Shop(
        name=_value("shop.name", stored.get("shop.name")),
        environment=_value("shop.environment", stored.get("shop.environment")),
        currency=_value("shop.currency", stored.get("shop.currency")),
        time_zone=_value("shop.time_zone", stored.get("shop.time_zone")),
    )


def complaints(tx: Tx) -> list[str]:
    """One sentence for each stored setting that is invalid, saying what holds instead."""
    found = []
    for row in tx.execute(_ALL.order_by(setting.c.name)):
        known = REGISTRY.get(row.name)
        if known is None:
            continue
        try:
            known.read(row.value)
        except ValueError as error:
            found.append(f"The setting {row.name} {error}; {known.default} holds instead.")
    return found


def _value(name: str, stored: str | None) -> Any:
    known = REGISTRY[name]
    if stored is None:
        return known.default
    try:
        return known.read(stored)
    except ValueError:
        _log.warning("setting invalid, default holds", extra={"fields": {"setting": name}})
        return known.default
