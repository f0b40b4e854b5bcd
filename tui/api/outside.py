"""The calls about what leaves the shop: submissions, syncs, mails. Imported after the first rows, for the models."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from server.contract.base import Page
from server.contract.fulfilment import NewSync, Provider, Submission
from server.contract.jobs import Enqueued, JobRow
from server.contract.mail import MailRow, OrderMails, SendMail
from tui.api.client import Client, segment
from tui.api.errors import Refused
from tui.api.jobs import JobQuery, jobs

T = TypeVar("T")
MailName = Literal["confirmation", "shipping"]

SUBMIT: Final = "order.submit"
"""The kind of the job that submits an order."""

JOBS: Final = 20
"""Jobs of an order that are looked at."""

_PROVIDERS: Final = Page[Provider]


async def submission(client: Client, order_id: str) -> Submission:
    """What to know before an order is submitted again. Raises ApiError."""
    return await client.ask(f"{_order(order_id)}/submission", Submission.model_validate)


async def submit(client: Client, order_id: str) -> Enqueued:
    """Have an order submitted, once the shop's undo window is over. Raises ApiError."""
    return await client.change(f"{_order(order_id)}/submit", Enqueued.model_validate)


async def ask_provider(client: Client, order_id: str) -> Enqueued:
    """Have the provider asked how far an order is. Raises ApiError."""
    return await client.change(f"{_order(order_id)}/refresh", Enqueued.model_validate)


async def providers(client: Client) -> list[Provider]:
    """The providers that the shop can use. Raises ApiError."""
    return (await client.ask("/v1/providers", _PROVIDERS.model_validate)).items


async def sync(client: Client, provider: str) -> Enqueued:
    """Have a provider's products read. Raises ApiError."""
    body = NewSync(provider=provider).model_dump_json().encode()
    return await client.change("/v1/syncs", Enqueued.model_validate, body)


async def order_mails(client: Client, order_id: str) -> list[MailRow]:
    """The mails about an order, newest first. Raises ApiError."""
    return (await client.ask(f"{_order(order_id)}/mails", OrderMails.model_validate)).mails


async def send_mail(client: Client, order_id: str, kind: MailName) -> Enqueued:
    """Have an order's mail sent, once the shop's undo window is over. Raises ApiError."""
    body = SendMail(kind=kind).model_dump_json(exclude_none=True).encode()
    return await client.change(f"{_order(order_id)}/mails", Enqueued.model_validate, body)


@dataclass(frozen=True, slots=True)
class Affairs:
    """What leaves the shop about an order.

    Attributes:
        jobs: the jobs that wait or run, oldest first.
        mails: the mails, newest first.
        submission: how it stands with the provider, where a submission has not gone through.
    """

    jobs: tuple[JobRow, ...] = ()
    mails: tuple[MailRow, ...] = ()
    submission: Submission | None = None


async def affairs(client: Client, order_id: str) -> Affairs:
    """All of it; what the reader's role does not have is left out. Raises ApiError."""
    found, mails = await asyncio.gather(
        _if_allowed(lambda: jobs(client, JobQuery(order=order_id), limit=JOBS)),
        _if_allowed(lambda: order_mails(client, order_id)),
    )
    rows = [] if found is None else found.items
    tried = any(row.kind == SUBMIT and row.state != "done" for row in rows)
    return Affairs(
        jobs=tuple(row for row in reversed(rows) if row.state in ("waiting", "running")),
        mails=tuple(mails or ()),
        submission=await _if_allowed(lambda: submission(client, order_id)) if tried else None,
    )


async def _if_allowed(call: Callable[[], Awaitable[T]]) -> T | None:
    try:
        return await call()
    except Refused:
        return None


def _order(order_id: str) -> str:
    return f"/v1/orders/{segment(order_id, 'order')}"


def build() -> None:
    """Build the models' validators now instead of with the first answer."""
    for model in (Submission, Enqueued, _PROVIDERS, OrderMails):
        model.model_rebuild()
