"""An order as a story: who and how much, how far it is, its lines, what needs a human, and what happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tui.widgets.blocks import SOME_LINES, Block, Facts, Gap, Item, Pair, Paragraph, Rule, Title, Words
from tui.widgets.facts import fact_lines
from tui.widgets.format import (
    Glyphs,
    Times,
    customer,
    fulfilment_mark,
    money,
    money_of,
    payment_mark,
    person,
)
from tui.widgets.timeline import needs_attention, timeline

if TYPE_CHECKING:
    from server.contract.activity import Entry
    from server.contract.orders import Address, Order, OrderRow

_STEPS = (
    ("Paid", "paid_at"),
    ("Declined", "payment_failed_at"),
    ("Refunded", "refunded_at"),
    ("Submitted", "submitted_at"),
    ("Production", "processing_at"),
    ("Shipped", "shipped_at"),
    ("Delivered", "delivered_at"),
    ("Failed", "failed_at"),
    ("Cancelled", "cancelled_at"),
)


def heading(order: OrderRow, glyphs: Glyphs) -> list[Block]:
    """The first two lines, known from the list already: number, customer, total; payment and fulfilment."""
    paid = payment_mark(order.payment_status, glyphs)
    filled = fulfilment_mark(order.fulfilment_status, glyphs)
    return [
        Title(text=order.number, notes=(customer(order), money_of(order.total))),
        Words(
            pieces=((f"{paid.icon} {paid.word}", paid.style), (f"{filled.icon} {filled.word}", filled.style))
        ),
    ]


def glimpse(order: OrderRow, glyphs: Glyphs) -> list[Block]:
    """What is known of an order before its story is fetched."""
    return [*heading(order, glyphs), Gap(), Paragraph(text="Loading…", style="muted")]


def order_story(
    order: Order,
    entries: Sequence[Entry],
    times: Times,
    glyphs: Glyphs,
    *,
    hint: str = "",
    facts: Entry | None = None,
    raw: bool = False,
    leaving: Sequence[Block] = (),
    sent: Sequence[Block] = (),
) -> list[Block]:
    """The whole story. ``hint`` says what can be done about what needs a human; ``leaving`` what waits or runs, and
    ``sent`` what was sent and tried (see :mod:`tui.screens.affairs`).

    ``raw`` adds the facts as they were written down: those of the entry ``facts``, else the order's; and what is
    long is shown whole: that entry's message, else all of them.
    """
    chosen = [facts] if facts is not None else entries
    whole = {entry.id for entry in chosen} if raw else set[str]()
    blocks = heading(order, glyphs)
    blocks += [Gap(), *_lines(order)]
    if leaving:
        blocks += [Gap(), *leaving]
    if attention := needs_attention(entries, hint):
        blocks += [Gap(), *attention]
    blocks += [
        Gap(),
        *(
            timeline(entries, times, glyphs, whole=whole, expected=order.expected)
            or [Paragraph(text="Nothing happened yet.", style="muted")]
        ),
    ]
    blocks += sent
    blocks += [Gap(), Rule(text="Details"), *_details(order, times, whole=raw)]
    if raw:
        title = "Raw facts of the order" if facts is None else f"Raw facts of {facts.type}"
        record = order.model_dump(mode="json", exclude={"actions"}) if facts is None else facts.facts
        blocks += [Gap(), Rule(text=title), Facts(facts=fact_lines(record) or ((0, "", "none"),))]
    return blocks


def _lines(order: Order) -> Iterable[Block]:
    for item in order.items:
        each = "" if item.quantity == 1 else f" at {money_of(item.unit_price)}"
        total = money(item.quantity * item.unit_price.amount, item.unit_price.currency)
        yield Item(left=f"{item.quantity} × {item.name}{each}", right=total)  # noqa: RUF001 - as bills have it
    if order.shipping is not None:
        via = f", {order.carrier}" if order.carrier else ""
        yield Item(left=f"Shipping{via}", right=money_of(order.shipping))
    if len(order.items) + (order.shipping is not None) > 1:
        yield Item(left="Total", right=money_of(order.total), style="strong")
    if order.refunded is not None and order.refunded.amount:
        yield Item(left="Refunded", right=money(-order.refunded.amount, order.refunded.currency))


def _details(order: Order, times: Times, *, whole: bool) -> Iterable[Block]:
    """Whom and where it goes to, who makes it, and when each step was taken."""
    who = order.customer
    pairs: list[tuple[str, str | None]] = []
    if who is not None:
        pairs += [
            ("Customer", person(who.name, who.email, who.erased)),
            ("E-mail", who.email),
            ("Phone", who.phone),
        ]
    pairs.append(("Ship to", address_line(order.address)))
    made_by = f"{order.provider} ({order.provider_order_id})" if order.provider_order_id else order.provider
    pairs += [("Provider", made_by), ("Carrier", order.carrier), ("Tracking", order.tracking_number)]
    pairs.append(("Link", order.tracking_url))
    pairs.append(("Failure", order.problem))
    pairs.append(("Placed", times.full(order.created_at)))
    for name, field in _STEPS:
        moment = getattr(order.times, field)
        if moment is not None:
            pairs.append((name, times.full(moment)))
    most = None if whole else SOME_LINES
    return [Pair(label=label, value=value, most=most) for label, value in pairs if value]


def address_line(address: Address | None) -> str:
    """Where goods go, on one line; empty where that is not known."""
    if address is None:
        return ""
    town = " ".join(part for part in (address.postal_code, address.city) if part)
    parts = (address.name, address.line1, address.line2, town, address.state, address.country)
    return ", ".join(part for part in parts if part)
