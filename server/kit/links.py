"""Signed links and cookies: what a customer holds in hand to prove something, without a password.

HMAC-SHA256 with a key of its own for every purpose, derived from one secret of the store. A token holds an id, never an
e-mail, and the moment it was made by the store's clock; how long it is good is up to who reads it. Whoever can read the
secret can read the whole store, so it stands in the store and goes where the store's backups go.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Final, Literal

from itsdangerous import BadSignature, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode
from sqlalchemy import select

from server.kit.clock import SECOND, milliseconds
from server.kit.ids import random_text
from server.kit.schema import store_fact
from server.kit.tx import Tx
from server.kit.upsert import upsert

Purpose = Literal["unsubscribe", "lookup", "orders", "cart"]
"""What a token is for; one made for one purpose is nothing for another."""

_VERSION: Final = "1"
_FACT: Final = "link_key"
_HEX: Final = "0123456789abcdef"
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_LONGEST: Final = 300


class LinkError(Exception):
    """A token that opens nothing.

    Args:
        expired: it was a good one once; otherwise somebody changed it, cut it off, or made it up.
    """

    def __init__(self, *, expired: bool) -> None:
        super().__init__("expired" if expired else "not ours")
        self.expired = expired


class _Signer(TimestampSigner):
    """A signer whose time is the store's."""

    def __init__(self, key: bytes, purpose: str, now: int) -> None:
        super().__init__(
            key,
            salt=f"shopbell link {_VERSION} {purpose}",
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )
        self._now = now

    def get_timestamp(self) -> int:
        """Seconds since 1970."""
        return self._now // SECOND


def ensure_key(tx: Tx) -> bytes:
    """The store's secret; made the first time, which needs a writing transaction."""
    key = _key(tx)
    if key is None:
        insert = upsert(tx.dialect, store_fact)
        tx.execute(
            insert.values(name=_FACT, value=random_text(64, _HEX)).on_conflict_do_nothing(
                index_elements=[store_fact.c.name]
            )
        )
        key = _key(tx)
        assert key is not None  # noqa: S101 - it was made in this transaction, or by somebody else before it
    return key


def sign(tx: Tx, purpose: Purpose, subject: str) -> str:
    """A token for ``subject`` made now.

    Args:
        tx: a transaction; a writing one if no token was ever made in this store.
        purpose: what it is for.
        subject: 1 to 100 letters, digits, ``-`` and ``_``: an id or a hash, nothing that names a person.

    Raises:
        ValueError: a subject of another shape.
    """
    if not _SUBJECT.fullmatch(subject):
        raise ValueError("a link holds an id and nothing else")
    return _Signer(ensure_key(tx), purpose, tx.now).sign(subject).decode("ascii")


def read(tx: Tx, purpose: Purpose, token: str, good_for: int) -> str:
    """The subject of a token.

    Args:
        tx: a transaction.
        purpose: what it must be for.
        token: anything a stranger may have sent.
        good_for: how long after it was made, in milliseconds.

    Raises:
        LinkError: it opens nothing.
    """
    key = _key(tx)
    if key is None or len(token) > _LONGEST or not token.isascii():
        raise LinkError(expired=False)
    try:
        subject, made = _Signer(key, purpose, tx.now).unsign(token, return_timestamp=True)
    except BadSignature:
        raise LinkError(expired=False) from None
    signature = token.rpartition(".")[2].encode()
    if base64_encode(base64_decode(signature)) != signature:  # the same bytes, written in another way
        raise LinkError(expired=False)
    # A clock that was set back makes a token of ours seem to come from the future: it is as good as new.
    if tx.now - milliseconds(made) > good_for:
        raise LinkError(expired=True)
    return subject.decode("ascii")


def keyed_hash(tx: Tx, purpose: str, text: str) -> str:
    """A hash of ``text`` that only this store can make: 43 signs that may stand in a URL.

    Needs a writing transaction if the store has no secret yet.
    """
    made = hmac.new(
        hmac.digest(ensure_key(tx), f"shopbell hash {_VERSION} {purpose}".encode(), "sha256"),
        text.encode(),
        hashlib.sha256,
    )
    return base64.urlsafe_b64encode(made.digest()).decode("ascii").rstrip("=")


def _key(tx: Tx) -> bytes | None:
    text: str | None = tx.execute(select(store_fact.c.value).where(store_fact.c.name == _FACT)).scalar()
    return None if text is None else bytes.fromhex(text)
