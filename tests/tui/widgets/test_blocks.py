"""Blocks of a story: whatever is in them, no line is wider than it may be, and nothing raises."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.contract.orders import Expected
from tests.support.hostile import HOSTILE, SHORT, Hostile
from tests.tui.widgets.samples import ENTRIES, NOW, TIMES, entry
from tui.widgets.blocks import (
    SOME_LINES,
    Attention,
    Block,
    Facts,
    Gap,
    Happening,
    Item,
    Pair,
    Paragraph,
    Rule,
    Title,
    Words,
)
from tui.widgets.cells import width
from tui.widgets.facts import DEEPEST, MOST_LINES, fact_lines
from tui.widgets.format import ASCII, UNICODE
from tui.widgets.lines import LEAST_CELLS
from tui.widgets.timeline import entry_story, needs_attention, timeline

TEXTS = st.one_of(st.text(max_size=60), st.sampled_from([each.text for each in SHORT]))
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def every_kind(text: str, other: str) -> list[Block]:
    return [
        Gap(),
        Paragraph(text=text),
        Title(text=text, notes=(other, text)),
        Words(pieces=((text, ""), (other, "error"))),
        Rule(text=text),
        Item(left=text, right=other),
        Pair(label=text, value=other),
        Attention(text=text, hint=other),
        Attention(text=text, hint=other, most=1),
        Pair(label=text, value=other, most=2),
        Happening(time=other, time_cells=6, icon=text, word=other, message=text, notes=(other,)),
        Happening(time="14:23", time_cells=15, icon="●", message=text, quiet=True),
        Facts(facts=((0, text, other), (3, other, ""), (40, "", text))),
    ]


@settings(max_examples=200)
@given(TEXTS, TEXTS, st.integers(min_value=LEAST_CELLS, max_value=90))
def test_no_line_of_a_block_is_too_wide(text: str, other: str, cells: int) -> None:
    for block in every_kind(text, other):
        laid = block.lay(cells, UNICODE)
        assert laid
        for line in laid:
            assert sum(width(part) for part, _style in line) <= cells, block


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda each: each.name)
def test_hostile_text_of_any_size_is_laid_out(hostile: Hostile) -> None:
    for block in every_kind(hostile.text, hostile.text):
        for line in block.lay(40, UNICODE):
            assert sum(width(part) for part, _style in line) <= 40


@settings(max_examples=200)
@given(JSON, st.integers(min_value=LEAST_CELLS, max_value=60))
def test_facts_of_any_shape_are_lines(facts: object, cells: int) -> None:
    found = fact_lines(facts)
    assert len(found) <= MOST_LINES + 1
    for line in Facts(facts=found).lay(cells, UNICODE):
        assert sum(width(part) for part, _style in line) <= cells


def test_facts_read_well() -> None:
    facts = {
        "attempt": 2,
        "provider": {"name": "Printify", "order": None, "codes": [1, 2, 3]},
        "price": {"amount": 4300, "currency": "GBP"},
        "status": {"from": "submitted", "to": "failed"},
        "lines": [{"sku": "A"}, {"sku": "B"}],
        "none": [],
        "ok": True,
    }
    assert fact_lines(facts) == (
        (0, "attempt", "2"),
        (0, "provider", ""),
        (1, "name", "Printify"),
        (1, "order", "—"),
        (1, "codes", "1, 2, 3"),
        (0, "price", "£43.00"),
        (0, "status", "submitted → failed"),
        (0, "lines", ""),
        (1, "1.", ""),
        (2, "sku", "A"),
        (1, "2.", ""),
        (2, "sku", "B"),
        (0, "none", "—"),
        (0, "ok", "yes"),
    )


def test_facts_without_end_are_cut_and_say_so() -> None:
    deep: object = "end"
    for _ in range(100):
        deep = {"in": deep}
    assert fact_lines(deep)[-1] == (DEEPEST, "in", "… (nested deeper)")
    assert fact_lines({str(number): number for number in range(10_000)})[-1] == (0, "", "… and more")
    assert fact_lines({"text": "x" * 5000})[0][2].endswith("… (5,000 characters)")
    assert "cannot be shown" in fact_lines({"number": 10**5000})[0][2]
    assert fact_lines({"amount": {"amount": True, "currency": "GBP"}})[0] == (0, "amount", "")
    assert fact_lines(None) == ((0, "", "—"),)
    assert fact_lines({}) == ((0, "", "—"),)


def text_of(blocks: list[Block], cells: int = 60) -> list[str]:
    return ["".join(part for part, _style in line) for block in blocks for line in block.lay(cells, UNICODE)]


def test_a_timeline_has_days_times_late_marks_and_who_resolved() -> None:
    assert text_of(timeline(ENTRIES, TIMES)) == [
        "── 16 Feb ──────────────────────────────────────────────────",
        "16 Feb ● Order placed — £28.00 via Stripe",
        "16 Feb ● Order confirmation sent to tom@example.com",
        "── Yesterday ───────────────────────────────────────────────",
        "22 Feb ⚠ error · Submission to Printify failed: no",
        "         connection",
        "         ✓ resolved by jamie@example.com, 22 Feb",
        "── Today ───────────────────────────────────────────────────",
        "10:23  ● Submission retried — attempt 2 of 3",
        "         arrived 3h late",
        "14:03  ⚠ error · Submission to Printify failed: variant out",
        "         of stock",
        "14:17  ▲ warning · Email bounced: tom@example.com (mailbox",
        "         full)",
    ]  # fmt: skip


def test_a_narrow_timeline_puts_the_time_above() -> None:
    laid = text_of(timeline(ENTRIES[4:5], TIMES), cells=22)
    assert laid == [
        "── Today ─────────────",
        "⚠ 14:03",
        "  error · Submission",
        "  to Printify failed:",
        "  variant out of stock",
    ]


def test_resolved_entries_are_quiet() -> None:
    quiet = timeline(ENTRIES[2:3], TIMES)[1].lay(60, UNICODE)
    assert {style for line in quiet for part, style in line if part.strip()} == {"muted"}


def test_a_timeline_without_other_glyphs() -> None:
    laid = [line for block in timeline(ENTRIES, TIMES, ASCII)[-2:] for line in block.lay(40, ASCII)]
    own = "".join(part for line in laid for part, _style in line)
    assert own.isascii()


def test_what_is_expected_next_stands_dotted_at_the_end() -> None:
    by = NOW + timedelta(minutes=14)
    soon = Expected(status="processing", label="in production", by=by)
    late = Expected(status="shipped", label="shipped", by=NOW - timedelta(days=1), overdue=True)
    assert text_of(timeline(ENTRIES[4:5], TIMES, expected=soon))[-1] == (
        "  ·   ◌ next: in production, expected by 14:37"
    )
    assert text_of(timeline(ENTRIES[4:5], TIMES, expected=late))[-1] == (
        "  ·   ◌ late: shipped was expected by 22 Feb"
    )
    [quiet] = timeline([], TIMES, expected=soon)
    assert quiet.id is None, "the cursor does not stand on what has not happened"
    own = [part for line in timeline([], TIMES, ASCII, expected=soon)[0].lay(40, ASCII) for part, _ in line]
    assert "".join(own).isascii()


def test_attention_names_the_newest_open_ones() -> None:
    assert needs_attention(ENTRIES[:2]) == []
    assert text_of(needs_attention(ENTRIES, hint="x resolve")) == [
        "┃ Needs attention: Email bounced: tom@example.com (mailbox",
        "┃ full)",
        "┃ Needs attention: Submission to Printify failed: variant",
        "┃ out of stock",
        "┃ x resolve",
    ]
    many = [entry(number, f"failure {number}", "error", key=f"k{number}") for number in range(9)]
    assert text_of(needs_attention(many))[-1] == "┃ and 6 more"


def test_attention_says_once_what_happened_often() -> None:
    """Members of a group share a line, and so do those that say the same word for word."""
    open_ones = [
        entry(1, "Email bounced", "warning", key="mail 1"),
        entry(2, "Submission failed, attempt 1", "error", key="sub"),
        entry(3, "Stock is low", "warning", key="stock"),
        entry(4, "Submission failed, attempt 2", "error", key="sub"),
        entry(5, "Email bounced", "warning", key="mail 2"),
        entry(6, "Submission failed, attempt 3", "error", key="sub", resolved=1),
    ]
    assert text_of(needs_attention(open_ones)) == [
        "┃ Needs attention ×2: Email bounced",  # noqa: RUF001
        "┃ Needs attention ×2: Submission failed, attempt 2",  # noqa: RUF001
        "┃ Needs attention: Stock is low",
    ]


LAST = "ENDING"
LONG = " ".join(f"word{number}" for number in range(500)) + f" {LAST}"


def test_of_a_long_message_a_story_shows_the_beginning() -> None:
    long = entry(1, LONG, "warning")
    told = text_of(timeline([long, entry(2, "short")], TIMES))
    assert len(told) == 1 + SOME_LINES + 1
    assert told[SOME_LINES].endswith("…")
    assert all(width(line) <= 60 for line in told)
    assert len(text_of(needs_attention([long], hint="x resolve"))) == SOME_LINES + 1
    assert text_of(needs_attention([long], hint="x resolve"))[-1] == "┃ x resolve"
    for shown in (long, entry(3, LONG)):
        assert not any(LAST in line for line in text_of(entry_story(shown, TIMES, raw=False)))
        assert any("…" in line for line in text_of(entry_story(shown, TIMES, raw=False)))


def test_raw_details_show_all_of_a_long_message() -> None:
    long, other = entry(1, LONG, "warning"), entry(2, LONG)
    assert any(LAST in line for line in text_of(entry_story(long, TIMES, raw=True)))
    told = "\n".join(text_of(timeline([long, other], TIMES, whole={other.id})))
    assert told.count(LAST) == 1
    assert told.count("…") == 1


def test_what_fits_into_its_lines_has_no_ellipsis() -> None:
    text = "\n".join("line" for _ in range(SOME_LINES))
    assert len(text_of([Paragraph(text=text, most=SOME_LINES)])) == SOME_LINES
    assert "…" not in text_of([Paragraph(text=text, most=SOME_LINES)])[-1]
    assert text_of([Paragraph(text=text + "\nmore", most=SOME_LINES)])[-1] == "line…"


def test_an_entry_with_all_that_is_known() -> None:
    shown = entry(7, "Submission failed", "error", minutes=20, late=190, count=12, facts={"attempt": 2})
    laid = text_of(entry_story(shown, TIMES, hint="x resolve"), cells=70)
    assert laid == [
        "Submission failed",
        "⚠ error · needs attention · orders",
        "",
        "┃ Submission failed",
        "┃ x resolve",
        "",
        "Happened   Mon 23 Feb 2026 14:03:00 UTC (20m ago)",
        "Recorded   Mon 23 Feb 2026 17:13:00 UTC (arrived 3h late)",
        "Order      SS-260223-0046",
        "By         Printify (provider)",
        "Type       order.submission_failed",
        "Group      12 entries like this, 13:33 to 14:03",
        "",
        "── Raw facts ─────────────────────────────────────────────────────────",
        "attempt  2",
    ]  # fmt: skip
    resolved = text_of(entry_story(ENTRIES[2], TIMES, raw=False))
    assert "⚠ error · resolved by jamie@example.com, 22 Feb · orders" in resolved
    assert any(line.startswith("Resolved   jamie@example.com") for line in resolved)
    assert not any("Raw facts" in line for line in resolved)


def test_an_entry_outlives_its_order_and_who_did_it() -> None:
    alone = ENTRIES[0].model_copy(
        update={"order": None, "actor": ENTRIES[0].actor.model_copy(update={"name": None})}
    )
    laid = text_of(entry_story(alone, TIMES))
    assert not any(line.startswith("Order      ") for line in laid)
    assert "By         provider" in laid
