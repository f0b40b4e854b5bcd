"""People as clients see them: a page with what each has, and one person whole."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Row, select

from server.accounts import service as tokens
from server.accounts import users
from server.accounts.models import oauth_link, token, user
from server.contract.access import OauthLink, TokenRow, UserRow
from server.contract.people import Note, Person, PersonRow
from server.directory import hooks, policy
from server.kit.access import Principal
from server.kit.clock import instant, instant_or_none
from server.kit.paging import PageRequest, Slice
from server.kit.problems import not_found
from server.kit.tx import Tx
from server.orders import by_person as orders
from server.people import notes, profiles, reading
from server.people.reading import PeopleQuery
from server.people.service import shown_as
from server.tickets.listing import open_counts

RECENT: Final = 10
MOST: Final = 100
"""So many addresses, notes, profiles, links and tokens of one person are shown, the newest of each."""


def listing(tx: Tx, query: PeopleQuery, page: PageRequest, caller: Principal) -> Slice[PersonRow]:
    """A page of people, newest first. What each has is counted for all of them at once."""
    found = reading.page(tx, query, page)
    ids = [row.id for row in found.rows]
    accounts = _accounts(tx, ids, caller)
    bought, asked = orders.counts(tx, ids), open_counts(tx, ids)
    rows = [
        PersonRow(**_head(row, accounts.get(row.id), bought.get(row.id, 0), asked.get(row.id, 0)))
        for row in found.rows
    ]
    return Slice(rows, found.older, found.newer)


def get(tx: Tx, person_id: str, caller: Principal) -> Person:
    """A person whole.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = reading.row_of(tx, person_id)
    if row is None:
        raise not_found("person")
    return shown(tx, row, caller)


def shown(tx: Tx, row: Row[Any], caller: Principal) -> Person:
    """A person's row as this caller sees it."""
    account = account_of(tx, row.id)
    as_row = _accounts(tx, [row.id], caller).get(row.id)
    bought, asked = orders.counts(tx, [row.id]), open_counts(tx, [row.id])
    return Person(
        **_head(row, as_row, bought.get(row.id, 0), asked.get(row.id, 0)),
        addresses=reading.addresses_of(tx, row.id, MOST),
        notes=_notes(tx, notes.of(tx, row.id, MOST)),
        billing_profiles=profiles.of(tx, row.id, MOST),
        oauth_links=_links(tx, account.id) if account else [],
        tokens=_tokens(tx, account.id, caller) if account else [],
        recent_orders=orders.latest(tx, row.id, RECENT),
        actions=[*policy.actions(row, account, caller), *hooks.actions(tx, row, caller)],
    )


def shown_note(tx: Tx, row: Row[Any]) -> Note:
    """A note as clients see it."""
    return _notes(tx, [row])[0]


def account_of(tx: Tx, person_id: str) -> Row[Any] | None:
    """The account of a person; None when there is none."""
    return tx.execute(select(user).where(user.c.person_id == person_id)).first()


def _accounts(tx: Tx, ids: Collection[str], caller: Principal) -> dict[str, UserRow]:
    rows = tx.execute(select(user).where(user.c.person_id.in_(set(ids)))).all() if ids else []
    return {row.person_id: shown for row, shown in zip(rows, users.shown(tx, rows, caller), strict=True)}


def _head(row: Row[Any], account: UserRow | None, bought: int, asked: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "shown": shown_as(row.email, row.name, row.mark),
        "name": row.name,
        "email": row.email,
        "phone": row.phone,
        "account": account,
        "orders": bought,
        "open_tickets": asked,
        "created_at": instant(row.created_at),
        "erased_at": instant_or_none(row.erased_at),
        "hidden": row.hidden_at is not None and row.erased_at is None,
    }


def _notes(tx: Tx, rows: Collection[Row[Any]]) -> list[Note]:
    writers = users.names(tx, [row.author_user_id for row in rows])
    return [
        Note(
            id=row.id,
            body=row.body,
            author=writers.get(row.author_user_id),
            author_user_id=row.author_user_id if row.author_user_id in writers else None,
            created_at=instant(row.created_at),
        )
        for row in rows
    ]


def _links(tx: Tx, user_id: str) -> list[OauthLink]:
    mine = select(oauth_link).where(oauth_link.c.user_id == user_id)
    rows = tx.execute(mine.order_by(oauth_link.c.created_at.desc(), oauth_link.c.id.desc()).limit(MOST))
    return [OauthLink(id=row.id, provider=row.provider, created_at=instant(row.created_at)) for row in rows]


def _tokens(tx: Tx, user_id: str, caller: Principal) -> list[TokenRow]:
    """Tokens as their own list shows them: one's own, and everybody's to those who manage them."""
    if user_id != caller.user_id and not caller.may("tokens.manage"):
        return []
    mine = select(token).where(token.c.user_id == user_id)
    rows = tx.execute(mine.order_by(token.c.created_at.desc(), token.c.id.desc()).limit(MOST))
    return [tokens.shown(row) for row in rows]
