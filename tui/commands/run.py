"""Runs one command: connects, works, prints, and ends with an exit code. Imported once a command is to run."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from tui.api.clock import Clock
from tui.api.config import Config
from tui.api.documents import Documents
from tui.api.endpoint import Endpoint
from tui.api.errors import ClientError, ConfigError, CredentialError, Refused, Unauthenticated
from tui.commands import activity, audit, jobs, orders, people, products, settings, tickets
from tui.commands.printing import Printer
from tui.commands.work import (
    DONE,
    NOT_ALLOWED,
    NOT_FOUND,
    REFUSED,
    UNREACHABLE,
    WRONG_USE,
    Declined,
    UsageError,
    Work,
    as_text,
)
from tui.widgets.format import ASCII, UNICODE, TimeFormat

Verb = Callable[[Work], Awaitable[int]]

VERBS: Final[dict[tuple[str, str | None], Verb]] = {
    ("orders", "list"): orders.listing,
    ("orders", "show"): orders.show,
    ("orders", "submit"): orders.submit,
    ("orders", "refresh"): orders.refresh,
    ("orders", "mail"): orders.mail,
    ("orders", "resolve"): orders.resolve,
    ("activity", None): activity.listing,
    ("activity", "list"): activity.listing,
    ("activity", "resolve"): activity.resolve,
    ("activity", "reopen"): activity.reopen,
    ("activity", "resolve-order"): orders.resolve,
    ("tickets", "list"): tickets.listing,
    ("tickets", "show"): tickets.show,
    ("tickets", "reply"): tickets.reply,
    ("tickets", "note"): tickets.note,
    ("tickets", "assign"): tickets.assign,
    ("tickets", "status"): tickets.status,
    ("people", "list"): people.listing,
    ("people", "show"): people.show,
    ("people", "plan"): people.plan,
    ("people", "delete"): people.delete,
    ("jobs", "list"): jobs.listing,
    ("jobs", "show"): jobs.show,
    ("jobs", "retry"): jobs.retry,
    ("jobs", "withdraw"): jobs.withdraw,
    ("jobs", "queues"): jobs.queues,
    ("jobs", "pause"): jobs.pause,
    ("jobs", "resume"): jobs.resume,
    ("settings", "list"): settings.listing,
    ("settings", "show"): settings.show,
    ("settings", "set"): settings.change,
    ("settings", "unset"): settings.unset,
    ("settings", "test"): settings.test,
    ("audit", "list"): audit.listing,
    ("audit", "show"): audit.show,
    ("products", "list"): products.listing,
    ("products", "sync"): products.sync,
}

_NEXT: Final = {
    "not_found": "Its list shows what there is.",
    "forbidden": "Ask the shop's Owner for a role that may.",
    "already_started": "Watch it with `shopbell jobs show`.",
    "invalid_cursor": "A cursor is the `next` of a page with the same filters.",
}
"""What to do next, where the server's sentence does not say it."""


def run(
    given: argparse.Namespace,
    find: Callable[[], Endpoint],
    config: Config,
    clock: Clock,
    lasting: Callable[[], bool],
    *,
    colour: bool,
) -> int:
    """Run the command that the command line names. Every error is a sentence on standard error.

    Args:
        given: the command line.
        find: finds the server, or starts it; raises ClientError.
        config: the user's settings.
        clock: the machine's time.
        lasting: whether the server goes on when the command has ended.
        colour: whether the environment wants colours.

    Returns:
        The exit code.

    Raises:
        ConfigError: something of the configuration cannot be.
        KeyboardInterrupt: somebody ended it; one who follows has had enough, and that is no error.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    out = Printer(
        sys.stdout,
        sys.stderr,
        clock,
        glyphs=UNICODE if unicode and not config.ui.ascii else ASCII,
        format=TimeFormat(config.ui.time),
        colour=colour,
        as_json=getattr(given, "json", False),
    )
    following = getattr(given, "follow", False)
    try:
        code = _run(given, find, config, clock, out, lasting)
        out.flush()
    except BrokenPipeError:
        _let_go()
        return DONE
    except KeyboardInterrupt:
        if not following:
            raise
        return DONE
    return code


def _run(
    given: argparse.Namespace,
    find: Callable[[], Endpoint],
    config: Config,
    clock: Clock,
    out: Printer,
    lasting: Callable[[], bool],
) -> int:
    client: Documents | None = None
    try:
        for value in vars(given).values():
            as_text(value)
        client = Documents(find())
        work = Work(client, given, out, clock, config.ui.poll_seconds, lasting)
        return asyncio.run(_work(work, VERBS[given.command, given.verb]))
    except ConfigError:
        raise
    except ClientError as error:
        return _refused(out, error, None if client is None else client.refusal)


async def _work(work: Work, verb: Verb) -> int:
    async with work.client:
        return await verb(work)


def _refused(out: Printer, error: ClientError, problem: object) -> int:
    """Say why not: the code that says it to programs."""
    said = error.sentence
    if isinstance(error, Refused):
        fields = [f"{told.field} {told.message}." for told in error.problem.fields or []]
        said = " ".join(
            [said, *(told for told in fields if told not in said), _NEXT.get(error.code, "")]
        ).rstrip()
        if out.as_json and problem is None:
            problem = error.problem.model_dump(mode="json", exclude_none=True)
    out.note(said)
    if out.as_json and problem is not None:
        out.document(problem)
    return _code(error)


def _code(error: ClientError) -> int:
    if isinstance(error, Refused):
        return NOT_FOUND if error.status == 404 else NOT_ALLOWED if error.status == 403 else REFUSED
    if isinstance(error, UsageError):
        return WRONG_USE
    if isinstance(error, Declined):
        return REFUSED
    return NOT_ALLOWED if isinstance(error, CredentialError | Unauthenticated) else UNREACHABLE


def _let_go() -> None:
    """Nobody reads any more. What is still to be written goes nowhere, without a word about it at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
