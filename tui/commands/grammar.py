"""The command line of the commands without screens. Imports argparse alone: help must come at once."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn

CODES: Final = """\
exit codes:
  0  done                       3  the server cannot be reached, or cannot answer
  1  refused                    4  there is no such thing
  2  wrong use                  5  not signed in, or not allowed
"""


class Parser(argparse.ArgumentParser):
    """A parser that hurts no terminal with what it was given, and learns its verbs when somebody needs them."""

    later: Callable[[], None] | None = None

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, without what a terminal would act on."""
        from tui.api.clean import clean_line  # noqa: PLC0415 - only for a mistake

        super().error(clean_line(message))

    def learn(self) -> None:
        """Learn the verbs; once."""
        later, self.later = self.later, None
        if later is not None:
            later()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, with the verbs learnt."""
        self.learn()
        return super().parse_known_args(args, namespace)


class _Room:
    """One noun and its verbs."""

    def __init__(self, parser: Parser, where: Parser) -> None:
        common = _parent(where)
        common.add_argument("--json", action="store_true", help="print what the server answered, as JSON")
        self._common = common
        self.parser = parser
        self.paged = _parent()
        self.paged.add_argument("--limit", type=_limit, metavar="N", help="rows of a page, 1 to 200 (50)")
        self.paged.add_argument("--all", action="store_true", help="all pages")
        self.paged.add_argument("--cursor", metavar="TEXT", help="begin at the `next` of another page")
        self._verbs: Any = None

    def takes(self, *parents: Parser) -> None:
        """Give the noun itself the options of a verb, for use without one."""
        for parent in (self._common, *parents):
            self.parser._add_container_actions(parent)

    def verb(self, name: str, about: str, *parents: Parser) -> argparse.ArgumentParser:
        """A verb with what all have: where the server is, and ``--json``."""
        if self._verbs is None:
            needed = not self.parser.prog.endswith(" activity")
            self._verbs = self.parser.add_subparsers(dest="verb", metavar="VERB", required=needed)
        made: argparse.ArgumentParser = self._verbs.add_parser(
            name,
            help=about,
            description=f"{about[0].upper()}{about[1:]}.",
            parents=[self._common, *parents],
            epilog=CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        return made


def add(commands: Any, where: Parser) -> None:
    """Add the commands to those of ``shopbell``; ``where`` holds the options that name the server."""
    for name, (fill, about, told) in _ROOMS.items():
        parser: Parser = commands.add_parser(
            name,
            help=about,
            description=told,
            epilog=CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.later = partial(_fill, fill, parser, where)


def _fill(fill: Callable[[_Room], None], parser: Parser, where: Parser) -> None:
    fill(_Room(parser, where))


def _parent(*parents: Parser) -> Parser:
    return Parser(add_help=False, argument_default=argparse.SUPPRESS, parents=list(parents))


def _orders(room: _Room) -> None:
    found = room.verb("list", "list orders, the newest first", room.paged)
    found.add_argument(
        "--tab", "--status", default="all", choices=("all", "unpaid", "to_ship", "shipped", "problems"),
        help="only these",
    )  # fmt: skip
    found.add_argument(
        "-q", "--query", default="", metavar="TEXT", help="in number, customer, tracking number"
    )
    found.add_argument(
        "--sort", default="newest", choices=("newest", "oldest", "total", "attention"), help="in this order"
    )
    _order(room.verb("show", "show an order whole"))
    submit = room.verb("submit", "submit an order to its provider; says first what would happen, and asks")
    _order(submit)
    submit.add_argument("--yes", action="store_true", help="do not ask")
    _hold(submit)
    _order(room.verb("refresh", "ask the provider how far an order is"))
    mail = room.verb("mail", "send an order's mail to its customer, again if need be")
    _order(mail)
    mail.add_argument("kind", choices=("confirmation", "shipping"), help="which mail")
    _hold(mail)
    _order(room.verb("resolve", "resolve all that is open about an order"))


def _activity(room: _Room) -> None:
    chosen = _parent(room.paged)
    chosen.add_argument(
        "--tab", choices=("all", "attention"), help="everything (so if left out), or what is open"
    )
    chosen.add_argument(
        "--category",
        metavar="NAME",
        help="only this: orders, syncs, emails, carts, tickets, system, custom, …",
    )
    chosen.add_argument("--level", choices=("info", "warning", "error"), help="only this")
    chosen.add_argument("--type", metavar="NAME", help="only this type of event")
    chosen.add_argument("-q", "--query", metavar="TEXT", help="only with these words")
    chosen.add_argument("--internal", action="store_true", help="the program's own events, too")
    chosen.add_argument("--folded", action="store_true", help="the same problem again and again is one row")
    chosen.add_argument(
        "--follow", "-f", action="store_true", help="print each new entry once it is recorded"
    )
    chosen.add_argument(
        "--every", type=_seconds, metavar="SECONDS", help="with --follow: how often to look, 1 to 3600"
    )
    room.takes(chosen)
    room.verb("list", "list what happened, the newest first", chosen)
    for verb, about in (
        ("resolve", "resolve a warning or an error"),
        ("reopen", "open a resolved entry again"),
    ):
        made = room.verb(verb, about)
        made.add_argument("entry", metavar="ID", help="the entry's id")
        made.add_argument("--group", action="store_true", help="with all that are like it")
        made.add_argument("--seen", metavar="ID", help="with --group: nothing recorded after this entry")
    _order(room.verb("resolve-order", "resolve all that is open about an order"))


def _tickets(room: _Room) -> None:
    found = room.verb("list", "list tickets, those in which something happened last first", room.paged)
    found.add_argument(
        "--tab",
        default="open",
        choices=("open", "mine", "unassigned", "resolved", "all"),
        help="only these (open)",
    )
    found.add_argument("-q", "--query", default="", metavar="TEXT", help="in what was written, and by whom")
    found.add_argument(
        "--priority", default="", choices=("low", "normal", "high", "urgent"), help="only of this priority"
    )
    found.add_argument(
        "--order", metavar="ORDER", default="", help="only beside this order: its number or id"
    )
    _ticket(room.verb("show", "show a ticket with all that was said in it"))
    for verb, about in (
        ("reply", "reply to a customer; the text comes from standard input, or with --text"),
        ("note", "write something down for staff alone; the text comes in the same way"),
    ):
        made = room.verb(verb, about)
        _ticket(made)
        made.add_argument(
            "--text", metavar="TEXT", help="what to say; others on this machine can read it here"
        )
    give = room.verb("assign", "give a ticket to somebody")
    _ticket(give)
    give.add_argument("who", metavar="WHO", help="an e-mail or id of staff, `me` or `nobody`")
    put = room.verb("status", "put a ticket into another state")
    _ticket(put)
    put.add_argument("status", choices=("open", "in_progress", "resolved", "closed"), help="which state")
    put.add_argument("--reason", metavar="TEXT", help="kept in the ticket's history")


def _ticket(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ticket", metavar="TICKET", help="the ticket's number or id")


def _jobs(room: _Room) -> None:
    found = room.verb("list", "list jobs, the newest first", room.paged)
    found.add_argument(
        "--tab", default="all", choices=("all", "running", "waiting", "failed", "exhausted", "done"),
        help="only these",
    )  # fmt: skip
    found.add_argument("--queue", metavar="NAME", default="", help="only of this queue")
    found.add_argument("--kind", metavar="NAME", default="", help="only of this kind")
    found.add_argument("--order", metavar="ORDER", default="", help="only about this order: its number or id")
    for verb, about in (("show", "show a job with its attempts"), ("withdraw", "take back a job that waits")):
        room.verb(verb, about).add_argument("job", metavar="ID", help="the job's id")
    retry = room.verb("retry", "have a job tried again")
    retry.add_argument("job", metavar="ID", help="the job's id")
    _hold(retry)
    room.verb("queues", "list the queues, and the jobs that come by themselves")
    for verb, about in (
        ("pause", "let no more jobs of a queue begin"),
        ("resume", "let a paused queue go on"),
    ):
        room.verb(verb, about).add_argument("queue", metavar="QUEUE", help="the queue's name")


def _settings(room: _Room) -> None:
    room.verb("list", "list all settings with what holds now")
    room.verb("show", "show a setting and what it means").add_argument("name", metavar="NAME")
    change = room.verb("set", "change a setting; the value of a secret is asked for, or read with --stdin")
    change.add_argument("name", metavar="NAME")
    value = change.add_mutually_exclusive_group()
    value.add_argument("value", metavar="VALUE", nargs="?", help="the new value; never a secret's")
    value.add_argument("--stdin", action="store_true", help="read the value from standard input")
    room.verb("unset", "forget what was set; the default holds").add_argument("name", metavar="NAME")
    test = room.verb("test", "try a connection out with the settings as they are")
    test.add_argument("name", metavar="NAME", help="mail, printify, printful")


def _products(room: _Room) -> None:
    found = room.verb("list", "list products, the newest first", room.paged)
    found.add_argument("-q", "--query", default="", metavar="TEXT", help="in name or slug")
    found.add_argument("--category", metavar="SLUG", default="", help="only of this category")
    found.add_argument("--provider", metavar="NAME", default="", help="only of this provider")
    found.add_argument(
        "--available", choices=("yes", "no"), default="", help="only what can be had, or cannot"
    )
    sync = room.verb("sync", "read a provider's catalogue now")
    sync.add_argument(
        "provider", nargs="?", default="", metavar="PROVIDER", help="the shop's own if left out"
    )


def _audit(room: _Room) -> None:
    found = room.verb("list", "list acts, the newest first", room.paged)
    found.add_argument("-q", "--query", default="", metavar="TEXT", help="in the action, or a record's id")
    found.add_argument("--module", metavar="NAME", default="", help="only of this area")
    found.add_argument("--action", metavar="NAME", default="", help="only this one; user.* for all of users")
    found.add_argument("--actor", metavar="ID", default="", help="only what this user did")
    found.add_argument("--target", metavar="ID", default="", help="only what concerned this user")
    found.add_argument("--type", metavar="NAME", default="", help="only what was done to this kind of record")
    found.add_argument("--record", metavar="ID", default="", help="only what was done to this record")
    found.add_argument("--since", metavar="TIME", default="", help="not before, e.g. 2026-02-23T10:00:00Z")
    found.add_argument("--until", metavar="TIME", default="", help="not after")
    room.verb("show", "show one act").add_argument("entry", metavar="ID", help="the act's id")


def _people(room: _Room) -> None:
    found = room.verb("list", "list people, the newest first", room.paged)
    found.add_argument("--tab", default="all", choices=("all", "customers", "staff"), help="only these")
    found.add_argument("-q", "--query", default="", metavar="TEXT", help="in name, e-mail or phone")
    found.add_argument("--erased", action="store_true", help="with those who were erased, or are about to be")
    _person(room.verb("show", "show a person whole"))
    _person(room.verb("plan", "show in exact counts what deleting a person would do; nothing is done"))
    delete = room.verb("delete", "delete a person for good, exactly as a plan says")
    _person(delete)
    delete.add_argument("--confirm", metavar="TEXT", help="what must be typed: the person's e-mail")
    delete.add_argument("--plan", metavar="HASH", help="the plan's hash, as `plan` shows it")


def _person(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("person", metavar="PERSON", help="the person's e-mail or id")


def _order(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("order", metavar="ORDER", help="the order's number or id")


def _hold(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hold", type=_hold_seconds, metavar="SECONDS",
        help="how long it can be taken back, 0 to 60; 0: leave at once (the shop's setting)",
    )  # fmt: skip


def _whole(text: str, least: int, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be {least} to {most}")


def _limit(text: str) -> int:
    return _whole(text, 1, 200)


def _seconds(text: str) -> int:
    return _whole(text, 1, 3600)


def _hold_seconds(text: str) -> int:
    return _whole(text, 0, 60)


_ROOMS: Final = {
    "orders": (_orders, "list, show and act on orders", "Orders, and what can be done about them."),
    "activity": (
        _activity,
        "list, follow and resolve what happened",
        "What happened, the newest first. --follow goes on with what comes.",
    ),
    "tickets": (
        _tickets,
        "list, show and answer tickets",
        "What customers ask, and what they are answered.",
    ),
    "people": (_people, "list, show and delete people", "Customers and staff, and what a deletion would do."),
    "jobs": (_jobs, "list, retry and pause jobs", "The shop's work in the background."),
    "settings": (_settings, "read and change the shop's settings", "The shop's settings."),
    "audit": (_audit, "list who did what", "Who did what in this program, without personal data."),
    "products": (_products, "list products, and read a provider's", "What the shop sells."),
}
TWINS: Final = tuple(_ROOMS)
"""The names of the commands."""
