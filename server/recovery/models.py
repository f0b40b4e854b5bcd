"""Tables of the cart recovery."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from server.kit.schema import ID, INT, JSON, MS, TEXT, metadata

abandoned_cart = Table(
    "abandoned_cart",
    metadata,
    Column("id", ID, primary_key=True),
    Column("stripe_session_id", TEXT, nullable=False, unique=True),
    Column("person_id", ID, index=True),
    Column("order_id", ID),  # the order that waited for the payment, where there was one
    Column("currency", TEXT, nullable=False),
    Column("amount", INT, nullable=False),
    Column("items", JSON, nullable=False),  # name, quantity, product_id
    Column("expired_at", MS, nullable=False),
    Column("created_at", MS, nullable=False, index=True),
    Column("emailed_at", MS),
    Column("withheld", TEXT),  # why no mail went out: suppressed, paid_since, no_person, switched_off
    Column("recovered_at", MS),
    Column("recovered_order_id", ID),
    Index("ix_abandoned_cart_newest", "created_at", "id"),
    sqlite_strict=True,
)

suppression = Table(
    "suppression",
    metadata,
    Column("email_hash", TEXT, primary_key=True),  # keyed: it outlives the person and tells nobody who it was
    Column("reason", TEXT, nullable=False),  # unsubscribed | bounced | complaint | by_hand
    Column("created_at", MS, nullable=False),
    sqlite_strict=True,
)
"""Addresses that get no recovery mail. Never pruned; erasure does not touch it."""
