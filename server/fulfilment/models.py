"""Tables of the fulfilment."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint, text

from server.kit.schema import FLAG, ID, INT, MS, TEXT, metadata, partial_index

submission = Table(
    "submission",
    metadata,
    Column("id", ID, primary_key=True),
    Column("order_id", ID, ForeignKey("shop_order.id", ondelete="CASCADE"), nullable=False),
    Column("provider", TEXT, nullable=False),
    Column("external_id", TEXT, nullable=False),  # what the provider knows it by: our order number
    # prepared: nothing was sent yet | sent: it may have arrived | accepted | refused (for certain)
    Column("state", TEXT, nullable=False),
    Column("provider_order_id", TEXT),
    Column("fingerprint", TEXT),  # of what was sent last: the same again would be refused again
    Column("permanent", FLAG, nullable=False, server_default=text("0")),
    Column("reason", TEXT),  # the provider's own words about the last refusal
    Column("attempts", INT, nullable=False, server_default=text("0")),
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    Column("sent_at", MS),
    Column("accepted_at", MS),
    UniqueConstraint("order_id", "provider"),
    Index("ix_submission_provider_order", "provider", "provider_order_id"),
    sqlite_strict=True,
)
"""One order at one provider. ``sent`` is committed before the request leaves, so a dropped answer is looked up."""

sync_run = Table(
    "sync_run",
    metadata,
    Column("id", ID, primary_key=True),
    Column("provider", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),  # running | done | failed
    Column("seen", INT, nullable=False, server_default=text("0")),
    Column("total", INT),
    Column("products", INT, nullable=False, server_default=text("0")),
    Column("created", INT, nullable=False, server_default=text("0")),
    Column("updated", INT, nullable=False, server_default=text("0")),
    Column("removed", INT, nullable=False, server_default=text("0")),
    Column("reason", TEXT),
    Column("started_at", MS, nullable=False),
    Column("heard_at", MS, nullable=False),
    Column("finished_at", MS),
    Index("ix_sync_run_newest", "provider", "started_at"),
    partial_index("ux_sync_run_running", "provider", unique=True, where=text("state = 'running'")),
    sqlite_strict=True,
)
