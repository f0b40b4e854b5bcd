"""Whether a provider sent a webhook. Constant time, on the raw bytes, before anything of them is read."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from server.kit.problems import ProblemError

_PRINTIFY: Final = re.compile(r"sha256=[0-9a-fA-F]{64}", re.ASCII)
_HEX: Final = re.compile(r"([0-9a-fA-F]{2}){8,256}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def refusal() -> ProblemError:
    """The answer to a webhook that its provider did not send. Says nothing about what came."""
    return ProblemError(
        401, "signature_verification_failed", "This is not signed with the webhook secret of this shop."
    )


def printify(body: bytes, header: str | None, secret: str) -> None:
    """``X-Pfy-Signature: sha256=…``: an HMAC of the body with the secret's letters as the key.

    Raises:
        ProblemError: 401 ``signature_verification_failed``.
    """
    if header is None or not _PRINTIFY.fullmatch(header):
        raise refusal()
    _compare(header.removeprefix("sha256="), body, secret.encode())


def printful(body: bytes, header: str, secret: str) -> None:
    """``X-PF-Webhook-Signature`` of version 2: an HMAC of the body; its secret is written in hexadecimal digits.

    Raises:
        ProblemError: 401 ``signature_verification_failed``.
    """
    if not _DIGEST.fullmatch(header) or not _HEX.fullmatch(secret):
        raise refusal()
    _compare(header, body, bytes.fromhex(secret))


def token(given: str | None, secret: str) -> None:
    """The token of an unsigned webhook of Printful's version 1, as it was put behind the address.

    Raises:
        ProblemError: 401 ``signature_verification_failed``.
    """
    if given is None or not hmac.compare_digest(given.encode(), secret.encode()):
        raise refusal()


def _compare(given: str, body: bytes, key: bytes) -> None:
    wanted = hmac.new(key, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given.lower().encode(), wanted.encode()):
        raise refusal()
