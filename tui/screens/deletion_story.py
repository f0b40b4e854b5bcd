"""The deletion of a person for reading: what would go and what stays, what moved since, and the receipt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.screens.reasons import reason
from tui.widgets.blocks import Attention, Block, Gap, Laid, Pair, Paragraph, Rule, Title, Words
from tui.widgets.cells import fit, plain, width, wrap
from tui.widgets.format import Glyphs, Times, count
from tui.widgets.lines import Part
from tui.widgets.standing import erasure_mark

if TYPE_CHECKING:
    from server.contract.deletion import Deletion, DeletionPlan, PlannedTable, Protection, ScanPlace

FATES: Final = (
    ("delete", "Will be deleted", "error"),
    ("anonymise", "Will be anonymised", "warning"),
    ("keep", "Kept, and why", "success"),
)
_LEAST_REASON: Final = 24
"""Cells below which the reason of a line stands under it."""
_NOUNS: Final = 32
"""Cells that a noun takes at the most."""


@dataclass(frozen=True, slots=True)
class Counted(Block):
    """How many there are of something, and why: ``orders      12  The shop must keep its books.``"""

    noun: str = ""
    number: int = 0
    why: str = ""
    style: str = ""
    noun_cells: int = 0
    number_cells: int = 4

    def lay(self, cells: int, glyphs: Glyphs) -> Laid:
        """Noun and number in columns; the reason beside them, or below where there is no room."""
        number = f"{self.number:,}"
        size = max(self.number_cells, width(number))
        nouns = max(min(self.noun_cells, cells - size - 2), 1)
        noun = fit(plain(self.noun), nouns, ellipsis=glyphs.ellipsis)
        head: list[Part] = [(noun, "strong"), ("  ", ""), (fit(number, size, right=True), self.style)]
        beside = nouns + 2 + size + 2
        if not self.why:
            return [head]
        if cells - beside >= _LEAST_REASON:
            first, *rest = wrap(self.why, cells - beside)
            return [
                [*head, ("  ", ""), (first, "muted")],
                *([(" " * beside, ""), (line, "muted")] for line in rest),
            ]
        return [head, *([("  ", ""), (line, "muted")] for line in wrap(self.why, max(cells - 2, 1)))]


@dataclass(frozen=True, slots=True)
class Moved:
    """A kind of record whose count is another than it was planned."""

    noun: str
    planned: int
    now: int


def drift(planned: DeletionPlan, now: DeletionPlan) -> list[Moved]:
    """What moved between two plans for the same person."""

    def counted(plan: DeletionPlan) -> dict[tuple[str, str, str], int]:
        return {(table.table, table.noun, table.fate): table.count for table in plan.tables}

    before, after = counted(planned), counted(now)
    keys = [*after, *(key for key in before if key not in after)]
    return [
        Moved(key[1], before.get(key, 0), after.get(key, 0))
        for key in keys
        if before.get(key, 0) != after.get(key, 0)
    ]


def protection_words(protection: Protection) -> str:
    """Why a deletion is refused, by the finest code that this client knows; else in the server's own words."""
    finer = protection.reason if protection.code == "insufficient_permissions" else None
    return reason(finer or protection.code, protection.detail)


def plan_story(
    plan: DeletionPlan,
    times: Times,
    *,
    name: str | None = None,
    moved: Sequence[Moved] | None = None,
    refused: str = "",
) -> list[Block]:
    """The plan: whom it is about, what stands in the way, what would happen in exact counts.

    Args:
        plan: the plan.
        times: how moments are written.
        name: what the person is called.
        moved: what moved since the plan that was agreed to; None where nothing was agreed to yet.
        refused: why the deletion was refused just now.
    """
    blocks: list[Block] = [
        Title(
            text=f"Delete {name or plan.shown}",
            notes=(
                *([plan.shown] if name else []),
                "member of staff" if plan.kind == "staff" else "customer",
            ),
        ),
        Words(pieces=_totals(plan)),
        Paragraph(text=_summary(plan), style="muted"),
    ]
    if refused:
        blocks += [Gap(), Attention(text=refused, style="error")]
    for protection in plan.protections:
        if protection_words(protection) != refused:
            blocks += [
                Gap(),
                Attention(text=protection_words(protection), hint="Nobody is deleted.", style="error"),
            ]
    if moved is not None:
        blocks += [Gap(), *_drift(moved)]
    nouns, numbers = _columns((table.noun, table.count) for table in plan.tables)
    for fate, title, style in FATES:
        rows = [table for table in plan.tables if table.fate == fate]
        if rows:
            total = sum(table.count for table in rows)
            blocks += [Gap(), Rule(text=f"{title} {total:,}"), *_tables(rows, style, nouns, numbers)]
    blocks += [Gap(), *_besides(plan, times)]
    return blocks


def _totals(plan: DeletionPlan) -> tuple[Part, ...]:
    """The sums of all counts, for those who read no further."""
    words = {"delete": "to be deleted", "anonymise": "to be anonymised", "keep": "kept"}
    sums = {fate: sum(table.count for table in plan.tables if table.fate == fate) for fate in words}
    return tuple((f"{sums[fate]:,} {words[fate]}", style) for fate, _title, style in FATES if sums[fate]) or (
        ("nothing is held besides the person's own row", "muted"),
    )


def _summary(plan: DeletionPlan) -> str:
    if plan.grace_days:
        waits = count(plan.grace_days, "day")
        return f"Nothing is done yet. The erasure would wait {waits}, and can be called off until then."
    return "Nothing is done yet. A deletion cannot be undone."


def _tables(rows: Iterable[PlannedTable], style: str, nouns: int, numbers: int) -> Iterable[Block]:
    for row in rows:
        yield Counted(
            noun=row.noun, number=row.count, why=row.why, style=style, noun_cells=nouns, number_cells=numbers
        )


def _columns(told: Iterable[tuple[str, int]]) -> tuple[int, int]:
    """The cells of all nouns and of all numbers, so that they stand in columns under every heading."""
    rows = list(told)
    nouns = min(max((width(plain(noun)) for noun, _many in rows), default=0), _NOUNS)
    return nouns, max((width(f"{many:,}") for _noun, many in rows), default=1)


def _drift(moved: Sequence[Moved]) -> Iterable[Block]:
    yield Attention(
        text="Something changed since this plan was made. Nothing was deleted; this is the new plan.",
        style="warning",
    )
    if not moved:
        yield Paragraph(
            text="Who the person is changed: a name, an address, a role. The counts are the same."
        )
        return
    cells = max(width(plain(row.noun)) for row in moved)
    for row in moved:
        yield Pair(
            label=fit(plain(row.noun), cells + 1),
            value=f"{row.planned:,} planned, {row.now:,} now",
            style="warning",
        )


def _besides(plan: DeletionPlan, times: Times) -> Iterable[Block]:
    yield Rule(text="Besides")
    if plan.grace_days:
        yield Pair(
            label="Waits",
            value=f"{count(plan.grace_days, 'day')}: the account is locked at once, and no list shows the person",
        )
    if plan.also:
        them = "another record" if plan.also == 1 else f"{plan.also:,} other records"
        yield Pair(
            label="Also here",
            value=f"{them} of the shop under the same address, which stays as it is",
            style="warning",
        )
    yield Pair(label="Orders", value="every order keeps its whole story, with a mark in the person's place")
    yield Pair(label="Plan", value=f"{plan.hash[:12]}, made {times.clock(plan.made_at)}", style="muted")


# Afterwards.


def receipt_story(done: Deletion, times: Times, glyphs: Glyphs, *, hint: str = "") -> list[Block]:
    """What was done: the receipt, and how far the cleaning is.

    Args:
        done: the erasure.
        times: how moments are written.
        glyphs: the decorative characters.
        hint: what can be done.
    """
    mark = erasure_mark(done, glyphs)
    title = "Erasure scheduled" if done.state == "scheduled" else "Erased"
    blocks: list[Block] = [
        Title(text=title, notes=() if done.erased_at is None else (f"⟨erased {done.mark}⟩",)),
        Words(pieces=((f"{mark.icon} {mark.word}", mark.style),)),
        Gap(),
        *_said(done, times, hint),
    ]
    if done.counts:
        blocks += [Gap(), *_counts(done.counts)]
    if found := [place for place in done.scan or () if place.found]:
        blocks += [Gap(), *_scan(found)]
    blocks += [Gap(), Rule(text="Receipt"), Pair(label="Number", value=done.id)]
    if done.erased_at is not None:
        blocks.append(Pair(label="Erased", value=times.full(done.erased_at)))
    elif done.due_at is not None:
        blocks.append(Pair(label="Due", value=times.full(done.due_at)))
    if done.signature:
        blocks.append(Pair(label="Signature", value=f"{done.signature[:24]}{glyphs.ellipsis}", style="muted"))
        blocks.append(
            Paragraph(
                text="`shopbelld receipt verify` checks it, here or elsewhere. It names nobody.",
                style="muted",
            )
        )
    return blocks


def _said(done: Deletion, times: Times, hint: str) -> Iterable[Block]:
    if done.state == "scheduled" and done.due_at is not None:
        when = f"{times.full(done.due_at)} ({times.ago(done.due_at)})"
        text = f"Nothing is erased before {when}. Until then it can be called off."
        yield Attention(text=text, hint=hint, style="warning")
    elif done.state == "residue":
        yield Attention(
            text="Something of the person was found after the erasure. It is looked for again every night.",
            hint=hint,
            style="error",
        )
    elif done.state == "clean":
        yield Attention(
            text="Looked for everywhere: nothing of this person is left.",
            hint=hint,
            style="success",
        )
    elif done.scanned_at is not None:
        yield Attention(
            text="The person is gone and the data files were cleaned. They could not be looked through: "
            "the key under which it stood whom to look for is gone.",
            hint=hint,
            style="warning",
        )
    else:
        yield Attention(
            text="The person is gone. The data files are being cleaned and looked through; this page follows.",
            hint=hint,
            style="info",
        )


_DONE: Final = (
    ("delete", "Deleted", "error"),
    ("anonymise", "Anonymised", "warning"),
    ("keep", "Kept", "success"),
)


def _counts(counts: dict[str, int]) -> Iterable[Block]:
    told = [(key.partition(" ")[0], key.partition(" ")[2] or key, many) for key, many in counts.items()]
    nouns, numbers = _columns((noun, many) for _fate, noun, many in told)
    for fate, title, style in _DONE:
        rows = sorted((noun, many) for each, noun, many in told if each == fate)
        if rows:
            yield Rule(text=f"{title} {sum(many for _noun, many in rows):,}")
            for noun, many in rows:
                yield Counted(noun=noun, number=many, style=style, noun_cells=nouns, number_cells=numbers)


def _scan(places: Sequence[ScanPlace]) -> Iterable[Block]:
    """Where something of the person was found: what is left of them, and what is another's rightly."""
    nouns, numbers = _columns((place.place, place.found) for place in places)
    for title, style, rows in (
        ("Left behind", "error", [place for place in places if not place.expected]),
        ("The same words elsewhere, rightly", "", [place for place in places if place.expected]),
    ):
        if rows:
            yield Rule(text=title)
        for place in rows:
            yield Counted(
                noun=place.place, number=place.found, style=style, noun_cells=nouns, number_cells=numbers
            )
