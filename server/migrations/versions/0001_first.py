"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")

# The search index of SQLite answers *moments*: its row number is occurred_at with 21 bits of seq below, so that
# walking it backwards walks through time. Level and category are words of their own behind a private sign.
# detail=none and columnsize=0: no phrases, a tenth of the size. It holds no text of its own.
_FTS = (
    """USING fts5(words, content='', detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 2")"""
)
_WORDS = "{0}.words || ' \ue000' || {0}.level || ' \ue000' || {0}.category"
_MOMENT = "({0}.occurred_at << 21) | ({1}.seq & 2097151)"
_SQLITE_SEARCH = (
    f"CREATE VIRTUAL TABLE activity_words {_FTS}",
    f"""CREATE TRIGGER activity_words_insert AFTER INSERT ON activity BEGIN
        INSERT INTO activity_words(rowid, words)
        VALUES ({_MOMENT.format("new", "new")}, {_WORDS.format("new")}); END""",
    f"""CREATE TRIGGER activity_words_delete AFTER DELETE ON activity BEGIN
        INSERT INTO activity_words(activity_words, rowid, words)
        VALUES ('delete', {_MOMENT.format("old", "old")}, {_WORDS.format("old")}); END""",
    "CREATE VIRTUAL TABLE activity_words_terms USING fts5vocab(activity_words, 'row')",
    f"CREATE VIRTUAL TABLE activity_text_words {_FTS}",
    f"""CREATE TRIGGER activity_text_words_insert AFTER INSERT ON activity_text BEGIN
        INSERT INTO activity_text_words(rowid, words)
        VALUES ({_MOMENT.format("new", "new")}, new.words); END""",
    f"""CREATE TRIGGER activity_text_words_delete AFTER DELETE ON activity_text BEGIN
        INSERT INTO activity_text_words(activity_text_words, rowid, words)
        VALUES ('delete', {_MOMENT.format("old", "old")}, old.words); END""",
    "CREATE VIRTUAL TABLE activity_text_words_terms USING fts5vocab(activity_text_words, 'row')",
)
_POSTGRESQL_SEARCH = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_activity_words ON activity USING gin (words gin_trgm_ops)",
    "CREATE INDEX ix_activity_text_words ON activity_text USING gin (words gin_trgm_ops)",
)


def upgrade() -> None:
    _kit()
    _people()
    _accounts()
    _orders()
    _activity()
    search = _SQLITE_SEARCH if op.get_context().dialect.name == "sqlite" else _POSTGRESQL_SEARCH
    for statement in search:
        op.execute(statement)


def _kit() -> None:
    op.create_table(
        "topic",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("counter", INT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_topic"),
        sqlite_strict=True,
    )
    op.create_table(
        "store_fact",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_store_fact"),
        sqlite_strict=True,
    )
    op.create_table(
        "idempotency",
        sa.Column("token_id", ID, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("request_hash", TEXT, nullable=False),
        sa.Column("status", INT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("token_id", "key", name="pk_idempotency"),
        sqlite_strict=True,
    )


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("email_key", TEXT, nullable=True),
        sa.Column("name_key", TEXT, nullable=True),
        sa.Column("phone", TEXT, nullable=True),
        sa.Column("mark", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.Column("erased_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_person_kind_email",
        "person",
        ["kind", "email_key"],
        unique=True,
        sqlite_where=sa.text("email_key IS NOT NULL"),
        postgresql_where=sa.text("email_key IS NOT NULL"),
    )
    op.create_table(
        "address",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_address_person_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("line1", TEXT, nullable=True),
        sa.Column("line2", TEXT, nullable=True),
        sa.Column("city", TEXT, nullable=True),
        sa.Column("postal_code", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_address"),
        sqlite_strict=True,
    )
    op.create_index("ix_address_person_id", "address", ["person_id"])
    op.create_table(
        "setting",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_setting"),
        sqlite_strict=True,
    )
    op.create_table(
        "audit",
        sa.Column("seq", INT, autoincrement=True, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("actor_user_id", ID, nullable=True),
        sa.Column("actor_role", TEXT, nullable=True),
        sa.Column("token_id", ID, nullable=True),
        sa.Column("resource_type", TEXT, nullable=True),
        sa.Column("resource_id", ID, nullable=True),
        sa.Column("target_user_id", ID, nullable=True),
        sa.Column("metadata", TEXT, nullable=False),
        sa.Column("inserted_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sa.UniqueConstraint("id", name="uq_audit_id"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_inserted", "audit", ["inserted_at", "id"])


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, sa.ForeignKey("person.id", name="fk_account_person_id"), nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("active", FLAG, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("deactivated_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("person_id", name="uq_account_person_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "token",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "user_id",
            ID,
            sa.ForeignKey("account.id", name="fk_token_user_id", ondelete="CASCADE"),
            nullable=True,
        ),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("secret_hash", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("expires_at", INT, nullable=True),
        sa.Column("last_used_at", INT, nullable=True),
        sa.Column("revoked_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sqlite_strict=True,
    )
    op.create_index("ix_token_user_id", "token", ["user_id"])
    op.create_table(
        "setup_code",
        sa.Column("id", INT, nullable=False),
        sa.Column("code_hash", TEXT, nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.Column("attempts", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_setup_code"),
        sqlite_strict=True,
    )


def _orders() -> None:
    op.create_table(
        "shop_order",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_shop_order_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column(
            "address_id",
            ID,
            sa.ForeignKey("address.id", name="fk_shop_order_address_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("total", INT, nullable=False),
        sa.Column("shipping", INT, nullable=True),
        sa.Column("refunded", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("payment_status", TEXT, nullable=False),
        sa.Column("fulfilment_status", TEXT, nullable=False),
        sa.Column("fulfilment_error", TEXT, nullable=True),
        sa.Column("fulfilment_attempt", INT, nullable=True),
        sa.Column("stripe_session_id", TEXT, nullable=True),
        sa.Column("payment_intent", TEXT, nullable=True),
        sa.Column("provider", TEXT, nullable=True),
        sa.Column("provider_order_id", TEXT, nullable=True),
        sa.Column("carrier", TEXT, nullable=True),
        sa.Column("tracking_number", TEXT, nullable=True),
        sa.Column("tracking_url", TEXT, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.Column("paid_at", INT, nullable=True),
        sa.Column("payment_failed_at", INT, nullable=True),
        sa.Column("refunded_at", INT, nullable=True),
        sa.Column("submitted_at", INT, nullable=True),
        sa.Column("processing_at", INT, nullable=True),
        sa.Column("shipped_at", INT, nullable=True),
        sa.Column("delivered_at", INT, nullable=True),
        sa.Column("failed_at", INT, nullable=True),
        sa.Column("cancelled_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shop_order"),
        sa.UniqueConstraint("number", name="uq_shop_order_number"),
        sa.UniqueConstraint("stripe_session_id", name="uq_shop_order_stripe_session_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_shop_order_address_id", "shop_order", ["address_id"])
    op.create_index("ix_shop_order_fulfilment", "shop_order", ["fulfilment_status", "created_at", "id"])
    op.create_index("ix_shop_order_newest", "shop_order", ["created_at", "id"])
    op.create_index("ix_shop_order_payment", "shop_order", ["payment_status", "created_at", "id"])
    op.create_index("ix_shop_order_payment_intent", "shop_order", ["payment_intent"])
    op.create_index("ix_shop_order_person_id", "shop_order", ["person_id"])
    op.create_table(
        "order_item",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "order_id",
            ID,
            sa.ForeignKey("shop_order.id", name="fk_order_item_order_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("position", INT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("unit_price", INT, nullable=False),
        sa.Column("product_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_order_item"),
        sqlite_strict=True,
    )
    op.create_index("ix_order_item_order", "order_item", ["order_id", "position"])
    op.create_table(
        "order_day",
        sa.Column("day", TEXT, nullable=False),
        sa.Column("last", INT, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_order_day"),
        sqlite_strict=True,
    )


def _activity() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("occurred_at", INT, nullable=False),
        sa.Column("received_at", INT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", INT, nullable=False),
        sa.Column("next_try_at", INT, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("waits_for", TEXT, nullable=True),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint(
            "provider", "connection", "event_id", name="uq_inbox_provider_connection_event_id"
        ),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_inbox_due",
        "inbox",
        ["next_try_at"],
        sqlite_where=sa.text("next_try_at IS NOT NULL"),
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_index("ix_inbox_person_id", "inbox", ["person_id"])
    op.create_index(
        "ix_inbox_body",
        "inbox",
        ["received_at"],
        sqlite_where=sa.text("body <> ''"),
        postgresql_where=sa.text("body <> ''"),
    )
    op.create_index(
        "ix_inbox_waits_for",
        "inbox",
        ["waits_for"],
        sqlite_where=sa.text("waits_for IS NOT NULL"),
        postgresql_where=sa.text("waits_for IS NOT NULL"),
    )
    op.create_table(
        "activity",
        sa.Column("seq", INT, autoincrement=True, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("internal", FLAG, nullable=False),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("actor_kind", TEXT, nullable=False),
        sa.Column("actor_user_id", ID, nullable=True),
        sa.Column("actor_name", TEXT, nullable=True),
        sa.Column("params", TEXT, nullable=False),
        sa.Column("words", TEXT, nullable=False),
        sa.Column("identity", ID, nullable=False),
        sa.Column("group_key", ID, nullable=False),
        sa.Column("occurred_at", INT, nullable=False),
        sa.Column("inserted_at", INT, nullable=False),
        sa.Column("resolved_at", INT, nullable=True),
        sa.Column("resolved_by", ID, nullable=True),
        sa.Column("resolution", ID, nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_activity"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_activity_category", "activity", ["category", "occurred_at", "id"])
    op.create_index("ix_activity_inserted", "activity", ["inserted_at", "seq"])
    op.create_index("ix_activity_newest", "activity", ["occurred_at", "id"])
    op.create_index(
        "ix_activity_open",
        "activity",
        ["occurred_at", "id"],
        sqlite_where=sa.text("resolved_at IS NULL AND level <> 'info'"),
        postgresql_where=sa.text("resolved_at IS NULL AND level <> 'info'"),
    )
    op.create_index(
        "ix_activity_open_group",
        "activity",
        ["group_key", "occurred_at", "id", "seq", "order_id"],
        sqlite_where=sa.text("resolved_at IS NULL AND level <> 'info'"),
        postgresql_where=sa.text("resolved_at IS NULL AND level <> 'info'"),
    )
    op.create_index(
        "ix_activity_open_order",
        "activity",
        ["order_id"],
        sqlite_where=sa.text("resolved_at IS NULL AND level <> 'info'"),
        postgresql_where=sa.text("resolved_at IS NULL AND level <> 'info'"),
    )
    op.create_index(
        "ix_activity_resolution",
        "activity",
        ["resolution"],
        sqlite_where=sa.text("resolution IS NOT NULL"),
        postgresql_where=sa.text("resolution IS NOT NULL"),
    )
    op.create_index(
        "ix_activity_order",
        "activity",
        ["order_id", "occurred_at", "id"],
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        "ix_activity_person",
        "activity",
        ["person_id", "occurred_at", "id"],
        sqlite_where=sa.text("person_id IS NOT NULL"),
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_index(
        "ix_activity_raised",
        "activity",
        ["level", "occurred_at", "id"],
        sqlite_where=sa.text("level <> 'info'"),
        postgresql_where=sa.text("level <> 'info'"),
    )
    op.create_index("uq_activity_id", "activity", ["id"], unique=True)
    op.create_index("uq_activity_identity", "activity", ["identity"], unique=True)
    op.create_table(
        "activity_text",
        sa.Column("seq", INT, autoincrement=True, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("occurred_at", INT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("words", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_activity_text"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_activity_text_person_id", "activity_text", ["person_id"])
    op.create_index(
        "uq_activity_text_activity_id_name", "activity_text", ["activity_id", "name"], unique=True
    )
