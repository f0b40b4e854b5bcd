"""Mails that came back, as the shop's mail service tells of them. Told twice, a bounce is one bounce."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Final

from fastapi import Request
from sqlalchemy import Row, select, update

from server.activity import service as activity
from server.activity.service import Actor
from server.contract.mail import Bounce
from server.kit.clock import parse_instant
from server.kit.problems import ProblemError, invalid_request
from server.kit.tx import Tx
from server.kit.web import services
from server.mail.kinds import label_of
from server.mail.models import mail
from server.people import service as people
from server.settings import service as settings

_BEARER: Final = "bearer "
_LEFT: Final = ("sent", "sending", "failed")
"""States of mails that may have reached a mail server."""


async def check_token(request: Request) -> None:
    """Let in who brings the shop's bounce token.

    Raises:
        ProblemError: 503 ``unavailable`` when there is none to bring; 401 ``unauthenticated``, and 429
            ``rate_limited`` instead of it for a peer that keeps guessing.
    """
    token = await settings.secret_at_hand(services(request).store, "mail.bounce_token")
    if not token:
        raise ProblemError(503, "unavailable", "This shop takes no bounces: set mail.bounce_token.")
    given = request.headers.getlist("authorization")
    header = given[0] if len(given) == 1 else ""
    brought = header[len(_BEARER) :].strip() if header[: len(_BEARER)].lower() == _BEARER else ""
    # Hashed first, so that the comparison takes as long for every length.
    if not hmac.compare_digest(_digest(brought.encode("latin-1")), _digest(token.encode())):
        told = "Bring the bounce token of the shop's settings."
        refused = ProblemError(401, "unauthenticated", told, reason="wrong")
        raise services(request).counted(request, refused)


def note(tx: Tx, told: Bounce) -> bool:
    """Note that a mail came back: at the mail, and as an entry that names the person through the vault.

    Args:
        tx: the transaction.
        told: a mail by its Message-ID, or the newest mail to an address.

    Returns:
        Whether it is about anybody this shop knows.

    Raises:
        ProblemError: 422 ``invalid_request`` when it names neither a mail nor an address, or a malformed time.
    """
    if told.message_id is None and told.email is None:
        raise invalid_request(("message_id", "name the mail by message_id, or its recipient by email"))
    at = _moment(told, tx.now)
    row = _mail(tx, told)
    person_id = row.person_id if row is not None else _person(tx, told.email)
    if row is None and person_id is None:
        return False
    if row is not None:
        first = (mail.c.id == row.id) & mail.c.bounced_at.is_(None)
        tx.execute(update(mail).where(first).values(bounced_at=min(at, tx.now), bounce=told.kind))
        tx.touch("mail")
    activity.log(
        tx,
        "email.bounced",
        order_id=None if row is None else row.order_id,
        person_id=person_id,
        params={"kind": told.kind, "mail": None if row is None else label_of(row.kind)},
        texts={"reason": told.reason} if told.reason and not _is_anonymised(row) else None,
        occurred_at=at,
        identity=_identity(told),
        actor=Actor("provider"),
    )
    return True


def _is_anonymised(row: Row[Any] | None) -> bool:
    """Whether the mail's recipient has been erased: what the mail server says names them."""
    return row is not None and row.anonymized_at is not None


def _identity(told: Bounce) -> tuple[str, str]:
    """What makes a second telling the same bounce: its sender's id for it, else all that it says."""
    if told.event_id is not None:
        return "bounce", told.event_id
    said = json.dumps(told.model_dump(mode="json"), sort_keys=True)
    return "bounce said", hashlib.sha256(said.encode()).hexdigest()


def _mail(tx: Tx, told: Bounce) -> Row[Any] | None:
    if told.message_id is not None:
        name = f"<{told.message_id.strip().removeprefix('<').removesuffix('>')}>"
        found = tx.execute(select(mail).where(mail.c.message_id == name)).first()
        if found is not None:
            return found
    if (person_id := _person(tx, told.email)) is None:
        return None
    newest = (mail.c.created_at.desc(), mail.c.id.desc())
    theirs = (mail.c.person_id == person_id) & mail.c.state.in_(_LEFT)
    return tx.execute(select(mail).where(theirs).order_by(*newest).limit(1)).first()


def _person(tx: Tx, email: str | None) -> str | None:
    return people.find_customer(tx, email) if email is not None else None


def _moment(told: Bounce, now: int) -> int:
    if told.occurred_at is None:
        return now
    try:
        return parse_instant(told.occurred_at)
    except ValueError as error:
        raise invalid_request(("occurred_at", str(error))) from None


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
