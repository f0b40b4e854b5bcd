"""The stream: ``GET /v1/events``."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from server.app.services import AppServices
from server.app.streams import Streams, may_follow_all
from server.kit import topics
from server.kit.access import Principal
from server.kit.problems import ProblemError, invalid_request
from server.kit.web import permit, refuses, router

MOST_TOPICS: Final = 50
_LONGEST: Final = MOST_TOPICS * (topics.LONGEST + 1)


def build(found: AppServices, streams: Streams) -> APIRouter:
    """The route."""
    routes = router("/v1", "events")

    @routes.get(
        "/events",
        summary="What happens, as it happens",
        response_class=Response,
        responses={
            200: {"description": "Server-sent events", "content": {"text/event-stream": {}}},
            **refuses(topic_refused=403, unavailable=503, rate_limited=429),
        },
    )
    async def follow(
        request: Request,
        caller: Annotated[Principal, permit("events.follow")],
        named: str = Query(
            "", alias="topics", max_length=_LONGEST, description="separated by commas; none: only `changed`"
        ),
    ) -> Response:
        """Server-sent events of these topics, from now on or from after `Last-Event-ID`.

        `reset` says that something was missed; fetch again. Without topics there is only `changed`: these counters
        of the poll moved, so poll now. The stream ends when the token may follow no more, or when the server stops.
        """
        names = _topics(named)
        refused = may_follow_all(caller, names)
        if refused is not None:
            raise _refusal(refused)
        return streams.open(
            caller, lambda: found.authenticate(request), names, request.headers.get("last-event-id")
        )

    return routes


def _topics(named: str) -> list[str]:
    names = list(dict.fromkeys(name for name in named.split(",") if name))
    if len(names) > MOST_TOPICS:
        raise invalid_request(("topics", f"at most {MOST_TOPICS}"))
    if not all(topics.is_topic(name) for name in names):
        raise invalid_request(("topics", "words between colons, separated by commas"))
    return names


def _refusal(topic: str) -> ProblemError:
    """The same for a topic that is not there and one that is not the caller's."""
    if not topic:
        return ProblemError(
            403, "topic_refused", "Name the topics to follow: only staff may follow everything."
        )
    return ProblemError(
        403,
        "topic_refused",
        "There is no such topic, or it is not yours to follow.",
        fields=[("topics", topic)],
    )
