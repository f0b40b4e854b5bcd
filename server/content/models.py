"""Tables of what people publish in the shop: posts, comments under them, files."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, text

from server.kit.schema import BYTES, FLAG, ID, INT, MS, TEXT, metadata

post = Table(
    "post",
    metadata,
    Column("id", ID, primary_key=True),
    Column("slug", TEXT, nullable=False, unique=True),
    Column("title", TEXT, nullable=False),
    Column("body", TEXT, nullable=False),
    Column("person_id", ID, ForeignKey("person.id", ondelete="SET NULL"), index=True),  # who wrote it
    Column("author_mark", TEXT),  # what stands in the author's place after the erasure
    Column("author_deleted", FLAG, nullable=False, server_default=text("0")),
    Column("anonymized_at", MS),
    Column("created_at", MS, nullable=False),
    Column("updated_at", MS, nullable=False),
    Index("ix_post_newest", "created_at", "id"),
    sqlite_strict=True,
)

comment = Table(
    "post_comment",
    metadata,
    Column("id", ID, primary_key=True),
    Column("post_id", ID, ForeignKey("post.id", ondelete="CASCADE"), nullable=False),
    Column("body", TEXT, nullable=False),
    Column("person_id", ID, ForeignKey("person.id", ondelete="SET NULL"), index=True),
    Column("author_mark", TEXT),
    Column("author_deleted", FLAG, nullable=False, server_default=text("0")),
    Column("anonymized_at", MS),
    Column("created_at", MS, nullable=False),
    Index("ix_post_comment_post", "post_id", "created_at", "id"),
    sqlite_strict=True,
)

file = Table(
    "file",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", TEXT),  # none after the erasure
    Column("media_type", TEXT, nullable=False),
    Column("size", INT, nullable=False),  # bytes
    Column("sha256", TEXT),
    Column("person_id", ID, ForeignKey("person.id", ondelete="SET NULL"), index=True),  # whose it is
    Column("person_mark", TEXT),
    Column("anonymized_at", MS),
    Column("ticket_id", ID, ForeignKey("ticket.id", ondelete="CASCADE"), index=True),
    Column("order_id", ID, index=True),
    Column("created_at", MS, nullable=False),
    Index("ix_file_newest", "created_at", "id"),
    sqlite_strict=True,
)

file_body = Table(
    "file_body",
    metadata,
    Column("file_id", ID, ForeignKey("file.id", ondelete="CASCADE"), primary_key=True),
    Column("content", BYTES, nullable=False),
    sqlite_strict=True,
)
"""What a file holds, apart from it so that it can go alone."""
