"""Tables of the catalogue."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint, text

from server.kit.schema import FLAG, ID, INT, JSON, MS, TEXT, metadata

category = Table(
    "category",
    metadata,
    Column("id", ID, primary_key=True),
    Column("slug", TEXT, nullable=False, unique=True),
    Column("name", TEXT, nullable=False),
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    sqlite_strict=True,
)

product = Table(
    "product",
    metadata,
    Column("id", ID, primary_key=True),
    Column("slug", TEXT, nullable=False, unique=True),
    Column("name", TEXT, nullable=False),
    Column("description", TEXT),
    Column("category_id", ID, ForeignKey("category.id", ondelete="SET NULL"), index=True),
    Column("provider", TEXT),  # who makes it; none: the shop itself
    Column("provider_product_id", TEXT),
    Column("available", FLAG, nullable=False, server_default=text("1")),
    Column("image_url", TEXT),
    Column("checksum", TEXT),  # of what the provider said last; equal means that nothing changed
    Column("synced_at", MS),
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    UniqueConstraint("provider", "provider_product_id"),
    Index("ix_product_name", "name", "id"),
    sqlite_strict=True,
)

variant = Table(
    "variant",
    metadata,
    Column("id", ID, primary_key=True),
    Column("product_id", ID, ForeignKey("product.id", ondelete="CASCADE"), nullable=False),
    Column("position", INT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("sku", TEXT, index=True),
    Column("provider_variant_id", TEXT),
    Column("price", INT),
    Column("currency", TEXT),
    Column("stock", INT),  # none: not counted (made when it is ordered)
    Column("available", FLAG, nullable=False, server_default=text("1")),
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    Index("ix_variant_product", "product_id", "position"),
    sqlite_strict=True,
)

product_option = Table(
    "product_option",
    metadata,
    Column("product_id", ID, ForeignKey("product.id", ondelete="CASCADE"), primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("required", FLAG, nullable=False, server_default=text("0")),
    Column("choices", JSON, nullable=False),  # the values that may be chosen; none: any
    sqlite_strict=True,
)
"""What a customer may choose about a product beside its variant (an engraving, a gift wrap)."""
