"""Table of what senders told us."""

from __future__ import annotations

from sqlalchemy import Column, Table, UniqueConstraint, text

from server.kit.schema import ID, INT, MS, TEXT, metadata, partial_index

BODY_KEPT = text("body <> ''")

inbox = Table(
    "inbox",
    metadata,
    Column("id", ID, primary_key=True),
    Column("provider", TEXT, nullable=False),
    Column("connection", TEXT, nullable=False),
    Column("event_id", TEXT, nullable=False),
    Column("type", TEXT, nullable=False),
    Column("occurred_at", MS, nullable=False),
    Column("received_at", MS, nullable=False),
    Column("state", TEXT, nullable=False),  # received | done | ignored | parked | failed | dead
    Column("attempts", INT, nullable=False),
    Column("next_try_at", MS),
    Column("error", TEXT),
    Column("waits_for", TEXT),  # what a parked one waits for, e.g. a payment intent
    Column("person_id", ID, index=True),  # whose data the body holds, once known
    Column("order_id", ID),
    Column(
        "body", TEXT, nullable=False
    ),  # emptied when its time is over; the row stays, so that a replay is known
    UniqueConstraint("provider", "connection", "event_id"),
    partial_index("ix_inbox_due", "next_try_at", where=text("next_try_at IS NOT NULL")),
    partial_index("ix_inbox_waits_for", "waits_for", where=text("waits_for IS NOT NULL")),
    partial_index("ix_inbox_body", "received_at", where=BODY_KEPT),
    sqlite_strict=True,
)
