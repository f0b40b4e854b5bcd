"""Tables of the activity log.

No foreign keys and no unique constraint on outside data: nothing about the log may make a business write fail.
``identity`` is a hash of fixed length. Rows hold no name, no e-mail and no stranger's text; those stand in the
vault and in ``activity_text``, which can be emptied for one person without touching a row of the log.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, text

from server.kit.schema import FLAG, ID, INT, JSON, MS, TEXT, metadata, partial_index

_OPEN = text("resolved_at IS NULL AND level <> 'info'")
_RESOLVED = text("resolution IS NOT NULL")
_RAISED = text("level <> 'info'")
_HAS_ORDER = text("order_id IS NOT NULL")
_HAS_PERSON = text("person_id IS NOT NULL")

activity = Table(
    "activity",
    metadata,
    Column("seq", INT, primary_key=True, autoincrement=True),  # the order in which rows were recorded
    Column("id", ID, nullable=False),
    Column("type", TEXT, nullable=False),
    Column("level", TEXT, nullable=False),
    Column("category", TEXT, nullable=False),
    Column("internal", FLAG, nullable=False),
    Column("order_id", ID),
    Column("person_id", ID),
    Column("actor_kind", TEXT, nullable=False),
    Column("actor_user_id", ID),
    Column("actor_name", TEXT),  # a provider's or job's name; people are found by actor_user_id
    Column("params", JSON, nullable=False),
    Column("words", TEXT, nullable=False),  # what search finds (see activity.words): no personal data
    Column("identity", ID, nullable=False),
    Column("group_key", ID, nullable=False),
    Column("occurred_at", MS, nullable=False),
    Column("inserted_at", MS, nullable=False),
    Column("resolved_at", MS),
    Column("resolved_by", ID),
    Column(
        "resolution", ID
    ),  # one id for all that was resolved in one act, so that undo reopens exactly those
    Index("uq_activity_id", "id", unique=True),
    Index("uq_activity_identity", "identity", unique=True),
    Index("ix_activity_newest", "occurred_at", "id"),
    Index("ix_activity_category", "category", "occurred_at", "id"),
    partial_index("ix_activity_order", "order_id", "occurred_at", "id", where=_HAS_ORDER),
    partial_index("ix_activity_person", "person_id", "occurred_at", "id", where=_HAS_PERSON),
    partial_index("ix_activity_raised", "level", "occurred_at", "id", where=_RAISED),
    partial_index("ix_activity_open", "occurred_at", "id", where=_OPEN),
    # covers the group's count, times and orders
    partial_index("ix_activity_open_group", "group_key", "occurred_at", "id", "seq", "order_id", where=_OPEN),
    partial_index("ix_activity_open_order", "order_id", where=_OPEN),
    partial_index("ix_activity_resolution", "resolution", where=_RESOLVED),
    Index("ix_activity_inserted", "inserted_at", "seq"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

activity_text = Table(
    "activity_text",
    metadata,
    Column("seq", INT, primary_key=True, autoincrement=True),
    Column("activity_id", ID, nullable=False),
    Column("name", TEXT, nullable=False),  # which parameter of the sentence: reason, message, …
    Column("person_id", ID, index=True),
    Column("occurred_at", MS, nullable=False),  # the entry's: the search index walks through time
    Column("value", TEXT, nullable=False),
    Column("words", TEXT, nullable=False),  # the value as search compares it (kit.folding.mark_words)
    Index("uq_activity_text_activity_id_name", "activity_id", "name", unique=True),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)
"""Strangers' free text, keyed by entry and person: a provider's reason, the sentence of a shop's own event."""
