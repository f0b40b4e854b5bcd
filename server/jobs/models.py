"""Tables of the jobs."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, text

from server.kit.schema import FLAG, ID, INT, JSON, MS, TEXT, metadata, partial_index

job = Table(
    "job",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", TEXT, nullable=False),
    Column("queue", TEXT, nullable=False),
    Column("args", JSON, nullable=False),  # ids and numbers; never anything about a person
    Column("unique_key", TEXT),
    Column("state", TEXT, nullable=False),  # waiting | running | done | exhausted | cancelled
    Column("attempt", INT, nullable=False, server_default=text("0")),
    Column("max_attempts", INT, nullable=False),
    Column("run_at", MS, nullable=False),
    Column("held_until", MS),  # until then it may be taken back and nothing has left
    Column("outside", FLAG, nullable=False, server_default=text("0")),  # its effect leaves this machine
    Column("lease_until", MS),
    Column("worker", TEXT),
    Column("progress", JSON),
    Column("error", TEXT),  # the last attempt's, cleaned; a stranger's words
    Column("order_id", ID),
    Column("person_id", ID),
    Column("asked_by", ID),  # the user who asked for it; none for what the shop does by itself
    Column("created_at", MS, nullable=False),
    Column("started_at", MS),
    Column("finished_at", MS),
    # One waiting or running job of a key, whoever asks for it and how often.
    partial_index(
        "ux_job_unique_key", "unique_key", unique=True, where=text("state IN ('waiting', 'running')")
    ),
    partial_index("ix_job_due", "queue", "run_at", "id", where=text("state = 'waiting'")),
    partial_index("ix_job_lease", "lease_until", where=text("state = 'running'")),
    Index("ix_job_newest", "created_at", "id"),
    Index("ix_job_state", "state", "created_at", "id"),
    partial_index("ix_job_finished", "finished_at", where=text("finished_at IS NOT NULL")),
    Index("ix_job_order", "order_id", "created_at"),
    Index("ix_job_person", "person_id"),
    sqlite_strict=True,
)

job_attempt = Table(
    "job_attempt",
    metadata,
    Column("job_id", ID, ForeignKey("job.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", INT, primary_key=True),
    Column("started_at", MS, nullable=False),
    Column("finished_at", MS),
    Column("outcome", TEXT),  # done | failed | lost (its worker died); none while it runs
    Column("error", TEXT),
    sqlite_strict=True,
)

job_queue = Table(
    "job_queue",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("paused_at", MS),
    Column("paused_by", ID),
    sqlite_strict=True,
)
"""Queues that somebody paused or resumed; one that is not here runs."""

job_schedule = Table(
    "job_schedule",
    metadata,
    Column("name", TEXT, primary_key=True),
    Column("next_at", MS, nullable=False),
    Column("last_at", MS),
    sqlite_strict=True,
)
"""When each scheduled job is due next; whoever moves ``next_at`` enqueues it, so one process does."""
