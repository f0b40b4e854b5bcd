"""Receipts: what was erased, in counts, signed by this shop. They name nobody and can be verified anywhere.

A receipt is signed with Ed25519. The private key follows from a key of the ring (``kit.crypto``) by HKDF under a
purpose of its own, so there is no further file to keep; ``shopbelld key rotate`` puts a new key before the others,
which stay, so older receipts stay this shop's. The public key travels in the receipt, so that the signature can be
verified where no key of the shop is: that it holds says that nothing was changed since, and only the key says by whom.

A receipt has one spelling (`document`): whatever differs from it in one byte is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row

from server.deletion import erasures, planning
from server.kit.clock import rfc3339
from server.kit.crypto import Key, KeyRing, KeyTroubleError
from server.kit.migrate import HEAD
from server.kit.problems import ProblemError
from server.kit.tx import Tx

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT: Final = 1
KIND: Final = "shopbell erasure receipt"
LONGEST: Final = 1 << 20
"""Bytes of a receipt at the most."""
_PURPOSE: Final = b"shopbell receipt v1"
_PUBLIC: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of verifying.

    Attributes:
        holds: nothing was changed since it was signed.
        known: it was signed with a key that the verifier knows as the shop's.
        sentences: the same for people.
        receipt: what it says; None where the signature does not hold.
    """

    holds: bool
    known: bool
    sentences: tuple[str, ...]
    receipt: Mapping[str, Any] | None = field(default=None, repr=False)


def make(tx: Tx, row: Row[Any]) -> tuple[dict[str, Any], str]:
    """The receipt of an erasure that was carried out, and its signature.

    Args:
        tx: the transaction of the erasure (a writing one).
        row: its row of ``deletion``, with what was done.

    Raises:
        ProblemError: 503 ``key_unusable``: there is no key to sign with, so nothing is erased without a proof.
    """
    counts = _counted(row.counts or {})
    try:
        key = signer(tx.setting_source.box.ring.current())
    except KeyTroubleError as trouble:
        raise ProblemError(503, "key_unusable", f"The receipt cannot be signed. {trouble}") from None
    receipt = {
        "what": KIND,
        "format": FORMAT,
        "deletion_id": row.id,
        "mark": row.mark,
        "kind": row.kind,
        "asked_at": rfc3339(row.asked_at),
        "asked_by_role": row.asked_role,
        "erased_at": None if row.erased_at is None else rfc3339(row.erased_at),
        "plan_hash": row.plan_hash,
        "counts": counts,
        "counts_sha256": hashlib.sha256(_canonical(counts)).hexdigest(),
        "shopbell": own_version(),
        "schema": HEAD,
        "store_id": erasures.store_id(tx),
        "public_key": key.public_key().public_bytes_raw().hex(),
    }
    return receipt, key.sign(_signed(receipt)).hex()


def document(receipt: Mapping[str, Any], signature: str) -> str:
    """The one spelling of a receipt with its signature, as it is kept in a file."""
    told = {"receipt": receipt, "signature": signature}
    return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n"


def verify(given: bytes, known: Iterable[str] = ()) -> Verified:
    """Whether a document is a receipt that was signed, unchanged, and with whose key.

    Args:
        given: anything; what is not exactly a `document` does not hold.
        known: public keys that are the shop's, as hexadecimal digits.
    """
    told = _read(given)
    if told is None:
        return Verified(
            False,
            False,
            ("This is no receipt of shopbell as it was signed: it was changed, or is another file.",),
        )
    receipt, signature = told
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - a tenth of a second, only where needed
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(receipt["public_key"]))
        public.verify(bytes.fromhex(signature), _signed(receipt))
    except (InvalidSignature, ValueError):
        return Verified(False, False, ("The signature does not hold: the receipt was changed.",))
    if receipt["public_key"] in set(known):
        return Verified(True, True, ("The signature holds.", "It was made with a key of this shop."), receipt)
    return Verified(
        True,
        False,
        (
            "The signature holds.",
            f"Whose key made it is not known here: {receipt['public_key']}. Ask the shop for its own "
            "(shopbelld receipt key).",
        ),
        receipt,
    )


def signer(key: Key) -> Ed25519PrivateKey:
    """The key that signs receipts, as it follows from a key of the ring. It cannot be reckoned back."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return Ed25519PrivateKey.from_private_bytes(HKDF(SHA256(), 32, None, _PURPOSE).derive(key.material))


def public_keys(ring: KeyRing) -> list[str]:
    """The public keys of a shop, the one that signs now first."""
    return [signer(key).public_key().public_bytes_raw().hex() for key in ring.known()]


def own_version() -> str:
    """The version of this program."""
    try:
        return version("shopbell")
    except PackageNotFoundError:
        return "(not installed)"


def _counted(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """What was done, table by table, with each one's fate; sorted, so that the same counts read the same."""
    rows = [
        {"table": one.table, "records": one.noun, "fate": one.fate, "count": one.count}
        for one in planning.tables_of(counts)
    ]
    return sorted(rows, key=lambda row: (str(row["table"]), str(row["fate"]), str(row["records"])))


def _canonical(value: Any) -> bytes:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode("ascii")


def _signed(receipt: Mapping[str, Any]) -> bytes:
    return _PURPOSE + b"\0" + _canonical(receipt)


def _read(given: bytes) -> tuple[dict[str, Any], str] | None:
    """The parts of a document; None for anything that `document` would not have written exactly like this."""
    if len(given) > LONGEST:
        return None
    try:
        told = json.loads(given.decode("ascii"))
        receipt, signature = told["receipt"], told["signature"]
        same = document(receipt, signature).encode("ascii") == given
        whole = same and isinstance(receipt, dict) and (receipt["what"], receipt["format"]) == (KIND, FORMAT)
        proper = whole and _PUBLIC.fullmatch(receipt["public_key"]) and _SIGNATURE.fullmatch(signature)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return (receipt, signature) if proper else None
