"""Tables of the carts that the shop's front keeps here."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint

from server.kit.schema import ID, INT, JSON, MS, TEXT, metadata

cart = Table(
    "cart",
    metadata,
    Column("id", ID, primary_key=True),
    Column("state", TEXT, nullable=False),  # active | converting | converted | merged | abandoned | expired
    Column("person_id", ID, ForeignKey("person.id", ondelete="CASCADE"), index=True),
    Column("session_hash", TEXT, index=True),  # a guest's session at the shop's front, hashed
    Column("currency", TEXT, nullable=False),
    Column("shipping_method", TEXT),
    Column("shipping_amount", INT),
    Column("payment_option", TEXT),
    Column("order_id", ID, index=True),  # what it was converted into
    Column("merged_into", ID),
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    Column("expires_at", MS),  # a guest's only
    Index("ix_cart_state", "state", "updated_at", "id"),
    sqlite_strict=True,
)

cart_line = Table(
    "cart_line",
    metadata,
    Column("id", ID, primary_key=True),
    Column("cart_id", ID, ForeignKey("cart.id", ondelete="CASCADE"), nullable=False),
    Column("product_id", ID, nullable=False),
    Column("variant_id", ID),
    Column("specs", JSON, nullable=False),
    Column(
        "specs_hash", TEXT, nullable=False
    ),  # of the specs (and the variant), whatever the order of their keys
    Column("name", TEXT, nullable=False),
    Column("quantity", INT, nullable=False),
    Column("unit_price", INT, nullable=False),  # as it stood when the line was made
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    UniqueConstraint("cart_id", "product_id", "specs_hash"),
    sqlite_strict=True,
)
