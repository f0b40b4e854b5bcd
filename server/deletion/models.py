"""Tables of the erasures: what was planned, what was done. They hold ids, counts and hashes, nothing of a person."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from server.kit.schema import ID, JSON, MS, TEXT, metadata

plan = Table(
    "deletion_plan",
    metadata,
    Column("hash", TEXT, primary_key=True),
    Column("person_id", ID, nullable=False, index=True),
    Column("counts", JSON, nullable=False),
    Column("made_at", MS, nullable=False, index=True),
    sqlite_strict=True,
)
"""Plans that were shown, so that a deletion can say what moved since. Kept for a day."""

deletion = Table(
    "deletion",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person_id", ID, nullable=False, index=True),
    Column("kind", TEXT, nullable=False),  # customer | staff
    Column("mark", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),  # scheduled | restored | erased | clean | residue
    Column("asked_by", ID),
    Column("asked_role", TEXT, nullable=False),
    Column("asked_at", MS, nullable=False),
    Column("plan_hash", TEXT),  # what was shown and agreed to
    Column("due_at", MS),  # while it is scheduled
    Column("erased_at", MS),
    Column("counts", JSON),  # per table, what was done
    Column("receipt", JSON),  # what was signed
    Column("signature", TEXT),
    Column("sealed", TEXT),  # whom to look for, under the key outside the store; the scan empties it
    Column("scan", JSON),  # where it was looked for afterwards, and how often it was found
    Column("scanned_at", MS),
    Index("ix_deletion_asked", "asked_at", "id"),
    Index("ix_deletion_actor", "asked_by", "asked_at"),
    sqlite_strict=True,
)
"""The list of erasures. It outlives everybody on it and is replayed on every backup that is restored."""
