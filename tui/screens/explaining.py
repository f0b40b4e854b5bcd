"""What is said before something leaves the shop: what happened so far, what would be sent, and whether it may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.screens.affairs import attempts, due, is_held, mail_name, mail_state, mails
from tui.screens.order_story import address_line
from tui.screens.reasons import reason, state_of
from tui.widgets.blocks import Block, Gap, Item, Pair, Paragraph, Rule
from tui.widgets.format import Glyphs, Times, count, customer, person

if TYPE_CHECKING:
    from server.contract.fulfilment import Provider, ShipmentItem, Submission
    from server.contract.mail import MailRow
    from server.contract.orders import Order


@dataclass(frozen=True, slots=True)
class Explained:
    """What a panel says.

    Attributes:
        title, notes: its first line.
        verdict: what happens when it is sent, or why it cannot be.
        verb: the word for sending it; empty where it cannot be sent.
        choices: what can be chosen between, by the ids of the blocks that can be stood on.
        below: all else.
        provider: who gets it, for people.
        quiet: it cannot be sent, and that is as it should be.
    """

    title: str
    notes: tuple[str, ...]
    verdict: str
    verb: str = ""
    choices: tuple[Block, ...] = ()
    below: tuple[Block, ...] = ()
    provider: str = ""
    quiet: bool = False


def submission_panel(order: Order, known: Submission, times: Times, glyphs: Glyphs) -> Explained:
    """What to know before an order is submitted, for the first time or again."""
    label = known.provider_label or known.provider or "the provider"
    waits = known.job
    if waits is not None:
        verdict = "It is on its way already. " + due(waits, times) + "."
        if waits.asked_by:
            verdict += f" {waits.asked_by} asked for it."
    else:
        verdict = known.advice or reason(known.reason)
    verb = "" if waits is not None or not known.allowed else "submit again" if known.attempts else "submit"
    below: list[Block] = [
        Pair(label=label if known.provider else "Provider", value=_there(known)),
        Pair(label="By itself", value=_by_itself(known, times)),
        Gap(),
        Rule(text=f"What would be sent to {label}"),
        *_shipment(known.would_send),
    ]
    if where := address_line(known.address):
        below.append(Pair(label="Ship to", value=where))
    if tried := attempts(known.attempts, times, glyphs):
        below += [Gap(), *tried]
    return Explained(
        title="Submit again" if known.attempts else "Submit",
        notes=(order.number, customer(order)),
        verdict=verdict,
        verb=verb,
        below=tuple(below),
        provider=label,
        quiet=waits is not None or known.at_provider is True,
    )


def _there(known: Submission) -> str:
    if known.provider is None:
        return "none is set up for this order"
    if known.at_provider is None:
        return "may have it"
    if not known.at_provider:
        return "does not have it"
    number = f" as {known.provider_order_id}" if known.provider_order_id else ""
    return f"has it{number}"


def _by_itself(known: Submission, times: Times) -> str:
    job = known.job
    if job is None:
        return "no further attempt comes" if known.attempts else "no attempt comes"
    if job.state == "running":
        return "it is tried now"
    when = "as soon as you can no longer take it back" if is_held(job, times.now) else times.clock(job.run_at)
    return f"tried {when}, attempt {job.attempt + 1} of {job.max_attempts}"


def _shipment(items: Iterable[ShipmentItem]) -> Iterable[Block]:
    lines = list(items)
    for item in lines:
        yield Item(left=f"{item.quantity} × {item.name}")  # noqa: RUF001 - as bills have it
        if item.trouble:
            yield Item(left=item.trouble, style="warning", indent=6)
    if not lines:
        yield Paragraph(text="Nothing: the order has no lines.", style="muted")


def mail_panel(order: Order, rows: list[MailRow], times: Times, glyphs: Glyphs) -> Explained:
    """Which of an order's mails can be sent, and which were."""
    choices: list[Block] = []
    states = []
    for kind in ("confirmation", "shipping"):
        state = state_of(order.actions, f"send_{kind}")
        states.append(state)
        if state is not None and state.allowed:
            choices.append(Item(id=kind, left=_padded(kind) + _last(rows, kind, times), indent=0))
        else:
            why = reason(None if state is None else state.reason)
            choices.append(Item(left=_padded(kind) + why, style="muted", indent=0))
    may = [state for state in states if state is not None and state.allowed]
    who = order.customer
    to = "" if who is None else who.email or person(who.name, who.email, who.erased)
    if may:
        verdict = f"It goes to {to}. Choose which."
    else:
        verdict = next((reason(state.reason) for state in states if state is not None), reason(None))
    below: list[Block] = mails(rows, times, glyphs)
    return Explained(
        title="Send a mail",
        notes=(order.number, customer(order)),
        verdict=verdict,
        verb="send" if may else "",
        choices=tuple(choices),
        below=tuple(below),
        provider=to,
    )


def _padded(kind: str) -> str:
    """A mail's name, as long as the longest, so that what follows stands in one column."""
    return mail_name(kind).ljust(2 + max(len(mail_name(name)) for name in ("confirmation", "shipping")))


def _last(rows: list[MailRow], kind: str, times: Times) -> str:
    row = next((row for row in rows if row.kind == kind), None)
    if row is None:
        return "not sent yet"
    return f"{mail_state(row)[0]} {times.clock(row.sent_at or row.created_at)}"


def sync_panel(known: Provider | None, label: str, times: Times) -> Explained:
    """What to know before a provider's products are read again. ``known`` is None for one that is not there."""
    if known is None:
        return Explained("Sync products", (label,), "This provider is not known any more.", quiet=True)
    state, last = state_of(known.actions, "sync"), known.sync
    may = state is not None and state.allowed
    verdict = (
        f"All products of {known.label} are read; nothing is changed there."
        if may
        else reason(None if state is None else state.reason)
    )
    below: list[Block] = []
    if last is not None:
        below = [Rule(text="The last sync"), Pair(label="Began", value=times.full(last.started_at))]
        if last.finished_at is not None:
            below.append(Pair(label="Ended", value=times.full(last.finished_at)))
        total = f" of {last.progress.total:,}" if last.progress.total is not None else ""
        below += [
            Pair(label="State", value=last.state, style="error" if last.state == "failed" else ""),
            Pair(label="Read", value=f"{last.progress.done:,}{total} products"),
            Pair(label="New", value=count(last.created, "product")),
            Pair(label="Changed", value=count(last.updated, "product")),
        ]
        if last.reason:
            below.append(Pair(label="Reason", value=last.reason, style="error"))
    return Explained(
        title="Sync products",
        notes=(known.label,),
        verdict=verdict,
        verb="sync" if may else "",
        below=tuple(below),
        provider=known.label,
        quiet=state is not None and state.reason == "already_waiting",
    )
