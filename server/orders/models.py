"""Tables of the orders. The customer and the address stand in the vault."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, text

from server.kit.schema import ID, INT, MS, TEXT, metadata, partial_index

order = Table(
    "shop_order",
    metadata,
    Column("id", ID, primary_key=True),
    Column("number", TEXT, nullable=False, unique=True),
    Column("person_id", ID, ForeignKey("person.id", ondelete="SET NULL")),
    Column("address_id", ID, ForeignKey("address.id", ondelete="SET NULL"), index=True),
    Column("currency", TEXT, nullable=False),
    Column("total", INT, nullable=False),
    Column("shipping", INT),
    Column("refunded", INT, nullable=False, server_default=text("0")),
    Column("payment_status", TEXT, nullable=False),
    Column("fulfilment_status", TEXT, nullable=False),
    Column("fulfilment_error", TEXT),
    Column("fulfilment_attempt", INT),  # the last one that was told to have failed
    Column("stripe_session_id", TEXT, unique=True),
    Column("payment_intent", TEXT, index=True),
    Column("provider", TEXT),
    Column("provider_order_id", TEXT),
    Column("provider_status", TEXT),  # in the provider's own words
    Column("carrier", TEXT),
    Column("tracking_number", TEXT),
    Column("tracking_url", TEXT),
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    Column("paid_at", MS),
    Column("payment_failed_at", MS),
    Column("refunded_at", MS),
    Column("submitted_at", MS),
    Column("processing_at", MS),
    Column("shipped_at", MS),
    Column("delivered_at", MS),
    Column("failed_at", MS),
    Column("cancelled_at", MS),
    Column(
        "handled_by", TEXT, nullable=False, server_default=text("'shopbell'")
    ),  # or the shop's own program
    Column("overdue_for", TEXT),  # the step that was told to be overdue, until it comes
    Column("overdue_since", MS),
    Column("person_mark", TEXT),  # what stands in the customer's place after the erasure
    Column("anonymized_at", MS),
    partial_index(
        "ix_shop_order_provider_order", "provider_order_id", where=text("provider_order_id IS NOT NULL")
    ),
    Index("ix_shop_order_newest", "created_at", "id"),
    Index("ix_shop_order_person", "person_id", "created_at", "id"),
    Index("ix_shop_order_total", "total", "id"),
    Index("ix_shop_order_payment", "payment_status", "created_at", "id"),
    Index("ix_shop_order_fulfilment", "fulfilment_status", "created_at", "id"),
    sqlite_strict=True,
)

order_item = Table(
    "order_item",
    metadata,
    Column("id", ID, primary_key=True),
    Column("order_id", ID, ForeignKey("shop_order.id", ondelete="CASCADE"), nullable=False),
    Column("position", INT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("quantity", INT, nullable=False),
    Column("unit_price", INT, nullable=False),
    Column("product_id", TEXT),
    Column("variant_id", TEXT),
    Index("ix_order_item_order", "order_id", "position"),
    sqlite_strict=True,
)

order_payment = Table(
    "order_payment",
    metadata,
    Column("intent", TEXT, primary_key=True),
    Column("order_id", ID, ForeignKey("shop_order.id", ondelete="CASCADE"), nullable=False, index=True),
    sqlite_strict=True,
)
"""Payments that came for an order beside the one that paid for it, so that what becomes of them finds it."""

order_day = Table(
    "order_day",
    metadata,
    Column("day", TEXT, primary_key=True),  # YYMMDD in the shop's time zone
    Column("last", INT, nullable=False),
    sqlite_strict=True,
)
"""The last order number given on each day."""
