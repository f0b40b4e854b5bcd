"""What an order's mails say: plain text in 72 columns, written from the order as it is when the mail leaves."""

from __future__ import annotations

from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, select

from server.contract.orders import Address
from server.kit.money import money_text
from server.kit.pages import web_address
from server.kit.tx import Tx
from server.mail.plain import WIDTH, greeting_name, one_line, row, rule, wrap
from server.orders.models import order_item
from server.people import service as people
from server.settings import service as settings
from server.settings.face import Face

if TYPE_CHECKING:
    from jinja2 import Environment

_MOST_NAME: Final = 200
_LONGEST_LINK: Final = 900


def confirmation(tx: Tx, order: Row[Any], face: Face) -> str:
    """The text of an order's confirmation."""
    amount = partial(money_text, currency=order.currency)
    items = [
        row(
            f"{item.quantity} × {one_line(item.name, _MOST_NAME)}",  # noqa: RUF001
            amount(item.quantity * item.unit_price),
            hanging="    ",
        )
        for item in _items(tx, order)
    ]
    return _render(
        "confirmation.txt",
        **_common(tx, order, face),
        day=face.day(order.paid_at or order.created_at),
        items=items,
        rule=rule(),
        shipping=None if order.shipping is None else row("Shipping", amount(order.shipping)),
        total=row("Total", amount(order.total)),
    )


def shipping(tx: Tx, order: Row[Any], face: Face) -> str:
    """The text of an order's shipping notification."""
    items = [
        wrap(f"{item.quantity} × {one_line(item.name, _MOST_NAME)}", indent="  ", hanging="      ")  # noqa: RUF001
        for item in _items(tx, order)
    ]
    link = web_address(order.tracking_url)
    return _render(
        "shipping.txt",
        **_common(tx, order, face),
        day=face.day(order.shipped_at or order.updated_at),
        carrier=one_line(order.carrier, _MOST_NAME) if order.carrier else None,
        tracking_number=one_line(order.tracking_number, _MOST_NAME) if order.tracking_number else None,
        tracking_url=link if link is not None and len(link) <= _LONGEST_LINK else None,
        items=items,
    )


def _common(tx: Tx, order: Row[Any], face: Face) -> dict[str, Any]:
    """What both mails show. Names of strangers become one harmless line each."""
    customer = people.people(tx, [order.person_id]).get(order.person_id) if order.person_id else None
    address = people.addresses(tx, [order.address_id]).get(order.address_id) if order.address_id else None
    lookup = f"{face.base}/orders/find" if face.base and settings.get(tx, "lookup.enabled") else None
    return {
        "number": order.number,
        "name": greeting_name(customer.name) if customer else None,
        "address": _lines(address) if address else [],
        "lookup": lookup,
        "shop": one_line(face.shop.name),
        "url": face.shop.url,
    }


def _lines(address: Address) -> list[str]:
    town = " ".join(part for part in (address.city, address.state, address.postal_code) if part)
    parts = (address.name, address.line1, address.line2, town, address.country)
    shown = (one_line(part, WIDTH * 2) for part in parts if part)
    return [piece for line in shown if line for piece in wrap(line, WIDTH - 2).split("\n")]


def _items(tx: Tx, order: Row[Any]) -> list[Row[Any]]:
    lines = select(order_item).where(order_item.c.order_id == order.id).order_by(order_item.c.position)
    return list(tx.execute(lines).all())


def _render(template: str, **values: Any) -> str:
    return _templates().get_template(template).render(**values)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - not needed to serve

    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=False,  # noqa: S701 - plain text: nobody reads it as markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["wrap"] = wrap
    return made


def _template(name: str) -> str:
    return (resources.files("server.orders") / "templates" / name).read_text(encoding="utf-8")
