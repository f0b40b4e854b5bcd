"""What strangers put into names, notes, addresses and billing profiles does nothing to a terminal."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.test_terminal_is_safe import BY_NAME, SHOP_NAME, WORST, command
from tests.faults.walking import PASTED
from tests.support.client_child import CLEANING, FILTER, NETS, WIDGETS
from tests.support.hostile_people import bring_people
from tests.support.sequences import foreign_sequences
from tests.support.shopbelld import ROOT, Shopbelld
from tests.support.terminal import Terminal

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Shop:
    """A served shop whose customers are strangers at their worst."""

    server: Shopbelld
    people: int
    token: str = field(repr=False)

    def client(self, size: tuple[int, int], nets: str) -> Terminal:
        """The client in a terminal, with all nets or with some."""
        program = ["-m", "tui.cli"] if nets == NETS else ["-m", "tests.support.client_child", nets]
        command = [sys.executable, *program, "--uds", str(self.server.uds)]
        told = {"SHOPBELL_TOKEN": self.token, "COLORTERM": "truecolor"}
        return Terminal(command, size=size, directory=ROOT, environ=told)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    folder = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))  # short, for the sake of the socket
    server = Shopbelld(folder)
    try:
        owner = command(server, "init", "--shop-name", SHOP_NAME)
        brought = bring_people(server.data, [BY_NAME[name] for name in WORST])
        server.start()
        yield Shop(server, len(brought), owner)
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def walk(shop: Shop, nets: str) -> list[str]:
    """The list, every story to its end, a plan, an edited line, a note; what came through to the terminal."""
    with shop.client((80, 24), nets) as terminal:
        terminal.wait_for("● live")
        terminal.press("3")
        terminal.wait_for(re.compile(r"\d+ people"))
        terminal.press("enter")
        for number in range(1, shop.people + 1):
            terminal.wait_for(f" {number} of {shop.people + 1}")
            terminal.wait_gone("Loading")
            terminal.press("G")
            terminal.press("J")
        terminal.wait_for(f" {shop.people + 1} of {shop.people + 1}")
        terminal.press("K")
        terminal.wait_for(f" {shop.people} of {shop.people + 1}")
        terminal.press("D")
        terminal.wait_for("Delete for good")
        terminal.press("e")
        terminal.wait_gone("e type")
        if nets == CLEANING:  # what is pasted comes through no answer
            terminal.press("x")
        else:
            terminal.paste(PASTED)
        terminal.wait_for("x")
        terminal.press("enter")
        terminal.wait_for("That is not")
        terminal.press("escape")
        terminal.wait_gone("Delete for good")
        terminal.press("e")
        terminal.wait_for("next line")
        terminal.press("escape")
        terminal.wait_gone("next line")
        terminal.press("c")
        terminal.wait_for("INTERNAL  Note")
        terminal.press("escape")
        terminal.wait_gone("INTERNAL  Note")
        terminal.press("ctrl+c")
        terminal.wait_for("Quit shopbell")
        terminal.press("y")
        assert terminal.wait_exit() == 0
        assert terminal.modes_left_on == set()
        return foreign_sequences(terminal.raw)


def test_people_let_nothing_through(shop: Shop) -> None:
    assert walk(shop, NETS) == []


@pytest.mark.parametrize("net", [CLEANING, WIDGETS, FILTER])
def test_each_net_holds_alone(shop: Shop, net: str) -> None:
    assert walk(shop, net) == []
