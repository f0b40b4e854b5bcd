"""An order as a story: who, what, how much, where it stands, what needs a human, and all that happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.widgets.blocks import Block, Gap, Item, Pair, Paragraph, Rule, Title, Words
from tui.widgets.format import (
    UNICODE,
    Glyphs,
    Times,
    fulfilment_mark,
    money,
    money_of,
    payment_mark,
    person,
)
from tui.widgets.timeline import needs_attention, timeline

if TYPE_CHECKING:
    from server.contract.activity import Entry
    from server.contract.orders import Address, Order


def order_story(
    order: Order,
    entries: Sequence[Entry] | None,
    times: Times,
    glyphs: Glyphs = UNICODE,
    *,
    hint: str = "",
) -> list[Block]:
    """The blocks of an order. ``entries`` is its timeline, oldest first; None while it is being fetched.

    ``hint`` says what can be done about what needs attention.
    """
    blocks: list[Block] = [_title(order), _state(order, glyphs), *_money(order), Gap()]
    attention = needs_attention(entries or (), hint)
    if attention:
        blocks += [*attention, Gap()]
    details = _details(order)
    if details:
        blocks += [*details, Gap()]
    if entries is None:
        blocks.append(Paragraph(text="Loading what happened…", style="muted"))
    elif entries:
        blocks += timeline(entries, times, glyphs)
    else:
        blocks += [
            Rule(text="Timeline"),
            Paragraph(text="Nothing has happened to this order yet.", style="muted"),
        ]
    return blocks


def customer_name(order: Order) -> str:
    """Who bought: name, e-mail, or the mark of an erased person."""
    who = order.customer
    return person(None, None) if who is None else person(who.name, who.email, who.erased)


def _title(order: Order) -> Title:
    return Title(text=order.number, notes=(customer_name(order), money_of(order.total)))


def _state(order: Order, glyphs: Glyphs) -> Words:
    paid, sent = payment_mark(order.payment_status, glyphs), fulfilment_mark(order.fulfilment_status, glyphs)
    pieces = [(f"{paid.icon} {paid.word}", paid.style), (f"{sent.icon} {sent.word}", sent.style)]
    if order.refunded is not None:
        pieces.append((f"refunded {money_of(order.refunded)}", "muted"))
    return Words(pieces=tuple(pieces))


def _money(order: Order) -> list[Block]:
    """The lines of the order, shipping, and the total where it is more than one line."""
    blocks: list[Block] = [
        Item(
            left=f"{item.quantity:,} \u00d7 {item.name}",
            right=money(item.unit_price.amount * item.quantity, item.unit_price.currency),
        )
        for item in order.items
    ]
    if order.shipping is not None:
        carrier = f", {order.carrier}" if order.carrier else ""
        blocks.append(Item(left=f"Shipping{carrier}", right=money_of(order.shipping), style="muted"))
    if len(blocks) > 1:
        blocks.append(Item(left="Total", right=money_of(order.total), style="strong"))
    return blocks


def _details(order: Order) -> list[Block]:
    """What is known about where it goes and how."""
    pairs: list[tuple[str, str | None]] = []
    if order.customer is not None and order.customer.email and order.customer.name:
        pairs.append(("E-mail", order.customer.email))
    if order.customer is not None and order.customer.phone:
        pairs.append(("Phone", order.customer.phone))
    if order.address is not None:
        pairs.append(("Ship to", address_text(order.address)))
    provider = " ".join(part for part in (order.provider, order.provider_order_id) if part)
    pairs.append(("Made by", provider or None))
    tracking = " ".join(part for part in (order.carrier, order.tracking_number) if part)
    pairs += [("Tracking", tracking or None), ("Link", order.tracking_url)]
    return [Pair(label=label, value=value) for label, value in pairs if value]


def address_text(address: Address) -> str:
    """An address on one line."""
    town = " ".join(part for part in (address.postal_code, address.city) if part)
    parts = (address.name, address.line1, address.line2, town, address.state, address.country)
    return ", ".join(part for part in parts if part)
