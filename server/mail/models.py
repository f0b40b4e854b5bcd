"""Tables of the mail. The address stands in the vault; a text that was kept can be deleted alone."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table

from server.kit.schema import ID, MS, TEXT, metadata

mail = Table(
    "mail",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", TEXT, nullable=False),  # confirmation | shipping | recovery | lookup | ticket_reply | test
    Column("person_id", ID, index=True),
    Column("order_id", ID),
    Column("cart_id", ID),
    Column("job_id", ID),
    Column("message_id", TEXT, nullable=False, unique=True),  # the same however often it is tried
    Column("state", TEXT, nullable=False),  # queued | sending | sent | kept | failed | withheld | cancelled
    Column("reason", TEXT),  # why it was withheld (a code), or what the mail server said
    Column("created_at", MS, nullable=False),
    Column("sent_at", MS),
    Column("bounced_at", MS),
    Column("bounce", TEXT),  # hard | soft | complaint
    Column("anonymized_at", MS),
    Index("ix_mail_newest", "created_at", "id"),
    Index("ix_mail_order", "order_id", "created_at"),
    sqlite_strict=True,
)

mail_text = Table(
    "mail_text",
    metadata,
    Column("mail_id", ID, ForeignKey("mail.id", ondelete="CASCADE"), primary_key=True),
    Column("message", TEXT, nullable=False),  # the whole message as it would have left (RFC 5322)
    sqlite_strict=True,
)
"""The outbox of a shop without SMTP: messages that were kept instead of sent."""
