"""Whom the practice shop works with: the local Printify and Printful, the local mail server, and what becomes of it.

They are real servers on the loopback, and the shop reaches them as its settings say. What they do with an order is
decided by `temper` the moment they take it, and put on the agenda; they remember it in a journal.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

from server.kit.clock import DAY, MINUTE, SECOND
from server.practice.agenda import Agenda, Bounce, Drop, Leave, Move, Post, Retry, Settle, Turn
from server.practice.clock import PracticeClock, SuppliersClock
from server.practice.journal import Journal, Line
from server.practice.mail_server import MailServer, Taken
from server.practice.mail_server import Trouble as MailTrouble
from server.practice.providers.answers import Answer, Trouble
from server.practice.providers.printful import PrintfulServer
from server.practice.providers.printify import PrintifyServer
from server.practice.providers.server import Call, Hook
from server.practice.shelves import Calendar, Server, Shelves
from server.practice.state import State
from server.practice.temper import TRIES, Step, Temper

KEPT: Final = 3 * DAY
"""How long a provider keeps an order after its end."""
CONNECTION: Final = "practice"
"""What the last part of the addresses of the webhooks is called."""
SHOP_ID: Final = "7001"
STORE_ID: Final = "9001"
MAILBOX: Final = "practice"
_TITLE: Final = "Sunday Socks, for practice (a server on this computer)"
_FORGERS_SECRET: Final = "f0" * 32
_EACH_START: Final = 1_000_000
_ABOUT: Final = re.compile(r"order (\S+)")
_UNSUBSCRIBE: Final = re.compile(r"<[a-z]+://[^/>]+(/unsubscribe/[^>]+)>")


class Suppliers:
    """The three servers, from ``open`` to ``close``.

    Args:
        data: the practice shop's data directory.
        shop: the shop's clock.
        state: of the practice shop; it holds their keys and ports, and how far they have lived.
    """

    def __init__(self, data: Path, shop: PracticeClock, state: State) -> None:
        self.clock = SuppliersClock(shop)
        self._at = shop.at
        self.agenda = Agenda()
        self.temper = Temper(state.seed, state.manners)
        self._state = state
        self._calendar = Calendar(state.seed, state.opened_at)
        self._journal = Journal(data)
        self._tries: Counter[str] = Counter()
        self._met: set[str] = set()  # who was greylisted, which mails were dropped
        keys = state.keys
        self.printify = PrintifyServer(
            self.clock, token=keys["printify.token"], account=SHOP_ID, secret=keys["printify.webhook_secret"],
            seed=str(state.seed), title=_TITLE,
        )  # fmt: skip
        self.printful = PrintfulServer(
            self.clock, token=keys["printful.token"], account=STORE_ID, secret=keys["printful.webhook_secret"],
            seed=str(state.seed), title=_TITLE,
        )  # fmt: skip
        self.servers: dict[str, Server] = {"printify": self.printify, "printful": self.printful}
        self.mail = MailServer(
            login=(MAILBOX, keys["mail.smtp.password"]),
            answer=self._answer_recipient,
            trouble=self._mail_trouble,
            on_taken=self._mail_taken,
            port=state.ports.get("mail", 0),
        )
        with self._at(state.opened_at - DAY):
            self.shelves = Shelves({"Printify": self.printify, "Printful": self.printful})

    # -- from open to close ----------------------------------------------------------------------------

    def open(self) -> None:
        """Remember, and listen."""
        for server in self.servers.values():
            server.skip_to(self._state.starts * _EACH_START)
        self._state.starts += 1
        self._recall()
        for name, server in self.servers.items():
            server.judge = self._judge
            server.on_done = lambda call, answer, name=name: self._done(name, call, answer)
            server.open(self._state.ports.get(name, 0))
        self.mail.start()
        self._state.ports = {name: server.port for name, server in self.servers.items()} | {
            "mail": self.mail.port
        }

    def close(self) -> None:
        """Stop listening."""
        for server in self.servers.values():
            server.close()
        self.mail.stop()
        self._journal.close()

    def addresses(self) -> dict[str, str]:
        """The settings by which the shop finds them, as they are now."""
        return {
            "printify.url": self.printify.url,
            "printful.url": self.printful.url,
            "mail.smtp.host": "127.0.0.1",
            "mail.smtp.port": str(self.mail.port),
        }

    # -- what they do ----------------------------------------------------------------------------------

    def expect(self, number: str, manner: str, email: str) -> None:
        """Take an order of the opening as the opening wants it."""
        if manner == "mail_returns":
            self._state.manners[email] = "gone"
        self._state.manners[number] = manner

    def call_off(self, number: str) -> None:
        """The shop's own program called an order off: nothing more is made of it."""
        self._journal.add({"at": self.clock.now(), "off": number})
        self.agenda.call_off(number)

    def move(self, due: Move) -> list[Post]:
        """Go on with an order; the webhooks that tell of it."""
        server, step = self.servers[due.provider], due.step
        with self._at(step.at):
            if due.order_id not in server.orders:
                return []
            hook = _act(server, due.order_id, step)
        posts = [_post(due.provider, hook, at) for at in step.heard]
        if step.forged:
            forged = server.signed(hook.body, _FORGERS_SECRET)
            posts.append(_post(due.provider, forged, step.at, forged=True))
        return posts

    def turn(self, at: int) -> list[Post]:
        """Let the shelves be as they are at a moment; the webhooks that tell of it."""
        posts = []
        with self._at(at):
            for product in self.shelves.become(self._calendar.missing(at)):
                name = self.shelves.id_of(product)
                gone = self.shelves.is_gone(product)
                provider = product.provider.lower()
                if provider == "printify":
                    what = "product:deleted" if gone else "product:updated"
                    hook = self.printify.hook(what, name, {"shop_id": SHOP_ID}, event_id=f"{name}-{at}")
                else:
                    hook = self.printful.product_hook("product_deleted" if gone else "product_updated", name)
                posts.append(_post(provider, hook, at + 2 * SECOND))
        self.agenda.put(Turn(self._calendar.next_change(at)))
        return posts

    def drop(self, due: Drop) -> None:
        """Forget an order."""
        server = self.servers[due.provider]
        with server.lock:
            order = server.orders.pop(due.order_id, None)
        if order is not None:
            self._tries.pop(server.external_id(order) or "", None)

    # -- what they are asked ---------------------------------------------------------------------------

    def _judge(self, call: Call) -> Trouble | None:
        if call.verb != "submit":
            return None
        number = str(call.body["external_id"])
        self._tries[number] += 1
        self._journal.add({"at": self.clock.now(), "try": number})
        trouble = self.temper.trouble(number, self._tries[number])
        if trouble is not None and self._tries[number] == TRIES:
            self._retry(number, self.clock.now())
        return trouble

    def _done(self, name: str, call: Call, answer: Answer) -> None:
        if call.verb != "submit":
            return
        number = str(call.body["external_id"])
        if answer.status != 200:
            self._retry(number, self._calendar.all_back_at(self.clock.now()))
            return
        server = self.servers[name]
        order_id = str((answer.body if name == "printify" else answer.body["result"])["id"])
        now = self.clock.now()
        taken = {"provider": name, "id": order_id, "number": number, "order": server.orders[order_id]}
        self._journal.add({"at": now, **taken})
        self._take(name, order_id, number, now)

    def _take(self, name: str, order_id: str, number: str, at: int) -> None:
        course = self.temper.course(number, at)
        for step in course:
            self.agenda.put(Move(step.at, name, order_id, number, step))
        self.agenda.put(Drop(course[-1].at + KEPT, name, order_id))

    def _retry(self, number: str, possible_at: int) -> None:
        """Somebody of the staff will see to it, not at once: whoever practises may be faster."""
        at = max(possible_at, self._state.opened_at)
        self._later(Retry(at + self.temper.dice("staff", number).randint(25, 45) * MINUTE, number))

    def _later(self, due: Retry | Bounce | Leave | Settle) -> None:
        told = {name: getattr(due, name) for name in due.__dataclass_fields__}
        self._journal.add({"due": type(due).__name__, **told})
        self.agenda.put(due)

    # -- the mail server -------------------------------------------------------------------------------

    def _answer_recipient(self, address: str) -> str | None:
        mailbox = self.temper.mailbox(address)
        if mailbox == "refused":
            return "550 5.1.1 Nobody of that name here"
        if mailbox == "greylisted" and address not in self._met:
            self._met.add(address)
            return "451 4.7.1 Greylisted, come again in a minute"
        return None

    def _mail_trouble(self, mail: Taken) -> MailTrouble | None:
        if self.temper.mailbox(mail.recipient) != "drops" or mail.recipient in self._met:
            return None
        self._met.add(mail.recipient)
        return "drop_after"

    def _mail_taken(self, mail: Taken) -> None:
        message, now = mail.message, self.clock.now()
        mailbox = self.temper.mailbox(mail.recipient)
        about = _ABOUT.search(str(message["Subject"] or ""))
        if mailbox in ("full", "gone"):
            number = about.group(1) if about else ""
            at = now + self.temper.returns_after(mail.recipient)
            self._later(Bounce(at, str(message["Message-ID"]), mailbox == "gone", number))
            if number:
                wait = self.temper.dice("staff", number).randint(15, 45) * MINUTE
                self._later(Settle(max(at, self._state.opened_at) + wait, number))
        link = _UNSUBSCRIBE.search(str(message["List-Unsubscribe"] or ""))
        after = self.temper.leaves_after(mail.recipient)
        if link is not None and after is not None:
            self._later(Leave(now + after, link.group(1)))

    # -- remembering -----------------------------------------------------------------------------------

    def _recall(self) -> None:
        """Be where they were: what was done by then is done, what was to come is on the agenda."""
        lived = self._state.supplied_to
        lines = [line for line in self._journal.read() if _still_matters(line, lived)]
        for line in lines:
            if "try" in line:
                self._tries[line["try"]] += 1
            elif "order" in line:
                server = self.servers[line["provider"]]
                server.orders[line["id"]] = line["order"]
                self._take(line["provider"], line["id"], line["number"], line["at"])
            elif "off" in line:
                self.agenda.call_off(line["off"])
            elif line["due"] in _DUES:
                values = {name: value for name, value in line.items() if name != "due"}
                self.agenda.put(_DUES[line["due"]](**values))
        self._journal.begin(lines)
        begin = max(lived, self._state.opened_at - DAY)
        self.turn(begin)
        self._live_again(lived)

    def _live_again(self, lived: int) -> None:
        """Let everything that was done already be done, without telling anybody again."""
        while (at := self.agenda.next_at()) is not None and at <= lived:
            due = self.agenda.pop()
            posts = self.move(due) if isinstance(due, Move) else []
            for post in posts:
                if post.at > lived:
                    self.agenda.put(post)
            if isinstance(due, Drop):
                self.drop(due)


_DUES: Final[dict[str, Any]] = {"Retry": Retry, "Bounce": Bounce, "Leave": Leave, "Settle": Settle}


def _still_matters(line: Line, lived: int) -> bool:
    """Whether a line says anything that is not over: no order is under way for longer than a month."""
    return int(line["at"]) > lived - 30 * DAY


def _post(provider: str, hook: Hook, at: int, *, forged: bool = False) -> Post:
    return Post(at, provider, hook.headers, hook.body, hook.query, forged)


def _act(server: Server, order_id: str, step: Step) -> Hook:
    """Do a step at a provider; the webhook that tells of it."""
    carrier = step.carrier or "DHL"
    reason = step.reason or ""
    if isinstance(server, PrintifyServer):
        acts = {
            "produce": lambda: server.to_production(order_id),
            "ship": lambda: server.ship(order_id, carrier),
            "deliver": lambda: server.deliver(order_id),
            "come_back": lambda: server.deliver(order_id),  # it knows no parcel that came back
            "cancel": lambda: server.set_status(order_id, "canceled"),
        }
    else:
        acts = {
            "produce": lambda: server.to_production(order_id),
            "ship": lambda: server.ship(order_id, carrier),
            "deliver": lambda: server.deliver(order_id),
            "come_back": lambda: server.come_back(order_id, reason),
            "cancel": lambda: server.cancel(order_id, reason),
        }
    return acts[step.verb]()
