"""The erasure of a person: what will happen, what happened, and the proof."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from server.contract.base import Answer, Instant, Request

Fate = Literal["delete", "anonymise", "keep"]
DeletionState = Literal["scheduled", "restored", "erased", "clean", "residue"]


class PlannedTable(Answer):
    """What happens to one kind of record. ``count`` rows of it are concerned; ``why`` is a sentence."""

    table: str
    noun: str
    fate: Fate
    count: int
    why: str


class Protection(Answer):
    """Why the deletion would be refused now: a stable code, its reason, a sentence."""

    code: str
    reason: str | None = None
    detail: str


class DeletionPlan(Answer):
    """What a deletion would do, in exact counts. ``hash`` names this plan; it must be sent with the deletion.

    ``confirm`` is what must be typed (the e-mail, else the name, else the mark). ``grace_days`` is 0 where the erasure
    happens at once; else the account is locked and hidden until it ends. ``also`` counts other records of the shop
    under the same address (somebody who is staff and customer), which are not touched.
    """

    person_id: str
    kind: Literal["customer", "staff"]
    shown: str
    confirm: str
    tables: list[PlannedTable]
    total: int
    protections: list[Protection]
    hash: str
    grace_days: int
    also: int = 0
    made_at: Instant


class Delete(Request):
    """Delete as planned. ``confirm`` is what the plan says must be typed; letters' case does not matter."""

    plan: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    confirm: Annotated[str, Field(min_length=1, max_length=320)]


class Drift(Answer):
    """A kind of record whose count moved since the plan."""

    table: str
    noun: str
    planned: int
    now: int


class ScanPlace(Answer):
    """Somewhere the person was looked for after the erasure, and how often something was found there.

    ``expected``: it stands there rightly: in another living person's record, among the shop's own words, in a backup
    until it expires.
    """

    place: str
    found: int
    expected: bool = False


class Deletion(Answer):
    """An erasure. ``receipt`` and ``signature`` can be verified by ``shopbelld receipt verify``; they name nobody.

    ``state``: ``scheduled`` (grace period), ``restored``, ``erased`` (done; traces are being cleaned), ``clean``
    (looked for everywhere and nothing found), ``residue`` (something was found: see ``scan``).
    """

    id: str
    person_id: str
    kind: Literal["customer", "staff"]
    mark: str
    state: DeletionState
    asked_by: str | None = None
    asked_at: Instant
    due_at: Instant | None = None
    erased_at: Instant | None = None
    counts: dict[str, int] | None = None
    receipt: dict[str, Any] | None = None
    signature: str | None = None
    scan: list[ScanPlace] | None = None
    scanned_at: Instant | None = None


class Export(Answer):
    """All that the shop holds about a person, by table; made when it is asked for and stored nowhere."""

    person_id: str
    made_at: Instant
    tables: dict[str, list[dict[str, Any]]]
