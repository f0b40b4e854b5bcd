"""Refusals: one exception, one shape on the wire (RFC 9457 problem+json with a stable code)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

TITLES: Final = {
    400: "Bad request",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    410: "Gone",
    413: "Too large",
    415: "Not JSON",
    421: "Not this server",
    422: "Invalid request",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "Not available now",
}


class ProblemError(Exception):
    """A request that is refused, with what to tell the caller. Carries no secret and no stranger's text.

    Args:
        status: HTTP status.
        code: stable name for programs, equal to the origin's error name where there is one.
        detail: one sentence for people, saying what to do next where something can be done.
        reason: a finer stable name beside ``code`` (``target_is_owner``).
        fields: pairs of field and message for a request with wrong fields.
        retry_after: seconds after which trying again makes sense.
        extra: further members of the problem, as JSON; nothing of a person.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str | None = None,
        *,
        reason: str | None = None,
        fields: Sequence[tuple[str, str]] | None = None,
        retry_after: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.status = status
        self.code = code
        self.detail = detail
        self.reason = reason
        self.fields = tuple(fields) if fields else None
        self.retry_after = retry_after
        self.extra = dict(extra or {})

    def body(self) -> dict[str, object]:
        """The problem+json object."""
        body: dict[str, object] = {
            **self.extra,
            "type": "about:blank",
            "title": TITLES.get(self.status, "Refused"),
            "status": self.status,
            "code": self.code,
        }
        if self.detail is not None:
            body["detail"] = self.detail
        if self.reason is not None:
            body["reason"] = self.reason
        if self.fields is not None:
            body["fields"] = [{"field": field, "message": message} for field, message in self.fields]
        return body


def not_found(what: str) -> ProblemError:
    """The refusal for an unknown id; the same for one that the caller may not see."""
    return ProblemError(404, "not_found", f"There is no such {what}.")


def invalid_request(*fields: tuple[str, str]) -> ProblemError:
    """The refusal for fields that cannot be right, each with its message."""
    detail = "; ".join(f"{field}: {message}" for field, message in fields)
    return ProblemError(422, "invalid_request", detail, fields=fields)
