"""``shopbell people``: who there is, what a deletion would do, and the deletion for those who say exactly what."""

from __future__ import annotations

from typing import Final

from server.contract.base import Page
from server.contract.deletion import Delete, Deletion, DeletionPlan
from server.contract.orders import Address
from server.contract.people import Person, PersonRow
from tui.api.client import segment
from tui.commands.printing import Cell, Column, Printer
from tui.commands.work import DONE, REFUSED, UsageError, Work
from tui.widgets.format import money_of, words
from tui.widgets.standing import account_words, erasure_mark, role_name, standing

_PEOPLE: Final = (
    Column("NAME", flows=True),
    Column("E-MAIL"),
    Column("ROLE"),
    Column("ORDERS", right=True, spare=1),
    Column("OPEN", right=True, spare=2),
    Column("SINCE", right=True, spare=3),
    Column("ID", spare=4),
)
_ORDERS: Final = (Column("ORDER"), Column("TOTAL", right=True), Column("STATUS"), Column("PLACED"))
_PLAN: Final = (
    Column("WHAT HAPPENS"),
    Column("OF WHAT"),
    Column("COUNT", right=True),
    Column("WHY", flows=True),
)
_FATES: Final = {
    "delete": Cell("deleted", "error"),
    "anonymise": Cell("anonymised", "warning"),
    "keep": Cell("kept", "success"),
}


async def listing(work: Work) -> int:
    """List people."""
    params = {"tab": work.option("tab", "all"), "q": work.option("query", "")}
    if work.option("erased", default=False):
        params["erased"] = "true"
    return await work.print_page("/v1/people", params, Page[PersonRow].model_validate, _PEOPLE, _row)


def _row(out: Printer, row: PersonRow) -> list[str | Cell]:
    stands = standing(row, out.glyphs)
    return [
        row.name or row.shown,
        row.email or "",
        Cell(stands.word, stands.style),
        str(row.orders) if row.orders else "",
        str(row.open_tickets) if row.open_tickets else "",
        Cell(out.when(row.created_at), "muted"),
        Cell(row.id, "muted"),
    ]


async def show(work: Work) -> int:
    """Show somebody whole."""
    found = await work.client.document(_path(await _find(work)))
    person = found.read(Person.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    out, account = work.out, person.account
    out.facts(
        [
            ("person", person.name or person.shown),
            ("e-mail", person.email or ""),
            ("phone", person.phone or ""),
            ("is", standing(person, out.glyphs).word),
            *(("address", _line(address)) for address in person.addresses),
            ("role", role_name(account.role) if account else ""),
            ("account", account_words(account) if account else ""),
            ("last seen", out.full(account.last_seen_at) if account else ""),
            ("orders", str(person.orders)),
            ("open tickets", str(person.open_tickets)),
            ("since", out.full(person.created_at)),
            ("erased", out.full(person.erased_at)),
            *((f"note by {note.author or 'somebody gone'}", note.body) for note in person.notes),
            ("id", person.id),
        ]
    )
    if person.recent_orders:
        out.line("")
        out.table(
            _ORDERS,
            [
                [
                    order.number,
                    money_of(order.total),
                    words(order.fulfilment_status),
                    out.when(order.created_at),
                ]
                for order in person.recent_orders
            ],
        )
    return DONE


async def plan(work: Work) -> int:
    """Show what deleting somebody would do. Nothing is done."""
    found = await work.client.changed(f"{_path(await _find(work))}/deletion/plan")
    told = found.read(DeletionPlan.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    out = work.out
    rows: list[list[str | Cell]] = [
        [_FATES[table.fate], table.noun, f"{table.count:,}", table.why] for table in told.tables
    ]
    out.table(_PLAN, rows)
    out.line("")
    out.facts(
        [
            ("person", told.shown),
            ("must be typed", told.confirm),
            ("waits", f"{told.grace_days} days" if told.grace_days else ""),
            ("also here", f"{told.also} under the same address, not touched" if told.also else ""),
            ("plan", told.hash),
        ]
    )
    for protection in told.protections:
        out.note(protection.detail)
    if not told.protections:
        out.note(
            f"Nothing was done. `shopbell people delete {told.person_id}` with --confirm and --plan does it."
        )
    return DONE if not told.protections else REFUSED


async def delete(work: Work) -> int:
    """Delete somebody as planned.

    Raises:
        UsageError: what must be typed, or the plan, is missing.
    """
    confirm, pinned = work.option("confirm"), work.option("plan")
    if not confirm or not pinned:
        raise UsageError(
            "Say --confirm with the person's e-mail and --plan with the plan's hash (shopbell people plan)."
        )
    if len(pinned) != 64 or set(pinned) - set("0123456789abcdef"):
        raise UsageError("This is no plan's hash: `shopbell people plan` shows it, 64 signs long.")
    body = Delete(plan=pinned, confirm=confirm).model_dump_json().encode()
    path = f"/v1/people/{segment(await _find(work), 'person')}/deletion"
    found = await work.client.changed(path, body)
    done = found.read(Deletion.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    out = work.out
    out.facts(
        [
            ("state", out.marked(erasure_mark(done, out.glyphs))),
            ("mark", f"⟨erased {done.mark}⟩"),
            ("due", out.full(done.due_at)),
            ("erased", out.full(done.erased_at)),
            *((key, f"{many:,}") for key, many in (done.counts or {}).items()),
            ("receipt", done.id),
        ]
    )
    return DONE


def _line(address: Address) -> str:
    town = " ".join(part for part in (address.postal_code, address.city) if part)
    parts = (address.name, address.line1, address.line2, town, address.state, address.country)
    return ", ".join(part for part in parts if part)


async def _find(work: Work) -> str:
    """The id of whoever is named by id or by e-mail.

    Raises:
        UsageError: the e-mail is that of several people.
    """
    given: str = work.given.person
    if "@" not in given:
        return given
    found = await work.client.document("/v1/people", {"q": given})
    rows = found.read(Page[PersonRow].model_validate).items
    same = [row for row in rows if (row.email or "").casefold() == given.strip().casefold()]
    if len(same) > 1:
        told = " or ".join(f"{row.id} ({row.kind})" for row in same)
        raise UsageError(f"Several people have this e-mail. Say the id: {told}.")
    return same[0].id if same else "nobody"


def _path(person_id: str) -> str:
    return f"/v1/people/{segment(person_id, 'person')}"
