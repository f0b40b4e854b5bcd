"""Whether Stripe said it: the official library's check of the signature, and our rules around it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Final

from server.kit.clock import SECOND
from server.kit.problems import ProblemError

if TYPE_CHECKING:
    from types import ModuleType

TOLERANCE: Final = 300 * SECOND
"""How far the sender's clock may be from ours, either way (the library looks only at the past)."""
_LONGEST_HEADER: Final = 2048
_ITEM: Final = re.compile(r"[a-z0-9]{1,16}=[\x21-\x2b\x2d-\x7e]{1,256}", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


@cache
def library() -> ModuleType:
    """The ``stripe`` package. Half a second the first time, so call it in a thread before it is needed."""
    import stripe  # noqa: PLC0415 - only a server that gets a webhook pays for it

    stripe.enable_telemetry = False
    return stripe


def refusal(reason: str | None = None) -> ProblemError:
    """The answer to a webhook that Stripe did not send, or not now. Says nothing about what came."""
    return ProblemError(
        400,
        "signature_verification_failed",
        "This is not signed with the webhook secret of this shop, or not within the last five minutes.",
        reason=reason,
    )


def verify(body: bytes, header: str | None, secrets: Iterable[str], now: int) -> None:
    """Check that one of ``secrets`` signed exactly these bytes at about this time.

    Args:
        body: the raw body.
        header: ``Stripe-Signature``.
        secrets: any of them may have signed; they overlap while one replaces the other.
        now: milliseconds UTC, by the store's clock.

    Raises:
        ProblemError: 400 ``signature_verification_failed``; its reason is ``outside_tolerance`` for a good signature
            that is too old or lies in the future.
    """
    sent_at = _time_of(header)
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise refusal() from None  # Stripe sends UTF-8; the library would fail on it in a way of its own
    stripe = library()
    for secret in secrets:
        try:
            # No tolerance here: the library would read the machine's clock, and accept the future.
            stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
        except stripe.SignatureVerificationError:
            continue
        if abs(now - sent_at) > TOLERANCE:
            raise refusal("outside_tolerance")
        return
    raise refusal()


def _time_of(header: str | None) -> int:
    """The one time that a well-formed header names, in milliseconds.

    The library takes the first of several times and reads more than digits as a number, so neither is let through.
    """
    if header is None or len(header) > _LONGEST_HEADER:
        raise refusal()
    items = header.split(",")
    times = [item[2:] for item in items if item.startswith("t=")]
    if not all(_ITEM.fullmatch(item) for item in items) or len(times) != 1 or not _TIME.fullmatch(times[0]):
        raise refusal()
    return int(times[0]) * SECOND
