"""What is known about an order at its provider, and the syncs of the catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.base import ActionState, Answer, Instant, Request
from server.contract.jobs import Attempt, JobRow, Progress
from server.contract.orders import Address

SyncState = Literal["running", "done", "failed"]


class ShipmentItem(Answer):
    """A line as the provider would get it. ``trouble`` says why it cannot be sent like that."""

    name: str
    quantity: int
    variant_id: str | None = None
    trouble: str | None = None


class Submission(Answer):
    """What to know before an order is submitted (again).

    Args:
        provider: who would get it; None when no provider is set up for it.
        state: ``none`` (never tried), ``prepared``, ``sent`` (it may have arrived), ``accepted`` or ``refused``.
        at_provider: whether the provider has the order; None when that is not certain.
        attempts: the latest tries with their reasons, oldest first.
        job: the job that waits or runs for it now, with when the machine tries again by itself.
        would_send: what would be sent now.
        permanent: the last refusal stays as long as nothing of what would be sent changes.
        allowed, reason, advice: whether it may be submitted now; a stable code when not; a sentence on what to do.
    """

    provider: str | None = None
    provider_label: str | None = None
    state: Literal["none", "prepared", "sent", "accepted", "refused"]
    provider_order_id: str | None = None
    at_provider: bool | None = None
    attempts: list[Attempt]
    job: JobRow | None = None
    would_send: list[ShipmentItem]
    address: Address | None = None
    permanent: bool = False
    allowed: bool
    reason: str | None = None
    advice: str


class Sync(Answer):
    """One reading of a provider's catalogue."""

    id: str
    provider: str
    state: SyncState
    progress: Progress
    products: int = 0
    created: int = 0
    updated: int = 0
    removed: int = 0
    reason: str | None = None
    started_at: Instant
    finished_at: Instant | None = None


class Provider(Answer):
    """A provider the shop can use. ``connected`` when all it needs is set."""

    name: str
    label: str
    connected: bool
    default: bool
    capabilities: list[str]
    webhook_path: str | None = None
    sync: Sync | None = None
    actions: list[ActionState]


class NewSync(Request):
    """Read a provider's catalogue now."""

    provider: Annotated[str, Field(min_length=1, max_length=40)]
