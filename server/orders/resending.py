"""``resend`` on the entries of an order's mails: offered by the rule that refuses it, for a whole page at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import select

from server.activity import offers
from server.activity.offers import Told
from server.contract.base import ActionState
from server.kit.access import Principal
from server.kit.prepared import AnyOf, Prepared
from server.kit.tx import Tx
from server.mail.kinds import label_of
from server.orders import policy
from server.orders.models import order
from server.orders.policy import MailName
from server.people.models import person

ACTION: Final = "resend"
NO_PERMISSION: Final = "insufficient_permissions"
_BY_TYPE: Final[dict[str, MailName]] = {
    "order.email.confirmation_sent": "confirmation",
    "order.email.shipping_sent": "shipping",
}
_MAILS: Final[tuple[MailName, ...]] = ("confirmation", "shipping")
TYPES: Final = (*_BY_TYPE, "email.failed", "email.bounced", "email.kept")


def kind_of(told: Told) -> MailName | None:
    """Which mail of an order an entry is about; None for another mail."""
    if told.type in _BY_TYPE:
        return _BY_TYPE[told.type]
    return next((kind for kind in _MAILS if told.params.get("mail") == label_of(kind)), None)


def resends(tx: Tx, told: Sequence[Told], caller: Principal) -> dict[str, Sequence[ActionState]]:
    """Whether each entry's mail may be sent once more, by the entry's id."""
    kinds = {one.id: kind for one in told if one.order_id is not None and (kind := kind_of(one)) is not None}
    wanted = {one.order_id for one in told if one.id in kinds}
    if not wanted:
        return {}
    orders = {row[0]: _Order(*row) for row in _ORDERS.rows(tx, ids=list(wanted))}
    may = caller.may("mail.send")
    found: dict[str, Sequence[ActionState]] = {}
    for one in told:
        kind = kinds.get(one.id)
        row = orders.get(one.order_id or "")
        if kind is None or row is None:
            continue
        reason = policy.mail_obstacle(row, kind, reachable=bool(row.email)) if may else NO_PERMISSION
        found[one.id] = _states(reason)
    return found


@lru_cache
def _states(reason: str | None) -> tuple[ActionState]:
    """The action, by the reason why not: a page has it nine times."""
    return (ActionState(name=ACTION, allowed=reason is None, reason=reason),)


class _Order(NamedTuple):
    """What decides whether an order's mail can be sent."""

    id: str
    payment_status: str
    fulfilment_status: str
    email: str | None


_ORDERS: Final = Prepared(
    select(order.c.id, order.c.payment_status, order.c.fulfilment_status, person.c.email)
    .outerjoin_from(order, person, person.c.id == order.c.person_id)
    .where(AnyOf(order.c.id, "ids"))
)


for _type in TYPES:
    offers.register(_type, resends)
