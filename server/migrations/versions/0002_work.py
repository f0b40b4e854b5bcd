"""Work that gets done: jobs, the catalogue, providers, mail, cart recovery; sealed settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _settings()
    _orders()
    _jobs()
    _catalog()
    _fulfilment()
    _mail()
    _recovery()


def _settings() -> None:
    op.add_column("setting", sa.Column("sealed", FLAG, nullable=False, server_default=sa.text("0")))
    op.add_column("setting", sa.Column("hint", TEXT, nullable=True))
    op.add_column("setting", sa.Column("updated_by", ID, nullable=True))


def _orders() -> None:
    op.add_column("shop_order", sa.Column("provider_status", TEXT, nullable=True))
    op.add_column(
        "shop_order", sa.Column("handled_by", TEXT, nullable=False, server_default=sa.text("'shopbell'"))
    )
    op.add_column("shop_order", sa.Column("overdue_for", TEXT, nullable=True))
    op.add_column("shop_order", sa.Column("overdue_since", INT, nullable=True))
    op.add_column("order_item", sa.Column("variant_id", TEXT, nullable=True))
    op.create_index(
        "ix_shop_order_provider_order",
        "shop_order",
        ["provider_order_id"],
        sqlite_where=sa.text("provider_order_id IS NOT NULL"),
        postgresql_where=sa.text("provider_order_id IS NOT NULL"),
    )
    op.create_index("ix_shop_order_total", "shop_order", ["total", "id"])
    op.create_table(
        "order_payment",
        sa.Column("intent", TEXT, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("intent", name="pk_order_payment"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name="fk_order_payment_order_id", ondelete="CASCADE"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_order_payment_order_id", "order_payment", ["order_id"])


def _jobs() -> None:
    op.create_table(
        "job",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("queue", TEXT, nullable=False),
        sa.Column("args", TEXT, nullable=False),
        sa.Column("unique_key", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempt", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("max_attempts", INT, nullable=False),
        sa.Column("run_at", INT, nullable=False),
        sa.Column("held_until", INT, nullable=True),
        sa.Column("outside", FLAG, nullable=False, server_default=sa.text("0")),
        sa.Column("lease_until", INT, nullable=True),
        sa.Column("worker", TEXT, nullable=True),
        sa.Column("progress", TEXT, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("asked_by", ID, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("started_at", INT, nullable=True),
        sa.Column("finished_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_job_due",
        "job",
        ["queue", "run_at", "id"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_job_finished",
        "job",
        ["finished_at"],
        sqlite_where=sa.text("finished_at IS NOT NULL"),
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "ix_job_lease",
        "job",
        ["lease_until"],
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index("ix_job_newest", "job", ["created_at", "id"])
    op.create_index("ix_job_order", "job", ["order_id", "created_at"])
    op.create_index("ix_job_person", "job", ["person_id"])
    op.create_index("ix_job_state", "job", ["state", "created_at", "id"])
    op.create_index(
        "ux_job_unique_key",
        "job",
        ["unique_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'running')"),
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_table(
        "job_attempt",
        sa.Column(
            "job_id",
            ID,
            sa.ForeignKey("job.id", name="fk_job_attempt_job_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("attempt", INT, nullable=False),
        sa.Column("started_at", INT, nullable=False),
        sa.Column("finished_at", INT, nullable=True),
        sa.Column("outcome", TEXT, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("job_id", "attempt", name="pk_job_attempt"),
        sqlite_strict=True,
    )
    op.create_table(
        "job_queue",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("paused_at", INT, nullable=True),
        sa.Column("paused_by", ID, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_job_queue"),
        sqlite_strict=True,
    )
    op.create_table(
        "job_schedule",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("next_at", INT, nullable=False),
        sa.Column("last_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_job_schedule"),
        sqlite_strict=True,
    )


def _catalog() -> None:
    op.create_table(
        "category",
        sa.Column("id", ID, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_category"),
        sa.UniqueConstraint("slug", name="uq_category_slug"),
        sqlite_strict=True,
    )
    op.create_table(
        "product",
        sa.Column("id", ID, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=True),
        sa.Column(
            "category_id",
            ID,
            sa.ForeignKey("category.id", name="fk_product_category_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("provider", TEXT, nullable=True),
        sa.Column("provider_product_id", TEXT, nullable=True),
        sa.Column("available", FLAG, nullable=False, server_default=sa.text("1")),
        sa.Column("image_url", TEXT, nullable=True),
        sa.Column("checksum", TEXT, nullable=True),
        sa.Column("synced_at", INT, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_product"),
        sa.UniqueConstraint(
            "provider", "provider_product_id", name="uq_product_provider_provider_product_id"
        ),
        sa.UniqueConstraint("slug", name="uq_product_slug"),
        sqlite_strict=True,
    )
    op.create_index("ix_product_category_id", "product", ["category_id"])
    op.create_index("ix_product_name", "product", ["name", "id"])
    op.create_table(
        "variant",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "product_id",
            ID,
            sa.ForeignKey("product.id", name="fk_variant_product_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("position", INT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sku", TEXT, nullable=True),
        sa.Column("provider_variant_id", TEXT, nullable=True),
        sa.Column("price", INT, nullable=True),
        sa.Column("currency", TEXT, nullable=True),
        sa.Column("stock", INT, nullable=True),
        sa.Column("available", FLAG, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_variant"),
        sqlite_strict=True,
    )
    op.create_index("ix_variant_product", "variant", ["product_id", "position"])
    op.create_index("ix_variant_sku", "variant", ["sku"])


def _fulfilment() -> None:
    op.create_table(
        "submission",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "order_id",
            ID,
            sa.ForeignKey("shop_order.id", name="fk_submission_order_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("provider_order_id", TEXT, nullable=True),
        sa.Column("fingerprint", TEXT, nullable=True),
        sa.Column("permanent", FLAG, nullable=False, server_default=sa.text("0")),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("attempts", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.Column("sent_at", INT, nullable=True),
        sa.Column("accepted_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.UniqueConstraint("order_id", "provider", name="uq_submission_order_id_provider"),
        sqlite_strict=True,
    )
    op.create_index("ix_submission_provider_order", "submission", ["provider", "provider_order_id"])
    op.create_table(
        "sync_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("seen", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("total", INT, nullable=True),
        sa.Column("products", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("created", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("updated", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("removed", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("started_at", INT, nullable=False),
        sa.Column("heard_at", INT, nullable=False),
        sa.Column("finished_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sync_run"),
        sqlite_strict=True,
    )
    op.create_index("ix_sync_run_newest", "sync_run", ["provider", "started_at"])
    op.create_index(
        "ux_sync_run_running",
        "sync_run",
        ["provider"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )


def _mail() -> None:
    op.create_table(
        "mail",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("cart_id", ID, nullable=True),
        sa.Column("job_id", ID, nullable=True),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("sent_at", INT, nullable=True),
        sa.Column("bounced_at", INT, nullable=True),
        sa.Column("bounce", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_mail"),
        sa.UniqueConstraint("message_id", name="uq_mail_message_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_mail_newest", "mail", ["created_at", "id"])
    op.create_index("ix_mail_order", "mail", ["order_id", "created_at"])
    op.create_index("ix_mail_person_id", "mail", ["person_id"])
    op.create_table(
        "mail_text",
        sa.Column(
            "mail_id",
            ID,
            sa.ForeignKey("mail.id", name="fk_mail_text_mail_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("message", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("mail_id", name="pk_mail_text"),
        sqlite_strict=True,
    )


def _recovery() -> None:
    op.create_table(
        "abandoned_cart",
        sa.Column("id", ID, nullable=False),
        sa.Column("stripe_session_id", TEXT, nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", INT, nullable=False),
        sa.Column("items", TEXT, nullable=False),
        sa.Column("expired_at", INT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("emailed_at", INT, nullable=True),
        sa.Column("withheld", TEXT, nullable=True),
        sa.Column("recovered_at", INT, nullable=True),
        sa.Column("recovered_order_id", ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_abandoned_cart"),
        sa.UniqueConstraint("stripe_session_id", name="uq_abandoned_cart_stripe_session_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_abandoned_cart_created_at", "abandoned_cart", ["created_at"])
    op.create_index("ix_abandoned_cart_newest", "abandoned_cart", ["created_at", "id"])
    op.create_index("ix_abandoned_cart_person_id", "abandoned_cart", ["person_id"])
    op.create_table(
        "suppression",
        sa.Column("email_hash", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("email_hash", name="pk_suppression"),
        sqlite_strict=True,
    )
    op.create_table(
        "lookup_link",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_hash", TEXT, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.Column("used_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_lookup_link"),
        sa.UniqueConstraint("token_hash", name="uq_lookup_link_token_hash"),
        sqlite_strict=True,
    )
    op.create_index("ix_lookup_link_created_at", "lookup_link", ["created_at"])
    op.create_index("ix_lookup_link_person_id", "lookup_link", ["person_id"])
