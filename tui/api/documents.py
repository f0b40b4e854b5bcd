"""The server's answers as they came, for programs, beside what of them may be shown."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tui.api.client import Client, page_query
from tui.api.errors import ApiError, BadAnswer

if TYPE_CHECKING:
    from tui.api.client import Edge
    from tui.api.wire import Reply

T = TypeVar("T")


@dataclass(slots=True)
class Document:
    """An answer.

    Attributes:
        raw: the decoded JSON as it came: strangers' text in it is not fit for a terminal.
        clean: the same with every text cleaned.
    """

    raw: Any
    clean: Any

    def read(self, reader: Callable[[Any], T]) -> T:
        """What a contract model's ``model_validate`` makes of it. Raises BadAnswer where it is something else."""
        try:
            return reader(self.clean)
        except ValueError:  # pydantic's ValidationError is one
            raise BadAnswer("The server's answer is not understood. Are both of one version?") from None


class Documents(Client):
    """Calls that answer documents. Each raises an `ApiError`; ``refusal`` then holds the problem as it came, if any."""

    refusal: Any = None

    async def document(self, path: str, params: Mapping[str, str] | None = None) -> Document:
        """The answer to a question."""
        return self._document(await self._send("GET", path, params=params))

    async def changed(self, path: str, body: bytes | None = b"{}", method: str = "POST") -> Document:
        """The answer to a change."""
        return self._document(await self._change(path, body, method))

    async def listed(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        cursor: str | None = None,
        limit: int = 50,
        edge: Edge = "newest",
        everything: bool = False,
    ) -> Document:
        """A page of a list; with ``everything`` it and all that follow, as one."""
        found = await self.document(path, {**params, **page_query(cursor, limit, edge)})
        while everything and (after := self._next(found)) is not None:
            page = await self.document(path, {**params, **page_query(after, limit, edge)})
            self._next(page)
            for whole, part in ((found.raw, page.raw), (found.clean, page.clean)):
                whole["items"] += part["items"]
                whole["next"] = part["next"]
        return found

    def _next(self, page: Document) -> str | None:
        """The cursor of the page that follows. Raises BadAnswer for what is no page."""
        cursor = page.raw.get("next") if isinstance(page.raw, dict) else 0
        if cursor is not None and not isinstance(cursor, str):
            raise self._stranger()
        if not isinstance(page.raw.get("items"), list):
            raise self._stranger()
        return cursor

    def _document(self, reply: Reply) -> Document:
        clean = self._read(reply, _as_it_is)
        return Document(json.loads(reply.body), clean)

    def _failure(self, reply: Reply) -> ApiError:
        error = super()._failure(reply)
        if not isinstance(error, BadAnswer):
            with contextlib.suppress(ValueError, RecursionError):
                self.refusal = json.loads(reply.body)
        return error


def _as_it_is(tree: Any) -> Any:
    return tree
