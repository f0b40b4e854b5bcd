"""What every command works with: the server, what it was told, where it prints, and whom it may ask."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui.api.clean import clean_line
from tui.api.clock import Clock
from tui.api.documents import Document, Documents
from tui.api.errors import ClientError
from tui.commands.printing import Column, Printer, Row

if TYPE_CHECKING:
    from server.contract.base import Page
    from server.contract.jobs import JobRow

DONE, REFUSED, WRONG_USE, UNREACHABLE, NOT_FOUND, NOT_ALLOWED = range(6)
"""Exit codes."""

PAGE: Final = 50

T = TypeVar("T")


class UsageError(ClientError):
    """What was asked for cannot be; the sentence says what can."""


class Declined(ClientError):  # noqa: N818 - somebody said no
    """Nothing was done: somebody or something said no."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end a wait for somebody at the keys: an event loop would keep it until they have answered."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def as_text(value: object) -> None:
    """Raises UsageError for a text that came in with bytes that are no letters."""
    try:
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError:
        raise UsageError("What was given is not text in UTF-8.") from None


@dataclass(slots=True)
class Work:
    """One command at work.

    Attributes:
        client: the server.
        given: the command line.
        out: where it prints.
        clock: the machine's time.
        poll_seconds: how often somebody who follows looks.
        lasting: whether the server goes on when this command has ended.
    """

    client: Documents
    given: argparse.Namespace
    out: Printer
    clock: Clock
    poll_seconds: float
    lasting: Callable[[], bool]

    def option(self, name: str, default: Any = None) -> Any:
        """What the command line says; ``default`` where it says nothing."""
        return getattr(self.given, name, default)

    async def _listed(self, path: str, params: dict[str, str]) -> Document:
        """The page, or all of them, that the command line asks for."""
        told = {name: value for name, value in params.items() if value}
        everything = bool(self.option("all", default=False))
        limit = self.option("limit") or (200 if everything else PAGE)
        return await self.client.listed(
            path, told, cursor=self.option("cursor"), limit=limit, everything=everything
        )

    async def print_page(
        self,
        path: str,
        params: dict[str, str],
        read: Callable[[Any], Page[T]],
        columns: Sequence[Column],
        row: Callable[[Printer, T], Row],
    ) -> int:
        """Print the page that the command line asks for: as a table and whether there is more, or as it came.

        Args:
            path: where the server lists it.
            params: what narrows it; empty ones are not sent.
            read: the ``model_validate`` of its model.
            columns: the table's.
            row: what the table says of one of its items.

        Returns:
            The exit code.
        """
        found = await self._listed(path, params)
        page = found.read(read)
        if self.out.as_json:
            self.out.document(found.raw)
            return DONE
        if not page.items:
            self.out.note("There is nothing like that.")
            return DONE
        self.out.table(columns, [row(self.out, item) for item in page.items])
        if page.next is not None:
            self.out.note(f"There is more: --all shows everything, --cursor {page.next} goes on.")
        return DONE

    def asked_for(self, job: JobRow, *, new: bool = True) -> None:
        """Say that a job was asked for, when it leaves, and how to take it back."""
        if not new:
            self.out.line(f"{job.label}: was asked for already.")
        elif job.held_until is not None and (seconds := self.out.ahead(job.held_until)):
            self.out.line(f"{job.label}: leaves in {seconds} s.")
            self.out.note(f"Until then `shopbell jobs withdraw {job.id}` takes it back.")
        else:
            self.out.line(f"{job.label}: asked for.")
        self.out.line(f"Job {job.id}", "muted")
        self.waits_here()

    def waits_here(self) -> None:
        """Say so where nothing will happen until somebody opens the shop again."""
        if not self.lasting():
            self.out.note("Your shop's own server runs only while shopbell is open. What waits goes on then.")

    def confirm(self, question: str) -> None:
        """Ask for a yes.

        Raises:
            UsageError: there is nobody to ask.
            Declined: the answer was another one.
        """
        if not sys.stdin.isatty():
            raise UsageError("There is no terminal to ask on. Say --yes to do it without a question.")
        with interruptible():
            sys.stderr.write(f"{clean_line(question)} [y/N] ")
            sys.stderr.flush()
            answer = sys.stdin.readline()
        if answer.strip().lower() not in {"y", "yes"}:
            raise Declined("Nothing was done.")
