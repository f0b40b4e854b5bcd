"""Customers' accounts: signing up, sessions, accounts elsewhere. The shop's front asks for them with its own token."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, delete, select

from server.accounts import policy
from server.accounts.models import oauth_link
from server.accounts.roles import end_access
from server.accounts.service import make_token
from server.accounts.standing import hold, locked
from server.accounts.topics import USERS
from server.accounts.users import make_account
from server.audit import service as audit
from server.contract.access import OauthLink
from server.kit import topics
from server.kit.access import RANK, Principal
from server.kit.clock import instant
from server.kit.folding import clean_text
from server.kit.problems import ProblemError, not_found
from server.kit.tx import Tx
from server.kit.upsert import upsert
from server.people import service as people

SESSION: Final = "session"
"""What tokens of customers are called."""

_LONGEST_SUBJECT: Final = 255


def register(tx: Tx, *, email: str, name: str | None, phone: str | None, caller: Principal) -> str:
    """Sign a customer up. Who bought here as a guest with the same e-mail is that very person.

    Returns:
        The user's id.

    Raises:
        ProblemError: 409 ``email_already_registered``, or ``deletion_scheduled`` for a person about to be erased.
    """
    known = people.find_customer(tx, email)
    if known is not None:
        policy.be_unlocked(locked=known in locked(tx, [known]))
    person_id = people.find_or_create_customer(tx, email=email, name=name, phone=phone)
    user_id = make_account(tx, person_id, "user")
    if user_id is None:
        raise ProblemError(
            409, "email_already_registered", "A customer with this e-mail has an account already."
        )
    audit.record_of_user(tx, "user.registered", user_id, caller=caller)
    topics.publish(tx, "user_created", USERS, user_id=user_id, role="user")
    tx.touch("access", "people")
    return user_id


def open_session(tx: Tx, user_id: str, *, days: int, caller: Principal) -> tuple[Row[Any], str]:
    """Make a token for a customer who signed in: it reaches the customer's own things alone.

    That the shop's front lets its customers in is no news. A member of staff who does so is: it is recorded.

    Returns:
        The token, as ``make_token`` gives it.

    Raises:
        ProblemError: 404 ``not_found``, also for the account of a member of staff; 409 ``account_inactive``.
    """
    row = _customer(tx, user_id)
    if RANK[caller.role]:
        audit.record_of_user(tx, "session.impersonated", row.id, caller=caller, metadata={"days": days})
    return make_token(tx, user_id=row.id, role="user", name=SESSION, days=days, caller=caller, told=False)


def end_sessions(tx: Tx, user_id: str, caller: Principal) -> None:
    """End all of a customer's sessions.

    Raises:
        ProblemError: 404 ``not_found``, also for the account of a member of staff.
    """
    row = _customer(tx, user_id)
    ended = end_access(tx, row.id)
    if ended.tokens and RANK[caller.role]:
        audit.record_of_user(
            tx, "session.ended", row.id, caller=caller, metadata={"tokens_revoked": ended.tokens}
        )


def link(tx: Tx, user_id: str, *, provider: str, subject: str, caller: Principal) -> tuple[OauthLink, bool]:
    """Link a customer's account with one elsewhere.

    Returns:
        The link, and whether it is new: the same link again is no mistake.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``oauth_already_linked`` when another account has it, or
            ``account_inactive``.
    """
    row = _customer(tx, user_id)
    policy.be_active(row)
    make = upsert(tx.dialect, oauth_link)
    subject = clean_text(subject, _LONGEST_SUBJECT)
    made = tx.execute(
        make.values(id=tx.new_id(), user_id=row.id, provider=provider, subject=subject, created_at=tx.now)
        .on_conflict_do_nothing(index_elements=[oauth_link.c.provider, oauth_link.c.subject])
        .returning(oauth_link)
    ).first()
    if made is None:
        same = (oauth_link.c.provider == provider) & (oauth_link.c.subject == subject)
        known = tx.execute(select(oauth_link).where(same)).one()
        if known.user_id != row.id:
            raise ProblemError(409, "oauth_already_linked", "Another account is linked with this one.")
        return shown_link(known), False
    audit.record_of_user(tx, "oauth.linked", row.id, caller=caller, metadata={"provider": provider})
    tx.touch("people")
    return shown_link(made), True


def unlink(tx: Tx, user_id: str, link_id: str, caller: Principal) -> OauthLink:
    """Take a customer's link with an account elsewhere away.

    Raises:
        ProblemError: 404 ``not_found``.
    """
    row = _customer(tx, user_id)
    mine = (oauth_link.c.id == link_id) & (oauth_link.c.user_id == row.id)
    gone = tx.execute(delete(oauth_link).where(mine).returning(oauth_link)).first()
    if gone is None:
        raise not_found("link")
    audit.record_of_user(tx, "oauth.unlinked", row.id, caller=caller, metadata={"provider": gone.provider})
    tx.touch("people")
    return shown_link(gone)


def shown_link(row: Any) -> OauthLink:
    """A link as clients see it: what the account elsewhere is called is not shown."""
    return OauthLink(id=row.id, provider=row.provider, created_at=instant(row.created_at))


def _customer(tx: Tx, user_id: str) -> Any:
    """A customer's account, held. One of staff is not there: nobody comes in as staff through the shop's front."""
    row = hold(tx, user_id)
    if row is None or row.role != "user":
        raise not_found("customer")
    return row
