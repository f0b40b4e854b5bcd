"""A reader of the stream of events, over a real connection."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True)
class Told:
    """One frame: its id, its event's name and its data; a comment has neither."""

    id: str | None = None
    event: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    comment: bool = False


class Following:
    """An open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last: str | None = None
        self._frames = self._read()

    def frame(self) -> Told | None:
        """The next frame; None at the end of the stream. Waits for ten seconds at the most."""
        found = next(self._frames, None)
        if found is not None and found.id is not None:
            self.last = found.id
        return found

    def event(self) -> Told | None:
        """The next event, without what only keeps the stream alive."""
        while (found := self.frame()) is not None:
            if found.event is not None:
                return found
        return None

    def events(self, count: int) -> list[Told]:
        """The next events."""
        found = [self.event() for _ in range(count)]
        return [each for each in found if each is not None]

    def until_known(self) -> str:
        """Wait until the stream has a place to resume from."""
        while self.last is None:
            assert self.frame() is not None, "the stream ended"
        return self.last

    def _read(self) -> Iterator[Told]:
        lines: list[str] = []
        for line in self.response.iter_lines():
            if line:
                lines.append(line)
                continue
            said = dict(each.split(": ", 1) for each in lines if not each.startswith(":"))
            comment = any(each.startswith(":") for each in lines)
            lines = []
            yield Told(said.get("id"), said.get("event"), json.loads(said.get("data", "{}")), comment)


@contextlib.contextmanager
def following(client: httpx.Client, token: str, *names: str, after: str | None = None) -> Iterator[Following]:
    """Follow these topics, after a place."""
    headers = {"Authorization": f"Bearer {token}"} | ({} if after is None else {"Last-Event-ID": after})
    params = {"topics": ",".join(names)} if names else {}
    with client.stream("GET", "/v1/events", params=params, headers=headers, timeout=10) as response:
        if response.status_code != 200:
            response.read()
        yield Following(response)
