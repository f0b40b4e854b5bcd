"""How a job says that an attempt came to nothing, and what of the reason may be kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from server.kit.folding import clean_text
from server.kit.tx import Tx

LONGEST_REASON: Final = 500
"""Most signs of a reason that are kept."""
HIDDEN: Final = "⟨hidden⟩"
"""Stands for what looked like a secret in a reason."""

_SECRETS: Final = (
    re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"),
    re.compile(
        r"(?i)[\"']?\b[\w-]*(password|passwd|secret|token|api[_-]?key|authorization)[\"']?\s*[=:]\s*"
        r"[\"']?[^\s\"'&,;]{6,}"
    ),
    re.compile(r"(?<=://)[^/\s@]+@"),
    re.compile(r"\b(sk|rk|pk|whsec|shopbell)_[A-Za-z0-9_]{8,}"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?"),
)


class JobError(Exception):
    """An attempt that failed, raised from a kind's ``run`` (or from the `Then` it gave).

    Args:
        reason: what went wrong, for people; may hold a stranger's words. It is cleaned and cut before it is kept.
        permanent: trying again would not help, so the job gives up at once.
        after: milliseconds to wait for the next attempt in place of the kind's own ``waits``; not varied.
        then: run in the transaction that notes the failure.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        after: int | None = None,
        then: Callable[[Tx], None] | None = None,
    ) -> None:
        super().__init__("a job's attempt failed")  # the reason stays out of tracebacks and logs
        self.reason = clean_reason(reason)
        self.permanent = permanent
        self.after = after
        self.then = then


def clean_reason(text: str) -> str:
    """A reason as it may be kept: one line without control characters or anything that looks like a secret."""
    capped = text[: 8 * LONGEST_REASON]
    plain = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") else letter for letter in capped
    )
    for secret in _SECRETS:
        plain = secret.sub(HIDDEN, plain)
    return clean_text(" ".join(plain.split()), LONGEST_REASON)


def reason_of(error: Exception) -> str:
    """The reason of whatever ``run`` raised: of an exception that is no `JobError` only its class."""
    return error.reason if isinstance(error, JobError) else type(error).__name__
