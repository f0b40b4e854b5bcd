"""What is printed: no byte that a terminal obeys, tables that fit, colours where they are wanted."""

from __future__ import annotations

import io
import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import STRIPE_SECRET
from tests.support.hostile import SHORT, Hostile
from tests.support.strangers import Strangers
from tests.support.terminal import Terminal
from tests.tui.commands.conftest import Shop
from tui.api.clock import FrozenClock
from tui.commands.printing import Cell, Column, Printer
from tui.widgets.cells import width
from tui.widgets.format import ASCII, UNICODE

ROOT = Path(__file__).parents[3]
TURNED = (
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff\u00ad"
)


def harmless(text: str) -> bool:
    """Whether a text holds nothing that a terminal acts on or that turns a reader's eyes."""
    return not any((unicodedata.category(c) in {"Cc", "Cs"} and c != "\n") or c in TURNED for c in text)


class Tty(io.StringIO):
    """A terminal, as far as a printer asks."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def printer(out: Any, **how: object) -> Printer:
    given = {"glyphs": UNICODE, "colour": False} | how
    return Printer(out, io.StringIO(), FrozenClock("2026-02-23T10:14:00Z"), **given)  # type: ignore[arg-type]


@pytest.fixture
def hostile_shop(shop: Shop) -> Shop:
    """A shop whose every text is a stranger's at its worst."""
    shop.monkeypatch.setattr("tests.support.strangers._now", lambda: shop.world.clock.now() // 1000)
    tokens = shop.world.staff.tokens
    strangers = Strangers(shop.world.http, tokens["owner"], tokens["storefront"], STRIPE_SECRET)
    shop.world.http.headers.pop("authorization")
    strangers.bring(SHORT)
    shop.world.numbers = strangers.numbers
    return shop


def test_no_command_hands_on_what_strangers_wrote(hostile_shop: Shop) -> None:
    shop = hostile_shop
    commands = [["orders", "list", "--all"], ["activity", "--all", "--internal"], ["activity", "--follow"]]
    commands += [
        ["jobs", "list", "--all"],
        ["settings", "list"],
        ["products", "list"],
        ["orders", "list", "-q", "[b"],
    ]
    commands += [["orders", "show", number] for number in shop.world.numbers[::3]]
    shop.monkeypatch.setattr("tui.commands.follow._nobody_reads", lambda: True)
    for command in commands:
        more = ["--limit", "200"] if "--follow" in command else []
        for as_json in ([], ["--json"]):
            ran = shop.run(*command, *more, *as_json)
            assert ran.code == 0, (command, ran.err)
            assert ran.out
            assert harmless(ran.out), (command, ascii(ran.out))
            assert harmless(ran.err), (command, ascii(ran.err))


def test_documents_keep_every_letter_of_it(hostile_shop: Shop) -> None:
    found = hostile_shop.json("activity", "--limit", "200", "--type", "custom.hostile")
    answered = hostile_shop.world.http.get(
        "/v1/activity",
        params={"limit": 200, "type": "custom.hostile", "folded": "false"},
        headers=hostile_shop.world.staff.bearer("owner"),
    )
    assert found == answered.json()
    assert any("\x9b" in entry["message"] or "\x1b" in entry["message"] for entry in found["items"])


def test_a_real_terminal_gets_colours_and_nothing_else(hostile_shop: Shop) -> None:
    shop = hostile_shop
    for command in (["orders", "list"], ["activity", "--tab", "attention"]):
        shop.monkeypatch.setenv("SHOPBELL_TOKEN", shop.world.staff.tokens["owner"])
        program = [sys.executable, "-m", "tui.cli", *command, "--url", shop.served.url]
        with Terminal(program, size=(80, 100), directory=ROOT) as terminal:
            assert terminal.wait_exit(seconds=30) == 0
            raw = terminal.raw.decode()
        told = re.sub(r"\x1b\[(?:\d\d?)?m", "", raw)
        assert told != raw
        assert harmless(told.replace("\r\n", "\n")), ascii(told)
        wide = [line for line in told.split("\r\n")[:-2] if width(line) > 80]
        assert wide == []


@pytest.mark.parametrize("hostile", SHORT, ids=lambda hostile: hostile.name)
def test_lines_tables_facts_and_notes(hostile: Hostile) -> None:
    for out in (Tty(), io.StringIO()):
        told = printer(out)
        told.line(hostile.text)
        told.note(hostile.text)
        told.facts([("name", hostile.text), (hostile.text, Cell("x", "error"))])
        told.table(
            (Column("A"), Column("B", flows=True)), [[hostile.text, "x"], ["x", Cell(hostile.text, "error")]]
        )
        told.following([(hostile.text, 4), (hostile.text, 0)])
        written = out.getvalue() + told._err.getvalue()  # type: ignore[attr-defined]
        assert harmless(written), ascii(written)


@pytest.mark.parametrize("hostile", SHORT, ids=lambda hostile: hostile.name)
def test_a_document_is_what_it_was(hostile: Hostile) -> None:
    out = io.StringIO()
    printer(out).document({"text": hostile.text, hostile.text: [1]})
    written = out.getvalue()
    assert harmless(written)
    assert written.count("\n") == 1
    assert json.loads(written) == {"text": hostile.text, hostile.text: [1]}


COLUMNS = (Column("NUMBER"), Column("NAME", flows=True), Column("TOTAL", right=True), Column("ID", spare=1))
ROWS = [["1", "Søren Kjær", "£1.00", "a" * 20], ["22", "田中" * 30, "£1,000.00", "b" * 20]]


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 300])
def test_a_table_fits_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Tty()
    told = printer(out)
    monkeypatch.setattr(told, "_room", lambda: columns)
    told.table(COLUMNS, ROWS)
    lines = out.getvalue().splitlines()
    assert max(width(line) for line in lines) <= columns
    assert ("ID" in lines[0].split()) == (columns >= 80)
    assert ("…" in lines[2]) == (20 < columns < 120)


def test_without_a_terminal_nothing_is_cut() -> None:
    out = io.StringIO()
    printer(out).table(COLUMNS, ROWS)
    lines = out.getvalue().splitlines()
    assert "田中" * 30 in lines[2]
    assert lines[2].endswith("b" * 20)
    assert width(lines[1].partition("£")[0]) > width(lines[2].partition("£")[0])


def test_colours_only_where_they_are_wanted() -> None:
    for out, colour, wanted in ((Tty(), True, True), (Tty(), False, False), (io.StringIO(), True, False)):
        told = printer(out, colour=colour)
        told.line("Careful", "warning")
        told.table((Column("A"),), [[Cell("x", "error")]])
        assert ("\x1b[33mCareful\x1b[0m" in out.getvalue()) == wanted
        assert ("\x1b" in out.getvalue()) == wanted


def test_a_document_for_a_stream_that_is_not_unicode() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    printer(out, glyphs=ASCII).document({"name": "Søren 田中 😀"})
    out.flush()
    written = out.buffer.getvalue()
    assert written.isascii()
    assert json.loads(written) == {"name": "Søren 田中 😀"}
