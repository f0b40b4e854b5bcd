"""People: accounts of customers, tickets, what people publish, invoices, carts, topics, erasures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TEXT = sa.Text()
INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()


def upgrade() -> None:
    _columns()
    _topics()
    _vault()
    _accounts()
    _lookup()
    _catalog()
    _tickets()
    _ticket_comments()
    _ticket_history()
    _ticket_numbers()
    _posts()
    _files()
    _invoices()
    _transactions()
    _invoice_numbers()
    _carts()
    _deletion()


def _columns() -> None:
    op.add_column("person", sa.Column("hidden_at", INT, nullable=True))
    op.add_column("account", sa.Column("last_seen_at", INT, nullable=True))
    op.create_index("ix_person_newest", "person", ["created_at", "id"])
    op.create_index("ix_person_kind", "person", ["kind", "created_at", "id"])
    op.drop_index("ix_shop_order_person_id", "shop_order")
    op.create_index("ix_shop_order_person", "shop_order", ["person_id", "created_at", "id"])
    op.add_column("shop_order", sa.Column("person_mark", TEXT, nullable=True))
    op.add_column("shop_order", sa.Column("anonymized_at", INT, nullable=True))
    op.add_column("mail", sa.Column("anonymized_at", INT, nullable=True))
    op.add_column("audit", sa.Column("module", TEXT, nullable=False, server_default=sa.text("'access'")))
    op.add_column("audit", sa.Column("mode", TEXT, nullable=False, server_default=sa.text("'manual'")))
    op.create_index("ix_audit_actor", "audit", ["actor_user_id", "inserted_at"])
    op.create_index("ix_audit_resource", "audit", ["resource_type", "resource_id", "inserted_at"])
    op.create_index("ix_audit_target", "audit", ["target_user_id", "inserted_at"])


def _topics() -> None:
    op.create_table(
        "topic_event",
        sa.Column("seq", INT, autoincrement=True, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("at", INT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_topic_event"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_topic_event_at", "topic_event", ["at"])
    op.create_index("ix_topic_event_topic", "topic_event", ["topic", "seq"])


def _vault() -> None:
    op.create_table(
        "billing_profile",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_billing_profile_person_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "address_id",
            ID,
            sa.ForeignKey("address.id", name="fk_billing_profile_address_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("company", TEXT, nullable=True),
        sa.Column("tax_id", TEXT, nullable=True),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("phone", TEXT, nullable=True),
        sa.Column("is_default", FLAG, nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_billing_profile"),
        sqlite_strict=True,
    )
    op.create_index("ix_billing_profile_address_id", "billing_profile", ["address_id"])
    op.create_index("ix_billing_profile_person_id", "billing_profile", ["person_id"])
    op.create_table(
        "person_note",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_person_note_person_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("author_user_id", ID, nullable=True),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person_note"),
        sqlite_strict=True,
    )
    op.create_index("ix_person_note_person", "person_note", ["person_id", "created_at"])


def _accounts() -> None:
    op.create_table(
        "oauth_link",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "user_id",
            ID,
            sa.ForeignKey("account.id", name="fk_oauth_link_user_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_link"),
        sa.UniqueConstraint("provider", "subject", name="uq_oauth_link_provider_subject"),
        sqlite_strict=True,
    )
    op.create_index("ix_oauth_link_user_id", "oauth_link", ["user_id"])
    op.create_table(
        "invitation",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "user_id",
            ID,
            sa.ForeignKey("account.id", name="fk_invitation_user_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("code_hash", TEXT, nullable=False),
        sa.Column("invited_by", ID, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.Column("accepted_at", INT, nullable=True),
        sa.Column("revoked_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("code_hash", name="uq_invitation_code_hash"),
        sqlite_strict=True,
    )
    op.create_index("ix_invitation_user_id", "invitation", ["user_id"])


def _lookup() -> None:
    op.create_table(
        "lookup_session",
        sa.Column("id", ID, nullable=False),
        sa.Column("secret_hash", TEXT, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lookup_session"),
        sa.UniqueConstraint("secret_hash", name="uq_lookup_session_secret_hash"),
        sqlite_strict=True,
    )
    op.create_index("ix_lookup_session_expires_at", "lookup_session", ["expires_at"])
    op.create_index("ix_lookup_session_person_id", "lookup_session", ["person_id"])


def _catalog() -> None:
    op.create_table(
        "product_option",
        sa.Column(
            "product_id",
            ID,
            sa.ForeignKey("product.id", name="fk_product_option_product_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("required", FLAG, nullable=False, server_default=sa.text("0")),
        sa.Column("choices", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("product_id", "key", name="pk_product_option"),
        sqlite_strict=True,
    )


def _tickets() -> None:
    op.create_table(
        "ticket",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("priority", TEXT, nullable=False, server_default=sa.text("'normal'")),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_ticket_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("person_mark", TEXT, nullable=True),
        sa.Column("anonymized_at", INT, nullable=True),
        sa.Column("order_id", ID, nullable=True),
        sa.Column(
            "assigned_to",
            ID,
            sa.ForeignKey("account.id", name="fk_ticket_assigned_to", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("comment_count", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.Column("resolved_at", INT, nullable=True),
        sa.Column("closed_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.UniqueConstraint("number", name="uq_ticket_number"),
        sa.UniqueConstraint("slug", name="uq_ticket_slug"),
        sqlite_strict=True,
    )
    op.create_index("ix_ticket_assigned_to", "ticket", ["assigned_to"])
    op.create_index("ix_ticket_newest", "ticket", ["created_at", "id"])
    op.create_index("ix_ticket_order_id", "ticket", ["order_id"])
    op.create_index("ix_ticket_person_id", "ticket", ["person_id"])
    op.create_index("ix_ticket_status", "ticket", ["status", "created_at", "id"])
    op.create_index("ix_ticket_updated", "ticket", ["updated_at", "id"])


def _ticket_comments() -> None:
    op.create_table(
        "ticket_comment",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "ticket_id",
            ID,
            sa.ForeignKey("ticket.id", name="fk_ticket_comment_ticket_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("is_internal", FLAG, nullable=False),
        sa.Column("author_kind", TEXT, nullable=False),
        sa.Column("author_user_id", ID, nullable=True),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_ticket_comment_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("author_mark", TEXT, nullable=True),
        sa.Column("anonymized_at", INT, nullable=True),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("mail_id", ID, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_comment"),
        sqlite_strict=True,
    )
    op.create_index("ix_ticket_comment_author_user_id", "ticket_comment", ["author_user_id"])
    op.create_index("ix_ticket_comment_mail_id", "ticket_comment", ["mail_id"])
    op.create_index("ix_ticket_comment_person_id", "ticket_comment", ["person_id"])
    op.create_index("ix_ticket_comment_ticket", "ticket_comment", ["ticket_id", "created_at", "id"])


def _ticket_history() -> None:
    op.create_table(
        "ticket_history",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "ticket_id",
            ID,
            sa.ForeignKey("ticket.id", name="fk_ticket_history_ticket_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("changed_by", ID, nullable=True),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("value_from", TEXT, nullable=True),
        sa.Column("value_to", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_history"),
        sqlite_strict=True,
    )
    op.create_index("ix_ticket_history_changed_by", "ticket_history", ["changed_by"])
    op.create_index("ix_ticket_history_ticket", "ticket_history", ["ticket_id", "created_at", "id"])


def _ticket_numbers() -> None:
    op.create_table(
        "ticket_counter",
        sa.Column("id", INT, autoincrement=False, nullable=False),
        sa.Column("last", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_counter"),
        sqlite_strict=True,
    )


def _posts() -> None:
    op.create_table(
        "post",
        sa.Column("id", ID, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_post_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("author_mark", TEXT, nullable=True),
        sa.Column("author_deleted", FLAG, nullable=False, server_default=sa.text("0")),
        sa.Column("anonymized_at", INT, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_post"),
        sa.UniqueConstraint("slug", name="uq_post_slug"),
        sqlite_strict=True,
    )
    op.create_index("ix_post_newest", "post", ["created_at", "id"])
    op.create_index("ix_post_person_id", "post", ["person_id"])
    op.create_table(
        "post_comment",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "post_id",
            ID,
            sa.ForeignKey("post.id", name="fk_post_comment_post_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("body", TEXT, nullable=False),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_post_comment_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("author_mark", TEXT, nullable=True),
        sa.Column("author_deleted", FLAG, nullable=False, server_default=sa.text("0")),
        sa.Column("anonymized_at", INT, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_post_comment"),
        sqlite_strict=True,
    )
    op.create_index("ix_post_comment_person_id", "post_comment", ["person_id"])
    op.create_index("ix_post_comment_post", "post_comment", ["post_id", "created_at", "id"])


def _files() -> None:
    op.create_table(
        "file",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("size", INT, nullable=False),
        sa.Column("sha256", TEXT, nullable=True),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_file_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("person_mark", TEXT, nullable=True),
        sa.Column("anonymized_at", INT, nullable=True),
        sa.Column(
            "ticket_id",
            ID,
            sa.ForeignKey("ticket.id", name="fk_file_ticket_id", ondelete="CASCADE"),
            nullable=True,
        ),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_file"),
        sqlite_strict=True,
    )
    op.create_index("ix_file_newest", "file", ["created_at", "id"])
    op.create_index("ix_file_order_id", "file", ["order_id"])
    op.create_index("ix_file_person_id", "file", ["person_id"])
    op.create_index("ix_file_ticket_id", "file", ["ticket_id"])
    op.create_table(
        "file_body",
        sa.Column(
            "file_id",
            ID,
            sa.ForeignKey("file.id", name="fk_file_body_file_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("content", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("file_id", name="pk_file_body"),
        sqlite_strict=True,
    )


def _invoices() -> None:
    op.create_table(
        "invoice",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_invoice_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("person_mark", TEXT, nullable=True),
        sa.Column("anonymized_at", INT, nullable=True),
        sa.Column(
            "billing_profile_id",
            ID,
            sa.ForeignKey("billing_profile.id", name="fk_invoice_billing_profile_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("total", INT, nullable=False),
        sa.Column("paid", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("refunded", INT, nullable=False, server_default=sa.text("0")),
        sa.Column("due_on", TEXT, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.Column("sent_at", INT, nullable=True),
        sa.Column("paid_at", INT, nullable=True),
        sa.Column("voided_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_invoice"),
        sa.UniqueConstraint("number", name="uq_invoice_number"),
        sqlite_strict=True,
    )
    op.create_index("ix_invoice_billing_profile_id", "invoice", ["billing_profile_id"])
    op.create_index("ix_invoice_newest", "invoice", ["created_at", "id"])
    op.create_index("ix_invoice_order_id", "invoice", ["order_id"])
    op.create_index("ix_invoice_person_id", "invoice", ["person_id"])


def _transactions() -> None:
    op.create_table(
        "money_transaction",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column(
            "invoice_id",
            ID,
            sa.ForeignKey("invoice.id", name="fk_money_transaction_invoice_id"),
            nullable=True,
        ),
        sa.Column("order_id", ID, nullable=True),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_money_transaction_person_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("person_mark", TEXT, nullable=True),
        sa.Column("anonymized_at", INT, nullable=True),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", INT, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_money_transaction"),
        sqlite_strict=True,
    )
    op.create_index("ix_money_transaction_invoice_id", "money_transaction", ["invoice_id"])
    op.create_index("ix_money_transaction_newest", "money_transaction", ["created_at", "id"])
    op.create_index("ix_money_transaction_order_id", "money_transaction", ["order_id"])
    op.create_index("ix_money_transaction_person_id", "money_transaction", ["person_id"])


def _invoice_numbers() -> None:
    op.create_table(
        "invoice_year",
        sa.Column("year", TEXT, nullable=False),
        sa.Column("last", INT, nullable=False),
        sa.PrimaryKeyConstraint("year", name="pk_invoice_year"),
        sqlite_strict=True,
    )


def _carts() -> None:
    op.create_table(
        "cart",
        sa.Column("id", ID, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column(
            "person_id",
            ID,
            sa.ForeignKey("person.id", name="fk_cart_person_id", ondelete="CASCADE"),
            nullable=True,
        ),
        sa.Column("session_hash", TEXT, nullable=True),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("shipping_method", TEXT, nullable=True),
        sa.Column("shipping_amount", INT, nullable=True),
        sa.Column("payment_option", TEXT, nullable=True),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("merged_into", ID, nullable=True),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.Column("expires_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_cart"),
        sqlite_strict=True,
    )
    op.create_index("ix_cart_order_id", "cart", ["order_id"])
    op.create_index("ix_cart_person_id", "cart", ["person_id"])
    op.create_index("ix_cart_session_hash", "cart", ["session_hash"])
    op.create_index("ix_cart_state", "cart", ["state", "updated_at", "id"])
    op.create_table(
        "cart_line",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "cart_id",
            ID,
            sa.ForeignKey("cart.id", name="fk_cart_line_cart_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("product_id", ID, nullable=False),
        sa.Column("variant_id", ID, nullable=True),
        sa.Column("specs", TEXT, nullable=False),
        sa.Column("specs_hash", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("unit_price", INT, nullable=False),
        sa.Column("created_at", INT, nullable=False),
        sa.Column("updated_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cart_line"),
        sa.UniqueConstraint(
            "cart_id", "product_id", "specs_hash", name="uq_cart_line_cart_id_product_id_specs_hash"
        ),
        sqlite_strict=True,
    )


def _deletion() -> None:
    op.create_table(
        "deletion_plan",
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("counts", TEXT, nullable=False),
        sa.Column("made_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_deletion_plan"),
        sqlite_strict=True,
    )
    op.create_index("ix_deletion_plan_made_at", "deletion_plan", ["made_at"])
    op.create_index("ix_deletion_plan_person_id", "deletion_plan", ["person_id"])
    op.create_table(
        "deletion",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("mark", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("asked_by", ID, nullable=True),
        sa.Column("asked_role", TEXT, nullable=False),
        sa.Column("asked_at", INT, nullable=False),
        sa.Column("plan_hash", TEXT, nullable=True),
        sa.Column("due_at", INT, nullable=True),
        sa.Column("erased_at", INT, nullable=True),
        sa.Column("counts", TEXT, nullable=True),
        sa.Column("receipt", TEXT, nullable=True),
        sa.Column("signature", TEXT, nullable=True),
        sa.Column("sealed", TEXT, nullable=True),
        sa.Column("scan", TEXT, nullable=True),
        sa.Column("scanned_at", INT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deletion"),
        sqlite_strict=True,
    )
    op.create_index("ix_deletion_actor", "deletion", ["asked_by", "asked_at"])
    op.create_index("ix_deletion_asked", "deletion", ["asked_at", "id"])
    op.create_index("ix_deletion_person_id", "deletion", ["person_id"])
