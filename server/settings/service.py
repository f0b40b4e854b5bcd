"""Reading and changing settings. A stored text that no longer means anything never stops the shop.

What the environment says goes before what is stored, and what is stored before the default.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any, Final, overload

from sqlalchemy import delete, update

from server.audit import service as audit
from server.contract.pulse import Shop
from server.kit import crypto
from server.kit.access import Principal
from server.kit.crypto import KeyTroubleError, UnreadableError
from server.kit.db import Store
from server.kit.problems import ProblemError, invalid_request
from server.kit.setting_source import Kept, SettingSource
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.settings import snapshot
from server.settings.models import setting
from server.settings.registry import REGISTRY
from server.settings.setting import NumberSetting, SecretSetting, Setting, SwitchSetting, TextSetting

_log = logging.getLogger("shopbell.settings")
_HINT: Final = "····"
_LONG_ENOUGH: Final = 16
_FRESH_SECONDS: Final = 0.2
_UNREADABLE: Final = "cannot be decrypted with the keys of this server and counts as unset: enter it again"


@overload
def get(tx: Tx, name: TextSetting) -> str: ...
@overload
def get(tx: Tx, name: NumberSetting) -> int: ...
@overload
def get(tx: Tx, name: SwitchSetting) -> bool: ...
def get(tx: Tx, name: str) -> Any:
    """The value of a setting that is no secret.

    Its default when nobody set it, or when the stored text is invalid (and says so); a text that nobody set and that
    has no default is empty. Quick enough for every mail and job; the first in a transaction asks for one number.
    """
    kept = snapshot.stored(tx)
    try:
        return kept.values[name]
    except KeyError:
        value = kept.values[name] = _value(tx.setting_source, kept, REGISTRY[name])
        return value


def secret(tx: Tx, name: SecretSetting) -> str | None:
    """A secret; None when nobody set it, or when it cannot be decrypted (which is noted: `unreadable`)."""
    return _opened(tx.setting_source, snapshot.stored(tx), REGISTRY[name])


async def secret_at_hand(store: Store, name: SecretSetting) -> str | None:
    """A secret, on the event loop and at once: for whoever checks a signature before anything else.

    On PostgreSQL a change in another process is seen a fifth of a second later; one of this process at once.
    """
    if not crypto.is_loaded() and name not in store.setting_source.overrides:
        await asyncio.to_thread(crypto.load)
    if store.dialect == "sqlite":  # a keyed read of the file is quicker than a thread
        return store.read(lambda tx: secret(tx, name))
    source = store.setting_source
    kept = source.kept
    if kept is None or time.monotonic() >= source.fresh_until:
        generation = source.generation
        kept = await store.read_async(snapshot.stored)
        if generation == source.generation:
            source.fresh_until = time.monotonic() + _FRESH_SECONDS
    return _opened(source, kept, REGISTRY[name])


def set_value(tx: Tx, name: str, text: str, by: Principal | None = None) -> None:
    """Store a setting; a secret sealed. Recorded in the audit log by name, never with its value.

    Args:
        tx: the transaction.
        name: of the setting.
        text: its value.
        by: who does it; None for somebody with access to the machine itself.

    Raises:
        ProblemError: 422 ``invalid_request`` for an unknown name or a text that does not fit; 409
            ``overridden_by_environment``; 503 ``unavailable`` when there is no usable key for a secret.
    """
    known = _changeable(tx, name)
    try:
        value = known.read(text)
    except ValueError as error:
        raise invalid_request((name, str(error))) from None
    plain = known.text(value) or ""
    insert = upsert(tx.dialect, setting)
    row = {
        "value": _sealed(tx, name, plain) if known.secret else plain,
        "sealed": int(known.secret),
        "hint": hint_of(plain) if known.secret else None,
        "updated_at": tx.now,
        "updated_by": by.user_id if by else None,
    }
    tx.execute(
        insert.values(name=name, **row).on_conflict_do_update(index_elements=[setting.c.name], set_=row)
    )
    _note(tx, name, by)


def unset(tx: Tx, name: str, by: Principal | None = None) -> None:
    """Forget what was stored, so that the default holds; a secret is gone then. Nothing stored is no mistake.

    Raises:
        ProblemError: 422 ``invalid_request`` for an unknown name; 409 ``overridden_by_environment``.
    """
    known = _changeable(tx, name)
    if tx.execute(delete(setting).where(setting.c.name == known.name)).rowcount:
        _note(tx, name, by)


def shop(tx: Tx) -> Shop:
    """What the frame shows of the shop."""
    return Shop(
        name=get(tx, "shop.name"),
        environment=get(tx, "shop.environment"),
        currency=get(tx, "shop.currency"),
        time_zone=get(tx, "shop.time_zone"),
    )


def complaints(tx: Tx) -> list[str]:
    """One sentence for each stored setting that is no use, saying what holds instead."""
    kept = snapshot.stored(tx)
    found = []
    for known in sorted(REGISTRY.values(), key=lambda known: known.name):
        sentence = complaint(tx.setting_source, kept, known, f"The setting {known.name}")
        found += [sentence] if sentence else []
    return found


def complaint(source: SettingSource, kept: Kept, known: Setting[Any], subject: str) -> str | None:
    """What is wrong with a stored setting, a sentence that begins with ``subject``; None when it is of use."""
    row = kept.rows.get(known.name)
    if row is None or known.name in source.overrides:
        return None
    if known.secret:
        return f"{subject} {_UNREADABLE}." if _open(source, row) is None else None
    try:
        known.read(row.value)
    except ValueError as error:
        return f"{subject} {error}; {known.text(known.default) or 'nothing'} holds instead."
    return None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it is stored.

    Args:
        name: of the setting.
        key_id: of the key that sealed it; None for a text that was never sealed.
        opens: whether this process can open it.
    """

    name: str
    key_id: str | None
    opens: bool
    updated_at: int


def sealed(tx: Tx) -> list[Sealed]:
    """Every stored secret, by name."""
    source = tx.setting_source
    return [
        Sealed(name, crypto.key_id_of(row.value), _open(source, row) is not None, row.updated_at)
        for name, row in sorted(snapshot.stored(tx).rows.items())
        if row.sealed
    ]


def seal_anew(tx: Tx) -> tuple[int, int]:
    """Seal every secret that opens with the key that seals now.

    Returns:
        How many were sealed anew, and how many did not open and stay as they are.

    Raises:
        KeyTroubleError: there is no usable key.
    """
    box = tx.setting_source.box
    done = left = 0
    for name, row in snapshot.stored(tx).rows.items():
        if not row.sealed:
            continue
        plain = _open(tx.setting_source, row)
        if plain is None:
            left += 1
            continue
        anew = update(setting).where(setting.c.name == name, setting.c.value == row.value)
        done += tx.execute(anew.values(value=box.seal(name, plain))).rowcount
    if done:
        snapshot.changed(tx)
    audit.record(tx, "key.rotated", caller=None, metadata={"secrets": done})
    return done, left


def hint_of(plain: str) -> str:
    """What is shown of a secret: its last four letters when it is long enough that they tell little."""
    return ", ".join(
        _HINT + (part[-4:] if len(part) >= _LONG_ENOUGH else "") for part in plain.split(",", maxsplit=9)
    )


def overridden(name: str, variable: str) -> ProblemError:
    """The refusal to change what the environment says."""
    return ProblemError(
        409,
        "overridden_by_environment",
        f"{name} is given by the variable {variable} of the server's environment: change it there.",
    )


def _changeable(tx: Tx, name: str) -> Setting[Any]:
    known = REGISTRY.get(name)
    if known is None:
        raise invalid_request((name, "there is no such setting"))
    if (override := tx.setting_source.overrides.get(name)) is not None:
        raise overridden(name, override.variable)
    return known


def _sealed(tx: Tx, name: str, plain: str) -> str:
    try:
        return tx.setting_source.box.seal(name, plain)
    except KeyTroubleError as error:
        raise ProblemError(503, "unavailable", f"The secret cannot be kept: {error}") from None


def _note(tx: Tx, name: str, by: Principal | None) -> None:
    snapshot.changed(tx)
    audit.record(tx, "setting.changed", caller=by, resource_type="setting", resource_id=name)


def _value(source: SettingSource, kept: Kept, known: Setting[Any]) -> Any:
    if known.secret:
        raise TypeError(f"{known.name} is a secret")
    if (override := source.overrides.get(known.name)) is not None:
        return known.read(override.text)
    row = kept.rows.get(known.name)
    if row is not None:
        try:
            return known.read(row.value)
        except ValueError:
            _log.warning("setting invalid, default holds", extra={"fields": {"setting": known.name}})
    return known.default if known.like is None else _value(source, kept, REGISTRY[known.like])


def _opened(source: SettingSource, kept: Kept, known: Setting[Any]) -> str | None:
    if (override := source.overrides.get(known.name)) is not None:
        return str(known.read(override.text))
    row = kept.rows.get(known.name)
    return None if row is None else _open(source, row)


def _open(source: SettingSource, row: Any) -> str | None:
    """A stored secret; None when it cannot be opened, or was never sealed: nobody slips one in as plain text."""
    try:
        return source.box.open(row.name, row.value) if row.sealed else None
    except UnreadableError:
        return None
