"""What is in a cart. Whoever changes it holds the cart first, so two who add the same thing make one line."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update

from server.carts import events, specs
from server.carts.keeping import hold, touched
from server.carts.models import cart_line
from server.carts.paying import check_option
from server.carts.products import offer
from server.contract.base import Money
from server.contract.shop_carts import AddLine, ChangeCart, ChangeLine, MergeCart
from server.kit.problems import invalid_request, not_found
from server.kit.tx import Tx

MOST_LINES: Final = 200
MOST: Final = 10_000
"""How many of one thing a line may hold."""


def add(tx: Tx, cart_id: str, new: AddLine) -> bool:
    """Put a product into a cart. Where it lies in there with the same choices, there are more of it, at its old price.

    Returns:
        Whether a line was made.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``cart_not_active``; 422 ``invalid_request`` for too many; and as `offer`.
    """
    row = hold(tx, cart_id)
    wanted = specs.chosen(new.specs)
    found = offer(tx, new.product_id, new.variant_id, new.specs or {}, row.currency, new.quantity)
    specs_hash = specs.hash_of(found.variant_id, wanted)
    line = _same(tx, row.id, found.product_id, specs_hash)
    if line is not None:
        quantity = _enough(line.quantity + new.quantity)
        offer(tx, found.product_id, found.variant_id, wanted, row.currency, quantity)
        _set(tx, row, line, quantity)
        touched(tx, row)
        return False
    held = select(func.count()).select_from(cart_line).where(cart_line.c.cart_id == row.id)
    if tx.execute(held).scalar_one() >= MOST_LINES:
        raise invalid_request(("product_id", f"a cart holds at most {MOST_LINES} lines"))
    line_id = tx.new_id()
    tx.execute(
        insert(cart_line).values(
            id=line_id,
            cart_id=row.id,
            product_id=found.product_id,
            variant_id=found.variant_id,
            specs=wanted,
            specs_hash=specs_hash,
            name=found.name,
            quantity=new.quantity,
            unit_price=found.price,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    touched(tx, row)
    told = {"line_id": line_id, "product_id": found.product_id, "quantity": new.quantity}
    events.tell(tx, "item_added", row, **told)
    return True


def change(tx: Tx, cart_id: str, line_id: str, new: ChangeLine) -> None:
    """Change how many there are of a line; none takes it out.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``cart_not_active``, ``product_not_available``.
    """
    row = hold(tx, cart_id)
    line = _line(tx, row.id, line_id)
    if new.quantity == 0:
        _take_out(tx, row, line)
    elif new.quantity != line.quantity:
        if new.quantity > line.quantity:
            offer(tx, line.product_id, line.variant_id, line.specs, row.currency, new.quantity)
        _set(tx, row, line, new.quantity)
    touched(tx, row)


def remove(tx: Tx, cart_id: str, line_id: str) -> None:
    """Take a line out.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``cart_not_active``.
    """
    row = hold(tx, cart_id)
    _take_out(tx, row, _line(tx, row.id, line_id))
    touched(tx, row)


def clear(tx: Tx, cart_id: str) -> None:
    """Take everything out.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``cart_not_active``.
    """
    row = hold(tx, cart_id)
    gone = tx.execute(delete(cart_line).where(cart_line.c.cart_id == row.id).returning(cart_line.c.id)).all()
    touched(tx, row)
    if gone:
        events.tell(tx, "cart_cleared", row)


def choose(tx: Tx, cart_id: str, new: ChangeCart) -> None:
    """Choose how the goods are sent or paid for; what is left out stays.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``cart_not_active``, ``payment_option_unavailable``; 422
            ``invalid_request``.
    """
    row = hold(tx, cart_id)
    given = new.model_fields_set
    values: dict[str, Any] = {}
    if "shipping_method" in given:
        values["shipping_method"] = new.shipping_method
    if "shipping" in given:
        values["shipping_amount"] = _amount(new.shipping, row.currency)
    if "payment_option" in given:
        if new.payment_option is not None:
            check_option(tx, new.payment_option)
        values["payment_option"] = new.payment_option
    touched(tx, row, **values)
    moved = {name for name, value in values.items() if value != getattr(row, name)}
    if moved & {"shipping_method", "shipping_amount"}:
        events.tell(tx, "shipping_selected", row)
    if "payment_option" in moved:
        events.tell(tx, "payment_selected", row)


def merge(tx: Tx, cart_id: str, new: MergeCart) -> str:
    """Put what lies in a guest's cart into a customer's; of equal lines there are as many as in both.

    Returns:
        The customer's cart.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``cart_not_active``; 422 ``invalid_request`` unless the one is a guest's
            and the other a customer's, in one currency, or for too many.
    """
    both = {
        one: hold(tx, one) for one in sorted({cart_id, new.into})
    }  # in one order, so that none waits for ever
    source, target = both[cart_id], both[new.into]
    if source.person_id is not None or target.person_id is None:
        raise invalid_request(("into", "a guest's cart goes into a customer's"))
    if source.currency != target.currency:
        raise invalid_request(("into", "is in another currency"))
    for line in tx.execute(select(cart_line).where(cart_line.c.cart_id == source.id)).all():
        equal = _same(tx, target.id, line.product_id, line.specs_hash)
        mine = update(cart_line).where(cart_line.c.id == (equal or line).id)
        if equal is None:
            tx.execute(mine.values(cart_id=target.id, updated_at=tx.now))
        else:
            quantity = _enough(equal.quantity + line.quantity)
            tx.execute(mine.values(quantity=quantity, updated_at=tx.now))
            tx.execute(delete(cart_line).where(cart_line.c.id == line.id))
    held = select(func.count()).select_from(cart_line).where(cart_line.c.cart_id == target.id)
    if tx.execute(held).scalar_one() > MOST_LINES:
        raise invalid_request(("into", f"a cart holds at most {MOST_LINES} lines"))
    touched(tx, source, state="merged", merged_into=target.id, expires_at=None)
    touched(tx, target)
    events.tell(tx, "cart_updated", source, state="merged")
    events.tell(tx, "cart_updated", target)
    target_id: str = target.id
    return target_id


def _same(tx: Tx, cart_id: str, product_id: str, specs_hash: str) -> Row[Any] | None:
    return tx.execute(
        select(cart_line).where(
            cart_line.c.cart_id == cart_id,
            cart_line.c.product_id == product_id,
            cart_line.c.specs_hash == specs_hash,
        )
    ).first()


def _line(tx: Tx, cart_id: str, line_id: str) -> Row[Any]:
    mine = (cart_line.c.id == line_id) & (cart_line.c.cart_id == cart_id)
    row = tx.execute(select(cart_line).where(mine)).first()
    if row is None:
        raise not_found("line")
    return row


def _set(tx: Tx, row: Row[Any], line: Row[Any], quantity: int) -> None:
    mine = update(cart_line).where(cart_line.c.id == line.id)
    tx.execute(mine.values(quantity=quantity, updated_at=tx.now))
    told = {"line_id": line.id, "product_id": line.product_id, "quantity": quantity}
    events.tell(tx, "quantity_updated", row, **told)


def _take_out(tx: Tx, row: Row[Any], line: Row[Any]) -> None:
    tx.execute(delete(cart_line).where(cart_line.c.id == line.id))
    events.tell(tx, "item_removed", row, line_id=line.id, product_id=line.product_id)


def _enough(quantity: int) -> int:
    if quantity > MOST:
        raise invalid_request(("quantity", f"a line holds at most {MOST}"))
    return quantity


def _amount(price: Money | None, currency: str) -> int | None:
    if price is None:
        return None
    if price.currency != currency:
        raise invalid_request(("shipping", f"must be in the cart's currency, {currency}"))
    if not 0 <= price.amount <= 10**12:
        raise invalid_request(("shipping", f"must be 0 to {10**12}"))
    return price.amount
