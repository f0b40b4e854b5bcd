"""``resend`` on the entries of an order's mails: offered by the rule that refuses it, for a whole page at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from server.activity import offers
from server.activity.offers import Told
from server.contract.base import ActionState
from server.kit.access import Principal
from server.kit.tx import Tx
from server.mail.kinds import label_of
from server.orders import policy
from server.orders.models import order
from server.orders.policy import MailName
from server.people import service as people

ACTION: Final = "resend"
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


def resends(tx: Tx, told: Sequence[Told], caller: Principal) -> dict[str, list[ActionState]]:
    """Whether each entry's mail may be sent once more, by the entry's id."""
    kinds = {one.id: kind for one in told if one.order_id is not None and (kind := kind_of(one)) is not None}
    wanted = {one.order_id for one in told if one.id in kinds}
    if not wanted:
        return {}
    rows = {row.id: row for row in tx.execute(select(order).where(order.c.id.in_(wanted)))}
    customers = people.people(tx, {row.person_id for row in rows.values() if row.person_id})
    found: dict[str, list[ActionState]] = {}
    for one in told:
        row = rows.get(one.order_id)
        if one.id not in kinds or row is None:
            continue
        customer = customers.get(row.person_id)
        reachable = customer is not None and bool(customer.email)
        reason = policy.mail_obstacle(row, kinds[one.id], reachable=reachable)
        if not caller.may("mail.send"):
            reason = "insufficient_permissions"
        found[one.id] = [ActionState(name=ACTION, allowed=reason is None, reason=reason)]
    return found


for _type in TYPES:
    offers.register(_type, resends)
