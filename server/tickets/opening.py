"""Opening a ticket: by staff, by the shop's program, by the customer."""

from __future__ import annotations

from sqlalchemy import insert, select

from server.contract.tickets import NewTicket
from server.kit import refs
from server.kit.access import Principal
from server.kit.problems import invalid_request
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.people import service as people
from server.tickets import events, policy, story, words
from server.tickets.finding import person_of
from server.tickets.models import ticket, ticket_counter


def create(tx: Tx, new: NewTicket, caller: Principal) -> str:
    """Open a ticket for the customer with the e-mail that it names; the customer is made where there is none.

    A program opens them for customers, so it may only while the shop takes tickets from customers, and only beside an
    order of that customer.

    Returns:
        The ticket's id.

    Raises:
        ProblemError: 422 ``invalid_request``; 404 ``support_disabled``; 403 ``insufficient_permissions``.
    """
    who = policy.acting(tx, caller, "tickets.create")
    program = who.user_id is None
    if program:
        policy.customers_welcome(tx)
    if new.email is None:
        raise invalid_request(("email", "must say whose ticket it is"))
    person_id = people.find_or_create_customer(tx, email=new.email, name=new.name)
    order_id = _order(tx, new.order, person_id if program else None)
    return _open(tx, new, who, person_id, order_id)


def create_own(tx: Tx, new: NewTicket, caller: Principal) -> str:
    """Open a customer's own ticket, beside one of their own orders where they name one.

    Returns:
        The ticket's id.

    Raises:
        ProblemError: 404 ``support_disabled``; 422 ``invalid_request``, also for an e-mail or a name.
    """
    policy.customers_welcome(tx)
    who = policy.acting(tx, caller, "tickets.own")
    named = [field for field in ("email", "name") if getattr(new, field) is not None]
    if named:
        raise invalid_request(*((field, "must be left out: it is your own ticket") for field in named))
    person_id = person_of(tx, who)
    return _open(tx, new, who, person_id, _order(tx, new.order, person_id))


def _order(tx: Tx, key: str | None, owner: str | None) -> str | None:
    if key is None:
        return None
    found = refs.find_order(tx, key.strip())
    if found is None or (owner is not None and found.person_id != owner):
        raise invalid_request(("order", "must be the id or number of an order of this customer"))
    return found.id


def _open(tx: Tx, new: NewTicket, caller: Principal, person_id: str, order_id: str | None) -> str:
    title = words.title(new.title)
    # The number's row is held until the end, so whoever opens another ticket chooses its slug after this one.
    number = _next_number(tx)
    row = tx.execute(
        insert(ticket)
        .values(
            id=tx.new_id(),
            number=number,
            slug=_free_slug(tx, words.slug(title)),
            title=title,
            description=words.body(new.description, "description"),
            status="open",
            priority=new.priority,
            person_id=person_id,
            order_id=order_id,
            comment_count=0,
            created_at=tx.now,
            updated_at=tx.now,
        )
        .returning(ticket)
    ).one()
    events.tell(tx, "ticket_created", row)
    story.tell(tx, "ticket.created", row, caller, row.id)
    ticket_id: str = row.id
    return ticket_id


def _next_number(tx: Tx) -> int:
    """The next number. It moves with the transaction, so no two tickets share one and none is given twice."""
    into = upsert(tx.dialect, ticket_counter)
    number: int = tx.execute(
        into.values(id=1, last=1)
        .on_conflict_do_update(index_elements=[ticket_counter.c.id], set_={"last": ticket_counter.c.last + 1})
        .returning(ticket_counter.c.last)
    ).scalar_one()
    return number


def _free_slug(tx: Tx, wanted: str) -> str:
    """``wanted``, or with -2, -3, … behind it. Looks where a free one begins without reading all that are taken."""

    def numbered(number: int) -> str:
        return wanted if number == 1 else f"{wanted}-{number}"

    def free(number: int) -> bool:
        return tx.execute(select(ticket.c.id).where(ticket.c.slug == numbered(number))).first() is None

    taken, unused = 0, 1
    while not free(unused):
        taken, unused = unused, unused * 2
    while unused - taken > 1:
        middle = (taken + unused) // 2
        taken, unused = (taken, middle) if free(middle) else (middle, unused)
    return numbered(unused)
