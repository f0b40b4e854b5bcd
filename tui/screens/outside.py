"""Acting on the outside world: what each key explains, asks for, and takes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tui.api import outside as calls
from tui.api.errors import ApiError, Refused
from tui.api.jobs import withdraw
from tui.screens.affairs import due
from tui.screens.deeds import Sending
from tui.screens.departure import Departure, why_too_late
from tui.screens.explaining import Explained, mail_panel, submission_panel, sync_panel
from tui.screens.panel import Panel, Question
from tui.screens.reasons import reason, state_of
from tui.screens.sendings import already, taken_back

if TYPE_CHECKING:
    from server.contract.activity import Entry
    from server.contract.fulfilment import Provider
    from server.contract.jobs import Enqueued
    from server.contract.orders import Order
    from tui.api.client import Client
    from tui.screens.desk import Desk
    from tui.screens.section import Section
    from tui.screens.shell import Shell


# What is explained first.


@dataclass(slots=True)
class Submitting:
    """The submission of an order."""

    order_id: str
    number: str = ""

    async def look(self, client: Client, desk: Desk) -> Explained:
        """Attempts, what would be sent, and whether it may. Raises ApiError."""
        order, known = await client.order(self.order_id), await calls.submission(client, self.order_id)
        self.number = order.number
        return submission_panel(order, known, desk.times, desk.glyphs)

    async def send(self, client: Client, choice: str | None) -> Enqueued:  # noqa: ARG002 - there is none
        """Ask for it. Raises ApiError."""
        return await calls.submit(client, self.order_id)

    def sending(self, asked: Enqueued, explained: Explained, choice: str | None) -> Sending:  # noqa: ARG002
        """What was asked for."""
        return Sending("submit", asked.job.id, self.number, explained.provider, order_id=self.order_id)


@dataclass(slots=True)
class Mailing:
    """A mail about an order."""

    order_id: str
    number: str = ""

    async def look(self, client: Client, desk: Desk) -> Explained:
        """Which mails there are, and which were sent. Raises ApiError."""
        order, rows = await client.order(self.order_id), await calls.order_mails(client, self.order_id)
        self.number = order.number
        return mail_panel(order, rows, desk.times, desk.glyphs)

    async def send(self, client: Client, choice: str | None) -> Enqueued:
        """Ask for the chosen one. Raises ApiError."""
        return await calls.send_mail(client, self.order_id, cast(calls.MailName, choice or "confirmation"))

    def sending(self, asked: Enqueued, explained: Explained, choice: str | None) -> Sending:
        """What was asked for."""
        what = choice or "confirmation"
        return Sending("mail", asked.job.id, self.number, explained.provider, what, self.order_id)


@dataclass(slots=True)
class Syncing:
    """The reading of a provider's products."""

    label: str
    provider: str = ""

    async def look(self, client: Client, desk: Desk) -> Explained:
        """How the last one went. Raises ApiError."""
        known = next((one for one in await calls.providers(client) if one.label == self.label), None)
        self.provider = "" if known is None else known.name
        return sync_panel(known, self.label, desk.times)

    async def send(self, client: Client, choice: str | None) -> Enqueued:  # noqa: ARG002 - there is none
        """Ask for it. Raises ApiError."""
        return await calls.sync(client, self.provider)

    def sending(self, asked: Enqueued, explained: Explained, choice: str | None) -> Sending:  # noqa: ARG002
        """What was asked for."""
        return Sending("sync", asked.job.id, self.label, self.label)


def explain(section: Section[Any], command_id: str, question: Question) -> None:
    """Open the panel of a question in the story's place."""
    section.repeatable = command_id
    section.dismiss()
    section.panel = Panel(section, question)
    section.query_one(".panes").mount(section.panel)


def retry_order(section: Section[Any], order_id: str | None) -> None:
    """Explain the submission of an order."""
    if order_id is None:
        section.frame.say("note", "There is no order here to submit.")
    else:
        explain(section, "retry", Submitting(order_id))


def retry_entry(section: Section[Any], entry: Entry | None) -> None:
    """Explain what the server offers to retry of an entry."""
    if entry is None:
        section.frame.say("note", "There is no entry here.")
    elif state_of(entry.actions, "retry") is not None and entry.order is not None:
        explain(section, "retry", Submitting(entry.order.id))
    elif state_of(entry.actions, "retry_sync") is not None:
        explain(section, "retry", Syncing(str(entry.facts.get("provider", ""))))
    else:
        opens = f" {section.desk.key('open')} opens its order." if entry.order is not None else ""
        section.frame.say("note", f"Only what failed can be retried.{opens}")


def mail_order(section: Section[Any], order_id: str | None) -> None:
    """Explain the mails of an order."""
    if order_id is None:
        section.frame.say("note", "Only an order has mails to send.")
    else:
        explain(section, "mail", Mailing(order_id))


# What is asked for at once.


def ask_provider(section: Section[Any], order_id: str | None) -> None:
    """Have the provider of an order asked, if the server allows it."""
    client = section.desk.client
    if order_id is None or client is None:
        said = "There is no connection yet." if client is None else "Only an order has a provider to ask."
        section.frame.say("note", said)
        return
    section.repeatable = "ask"

    async def ask() -> None:
        try:
            order = await client.order(order_id)
            state = state_of(order.actions, "refresh")
            if state is not None and not state.allowed and state.reason != "already_waiting":
                section.frame.say("refused", reason(state.reason))
                return
            asked = await calls.ask_provider(client, order_id)
        except ApiError as error:
            _refused(section, error)
            return
        on_its_way(
            section, Sending("ask", asked.job.id, order.number, _maker(order), order_id=order_id), asked
        )

    section.begin(ask, "send", exclusive=False)


def _maker(order: Order) -> str:
    return order.provider or "the provider"


def sync_products(section: Section[Any]) -> None:
    """Have the products of each connected provider read."""
    client = section.desk.client
    if client is None:
        section.frame.say("refused", "There is no connection yet.")
        return

    async def ask() -> None:
        try:
            known = await calls.providers(client)
            may = [one for one in known if _syncs(one)]
            for one in may:
                asked = await calls.sync(client, one.name)
                on_its_way(section, Sending("sync", asked.job.id, one.label, one.label), asked)
        except ApiError as error:
            _refused(section, error)
            return
        if not may:
            state = next((state_of(one.actions, "sync") for one in known), None)
            section.frame.say("refused", reason(None if state is None else state.reason))

    section.begin(ask, "send", exclusive=False)


def _syncs(known: Provider) -> bool:
    state = state_of(known.actions, "sync")
    return state is not None and (state.allowed or state.reason == "already_waiting")


# What came of it.


def on_its_way(section: Section[Any], sending: Sending, asked: Enqueued) -> None:
    """The server took it: tell of it, and how it is taken back; or that it was on its way already."""
    desk, shell = section.desk, cast("Shell", section.screen)
    if asked.new:
        desk.deeds.sent(sending)
        Departure(shell, sending, asked.job).begin()
    else:
        by = f", asked by {asked.job.asked_by}" if asked.job.asked_by else ""
        told = due(asked.job, desk.times)
        shell.say("note", f"{already(sending)}: {told[:1].lower()}{told[1:]}{by}.")
    shell.ask_soon()
    section.reload()


async def take_back_sending(section: Section[Any], sending: Sending) -> None:
    """Take a job back while it waits; afterwards, say what cannot be undone."""
    desk, frame = section.desk, section.frame
    if desk.client is None:
        return
    desk.deeds.forget(sending)  # a second press takes nothing else back
    try:
        try:
            job = await withdraw(desk.client, sending.job_id)
        except Refused as error:
            if error.code not in ("already_started", "already_finished", "not_found"):
                raise
            late = (
                error.sentence
                if error.code == "not_found"
                else await why_too_late(desk.client, sending, desk)
            )
            told = ("refused", late)
        else:
            told = ("done", taken_back(sending, job))
    except ApiError as error:
        desk.deeds.sent(sending)  # it may still be taken back
        _refused(section, error)
        return
    if desk.departure is not None and desk.departure.sending == sending:
        desk.departure.stop()
    frame.say(*told)  # type: ignore[arg-type]
    frame.ask_soon()
    section.reload()


def _refused(section: Section[Any], error: ApiError) -> None:
    section.frame.say("refused", error.sentence)
    section.frame.failed(error)
