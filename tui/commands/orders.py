"""``shopbell orders``."""

from __future__ import annotations

from typing import Final

from server.contract.activity import Resolved
from server.contract.base import Money, Page
from server.contract.fulfilment import Submission
from server.contract.jobs import Ask, Attempt, Enqueued
from server.contract.mail import SendMail
from server.contract.orders import Address, Order, OrderRow
from tui.api.client import segment
from tui.commands.printing import Cell, Column, Printer
from tui.commands.work import DONE, Declined, Work
from tui.widgets.format import fulfilment_mark, money_of, order_mark, payment_mark, person, words

_COLUMNS: Final = (
    Column("ORDER"),
    Column("CUSTOMER", flows=True),
    Column("TOTAL", right=True),
    Column("PAYMENT", spare=3),
    Column("FULFILMENT"),
    Column("OPEN", right=True, spare=2),
    Column("CREATED", spare=1),
)


async def listing(work: Work) -> int:
    """List orders."""
    given = work.given
    params = {"status": given.tab, "q": given.query.strip()}
    if given.sort != "newest":
        params["sort"] = given.sort
    return await work.print_page("/v1/orders", params, Page[OrderRow].model_validate, _COLUMNS, _row)


def _row(out: Printer, row: OrderRow) -> list[str | Cell]:
    payment = payment_mark(row.payment_status, out.glyphs)
    mark = order_mark(row.payment_status, row.fulfilment_status, row.attention, out.glyphs)
    fulfilment = fulfilment_mark(row.fulfilment_status, out.glyphs)
    return [
        row.number,
        _who(row),
        money_of(row.total),
        Cell(payment.word, payment.style),
        Cell(f"{mark.icon} {fulfilment.word}", mark.style),
        Cell(str(row.attention), "warning") if row.attention else "",
        out.when(row.created_at),
    ]


def _who(row: OrderRow) -> str:
    customer = row.customer
    return person(customer.name, customer.email, customer.erased) if customer else person(None, None)


async def show(work: Work) -> int:
    """Show an order whole."""
    found = await work.client.document(_path(work))
    order = found.read(Order.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    out, times = work.out, order.times
    payment = payment_mark(order.payment_status, out.glyphs)
    fulfilment = fulfilment_mark(order.fulfilment_status, out.glyphs)
    steps = (
        "paid",
        "payment_failed",
        "refunded",
        "submitted",
        "processing",
        "shipped",
        "delivered",
        "failed",
        "cancelled",
    )
    out.facts(
        [
            ("order", order.number),
            ("customer", _who(order)),
            ("e-mail", (order.customer.email or "") if order.customer else ""),
            ("address", _address(order.address)),
            ("payment", out.marked(payment)),
            ("fulfilment", out.marked(fulfilment)),
            ("needs attention", Cell(str(order.attention), "warning") if order.attention else ""),
            ("problem", Cell(order.problem or "", "error")),
            ("provider", " ".join(filter(None, [order.provider, order.provider_order_id]))),
            ("tracking", " ".join(filter(None, [order.carrier, order.tracking_number]))),
            ("", order.tracking_url or ""),
            ("created", out.full(order.created_at)),
            *((words(step), out.full(getattr(times, f"{step}_at"))) for step in steps),
            ("expected", _expected(out, order)),
            ("id", order.id),
        ]
    )
    rows: list[list[str | Cell]] = [
        [f"{item.quantity} ×", item.name, money_of(_times(item.unit_price, item.quantity))]  # noqa: RUF001
        for item in order.items
    ]
    if order.shipping is not None:
        rows.append(["", "Shipping", money_of(order.shipping)])
    rows.append(["", Cell("Total", "accent"), Cell(money_of(order.total), "accent")])
    out.line("")
    out.table((Column("", right=True), Column("", flows=True), Column("", right=True)), rows, head=False)
    return DONE


def _expected(out: Printer, order: Order) -> str | Cell:
    if order.expected is None:
        return ""
    text = f"{order.expected.label} by {out.when(order.expected.by)}"
    return Cell(f"{text}, overdue", "warning") if order.expected.overdue else text


def _times(price: Money, quantity: int) -> Money:
    return Money.model_construct(amount=price.amount * quantity, currency=price.currency)


def _address(address: Address | None) -> str:
    if address is None:
        return ""
    parts = (
        address.name,
        address.line1,
        address.line2,
        address.postal_code,
        address.city,
        address.state,
        address.country,
    )
    return ", ".join(filter(None, parts))


async def submit(work: Work) -> int:
    """Submit an order to its provider: says what would happen and asks, unless told not to."""
    if not work.given.yes:
        found = await work.client.document(f"{_path(work)}/submission")
        submission = found.read(Submission.model_validate)
        _explain(work.out, submission)
        if not submission.allowed:
            if work.out.as_json:
                work.out.document(found.raw)
            raise Declined(submission.advice)
        work.confirm(
            f"Submit it to {submission.provider_label or submission.provider or 'its provider'} now?"
        )
    ask = Ask(hold_seconds=work.option("hold")).model_dump_json(exclude_none=True).encode()
    return await _enqueue(work, "submit", ask)


def _explain(out: Printer, told: Submission) -> None:
    provider = told.provider_label or told.provider or "no provider"
    has = {
        True: f"{provider} has it as {told.provider_order_id or 'an order'}",
        False: f"{provider} does not have it",
    }
    out.aside(f"{has.get(told.at_provider, f'{provider} may have it: that is not certain')}.")  # type: ignore[arg-type]
    for attempt in told.attempts[-5:]:
        out.aside(f"  {_attempt(out, attempt)}")
    if told.job is not None:
        out.aside(f"It is asked for already: {told.job.label}, due {out.when(told.job.run_at)}.")
    if told.would_send:
        out.aside("This would be sent:")
        for item in told.would_send:
            out.aside(f"  {item.quantity} × {item.name}{f'  ({item.trouble})' if item.trouble else ''}")  # noqa: RUF001
    if address := _address(told.address):
        out.aside(f"  to {address}")
    out.aside(told.advice)


def _attempt(out: Printer, attempt: Attempt) -> str:
    said = f": {attempt.error}" if attempt.error else ""
    return f"{out.when(attempt.started_at)}  attempt {attempt.attempt} {attempt.outcome or 'runs'}{said}"


async def refresh(work: Work) -> int:
    """Ask the provider how far an order is."""
    return await _enqueue(work, "refresh", b"{}")


async def mail(work: Work) -> int:
    """Send an order's mail."""
    wanted = SendMail(kind=work.given.kind, hold_seconds=work.option("hold"))
    return await _enqueue(work, "mails", wanted.model_dump_json(exclude_none=True).encode())


async def _enqueue(work: Work, what: str, body: bytes) -> int:
    found = await work.client.changed(f"{_path(work)}/{what}", body)
    asked = found.read(Enqueued.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        work.waits_here()
        return DONE
    work.asked_for(asked.job, new=asked.new)
    return DONE


async def resolve(work: Work) -> int:
    """Resolve all that is open about an order."""
    found = await work.client.changed(f"{_path(work)}/activity/resolve")
    resolved = found.read(Resolved.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
    else:
        work.out.line("Nothing was open." if not resolved.count else f"Resolved: {resolved.count}.")
    return DONE


def _path(work: Work) -> str:
    return f"/v1/orders/{segment(work.given.order, 'order')}"
