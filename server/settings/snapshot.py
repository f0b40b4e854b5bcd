"""The stored settings, read once and kept until their counter moves.

A setting is asked for on every mail, job and poll. So a transaction asks the store only for the counter of the topic
``settings``, and reads the table when it moved. Whoever changes a setting moves the counter at once, in the same
transaction (`changed`), not only at the commit: other units of the same group commit see it move too.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select

from server.kit import topics
from server.kit.prepared import Prepared
from server.kit.schema import topic
from server.kit.setting_source import Kept
from server.kit.tx import Tx
from server.settings.models import setting

TOPIC: Final = "settings"
_COUNTER: Final = Prepared(select(topic.c.counter).where(topic.c.name == bindparam("topic_")))
_ROWS: Final = select(setting)


def stored(tx: Tx) -> Kept:
    """The settings as they stand for this transaction."""
    if tx.settings_seen is not None:
        return tx.settings_seen
    found = _COUNTER.rows(tx, topic_=TOPIC)
    counter = int(found[0][0]) if found else 0
    kept = tx.setting_source.kept
    if kept is None or kept.counter != counter or tx.settings_changed:
        kept = Kept(counter, {row.name: row for row in tx.execute(_ROWS)})
        _keep(tx, kept)
    if not tx.settings_changed:
        tx.settings_seen = kept
    return kept


def changed(tx: Tx) -> None:
    """Say that this transaction changed a setting."""
    if not tx.settings_changed:
        topics.move(tx, [TOPIC])
        tx.settings_changed = True
        tx.after_commit(tx.setting_source.forget)
    tx.settings_seen = None


def _keep(tx: Tx, kept: Kept) -> None:
    """Let others use what was read, once it is sure that it stands.

    What a writing transaction sees may be rolled back, its own group's changes with it. And one that changed settings
    itself may have undone a part of that, to a savepoint, after the counter was read.
    """
    source = tx.setting_source
    generation = source.generation

    def publish() -> None:
        if not tx.settings_changed and source.generation == generation:
            source.kept = kept

    if tx.writing:
        tx.after_commit(publish)
    else:
        publish()
