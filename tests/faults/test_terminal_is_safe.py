"""What strangers wrote does nothing to a terminal: a real server full of it, the real client, every screen."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.cli import main as shopbelld
from tests.faults.walking import PASTED, Reader
from tests.support.client_child import CLEANING, CRASH, FILTER, LOCAL, NETS, WIDGETS
from tests.support.hostile import HOSTILE, Hostile
from tests.support.hostile_jobs import bring_jobs
from tests.support.hostile_tickets import bring_tickets
from tests.support.sequences import foreign_sequences, tokens
from tests.support.shopbelld import ROOT, Shopbelld
from tests.support.strangers import Strangers
from tests.support.stripe_events import SECRET
from tests.support.terminal import Terminal
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)  # the first test of a worker fills the shop

# One of each kind at the least; the deep run takes them all. The newest are seen first.
WORST = (
    "surrogate-high", "nul", "newlines", "marks-thousands", "emoji-family", "wide-row", "zero-width-only",
    "markup-close", "markup-action", "markup-open", "escape-last", "osc-unfinished", "csi-report",
    "csi-alternate-screen", "dcs-tmux", "long-escapes", "csi-clear", "c0-all", "osc8-link", "bidi-override",
    "c1-osc", "osc52-bel",
)  # fmt: skip
SHOP_NAME = "[/x][@click=app.quit]"
STAFF_NAME = "\x1b]52;c;eA==\x07[/x]\x9b31m\u202e[@click=app.quit]\x1b[2J\x0e"
"""What a member of staff is called: its worst stands at the beginning, where it is not cut off."""

BY_NAME = {hostile.name: hostile for hostile in HOSTILE}


@dataclass
class Shop:
    """A served shop full of strangers' text."""

    server: Shopbelld
    numbers: list[str]
    """Newest first."""
    entries: int
    """Entries of the activity at the most, folded as they are shown."""
    jobs: int
    """Jobs that gave up."""
    tickets: int
    token: str = field(repr=False)

    def client(
        self, *arguments: str, size: tuple[int, int] = (80, 24), nets: str = NETS, **environ: str
    ) -> Terminal:
        """The client in a terminal, with all nets or with some."""
        program = ["-m", "tui.cli"] if nets == NETS else ["-m", "tests.support.client_child", nets]
        told = {"SHOPBELL_TOKEN": self.token, "COLORTERM": "truecolor"} | environ
        command = [sys.executable, *program, "--uds", str(self.server.uds), *arguments]
        return Terminal(command, size=size, directory=ROOT, environ=told)


def command(server: Shopbelld, *arguments: str) -> str:
    """Run a command on the shop's data in this process, which has loaded what it needs: what it prints."""
    mask = os.umask(0o077)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            assert shopbelld([*arguments, "--data", str(server.data)]) == 0
        return said.getvalue().strip()
    finally:
        os.umask(mask)


def every(http: httpx.Client, path: str, token: str) -> list[dict[str, Any]]:
    """All rows of a list."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = http.get(path, params=query, headers={"Authorization": f"Bearer {token}"}).json()
        rows += page["items"]
        cursor = page["next"]
    return rows


def settled(http: httpx.Client, token: str) -> None:
    """Wait until every job that is due was tried: the mails of the orders run while the shop is filled."""
    header = {"Authorization": f"Bearer {token}"}

    def idle() -> bool:
        queues = http.get("/v1/queues", headers=header).json()["queues"]
        due = [
            job for job in every(http, "/v1/jobs", token) if job["state"] == "waiting" and not job["attempt"]
        ]
        return not due and not any(queue["running"] for queue in queues)

    until(idle, "the jobs of the morning")


def fill(strings: list[Hostile]) -> Iterator[Shop]:
    """Serve a shop into which these strings were brought, until the tests are done."""
    folder = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))  # short, for the sake of the socket
    server = Shopbelld(folder, SHOPBELL_STRIPE_WEBHOOK_SECRETS=SECRET)
    try:
        owner = command(server, "init", "--shop-name", SHOP_NAME)
        program = command(server, "token", "create", "--role", "storefront", "--name", "web")
        bring_jobs(server.data, strings)
        tickets = bring_tickets(server.data, strings)
        server.start()
        with server.client() as http:
            strangers = Strangers(http, owner, program, SECRET)
            strangers.bring(strings)
            strangers.settings(("mail.from_name", "recovery.notice"), strings)
            strangers.staff(STAFF_NAME, "staff@example.com", "admin")
            numbers = [row["number"] for row in every(http, "/v1/orders", owner)]
            entries = len(every(http, "/v1/activity", owner))
            settled(http, owner)
            jobs = len([job for job in every(http, "/v1/jobs", owner) if job["state"] == "exhausted"])
        staff = ("--role", "admin", "--name", "n", "--user", "staff@example.com")
        token = command(server, "token", "create", *staff)
        yield Shop(server, numbers, entries, jobs, tickets, token)
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    yield from fill([BY_NAME[name] for name in WORST])


@pytest.fixture(scope="module")
def full_shop() -> Iterator[Shop]:
    yield from fill(list(HOSTILE))


def copied(number: str) -> re.Pattern[str]:
    """What the client itself sends when a number is copied; nothing else may look like it."""
    text = base64.b64encode(number.encode()).decode()
    return re.compile(re.escape(f"\x1b]52;c;{text}\x07"))


def walk(shop: Shop, size: tuple[int, int], stories: int | None, nets: str = NETS) -> list[str]:
    """Look at everything; what came through to the terminal."""
    with shop.client(size=size, nets=nets) as terminal:
        reader = Reader(terminal, shop.numbers)
        reader.arrives()
        reader.reads_orders("[/x]", *(() if nets == CLEANING else (PASTED,)))
        reader.reads_stories(stories)
        reader.copies(shop.numbers[3])
        reader.reads_activity(shop.entries // size[1])
        reader.settles(stories or 30)
        reader.reads_jobs(shop.jobs - 1 if stories is None or size[1] < 40 else stories)
        reader.reads_tickets(shop.tickets - 1 if stories is None or size[1] < 40 else stories)
        reader.reads_settings()
        reader.asks_for_help()
        assert reader.leaves() == 0
        assert terminal.modes_left_on == set()
        return foreign_sequences(terminal.raw, expected=copied(shop.numbers[3]))


@pytest.mark.parametrize(("size", "stories"), [((80, 24), 24), ((120, 40), 6)], ids=["80x24", "120x40"])
def test_no_screen_lets_anything_through(shop: Shop, size: tuple[int, int], stories: int) -> None:
    assert walk(shop, size, stories) == []


@pytest.mark.parametrize("net", [CLEANING, WIDGETS, FILTER])
def test_each_net_holds_alone(shop: Shop, net: str) -> None:
    with shop.client(nets=net) as terminal:
        reader = Reader(terminal, shop.numbers)
        reader.arrives()
        reader.reads_stories(8)
        reader.reads_activity(2)
        reader.settles(4)
        assert reader.leaves() == 0
        assert foreign_sequences(terminal.raw) == []


def test_without_any_net_strangers_reach_the_terminal(shop: Shop) -> None:
    """The strings are sharp, and what the other tests look at is the place where they would come out."""
    with shop.client(nets="none") as terminal:
        until(lambda: {"osc", "c1", "bidi"} <= kinds_of_foreign(terminal), "strangers' sequences")


def kinds_of_foreign(terminal: Terminal) -> set[str]:
    return {each.split()[0] for each in foreign_sequences(terminal.raw)}


# -- what else a terminal must not suffer


def test_no_colour_is_none_on_every_screen(shop: Shop) -> None:
    with shop.client(NO_COLOR="1") as terminal:
        reader = Reader(terminal, shop.numbers)
        reader.arrives()
        reader.reads_stories(3)
        reader.asks_for_help()
        assert reader.leaves() == 0
        styles = {
            token.body for token in tokens(terminal.raw) if token.kind == "csi" and token.raw[-1] == "m"
        }
    numbers = {int(number) for style in styles for number in style.rstrip("m").split(";") if number}
    assert numbers
    assert numbers <= {0, 1, 2, 3, 4, 7, 9, 22, 23, 24, 27, 29, 39, 49}


def test_a_terminal_that_is_too_small_says_so(shop: Shop) -> None:
    with shop.client(size=(20, 5)) as terminal:
        terminal.wait_for(re.compile(r"too\s+small"))
        terminal.press("j", "enter", "2", "!")
        terminal.resize(80, 24)
        terminal.wait_for("● live")
        terminal.resize(39, 24)
        terminal.wait_for(re.compile(r"too\s+small"))
        terminal.resize(80, 24)
        terminal.wait_for("● live")
        assert Reader(terminal, shop.numbers).leaves() == 0
        assert terminal.modes_left_on == set()


def test_a_server_that_stops_leaves_what_is_seen(shop: Shop, home: Path) -> None:
    config = home / "config.toml"
    config.write_text("[ui]\npoll_seconds = 1\n", encoding="utf-8")
    with shop.client(SHOPBELL_CONFIG=str(config)) as terminal:
        reader = Reader(terminal, shop.numbers)
        reader.arrives()
        newest = f" {shop.numbers[0][-4:]} "
        shop.server.kill()
        try:
            terminal.wait_for("offline")
            assert newest in terminal.text
            terminal.press("j", "x")
            terminal.wait_for(re.compile("✖ "))
            assert newest in terminal.text
        finally:
            shop.server.start()
        terminal.wait_for("● live")
        terminal.wait_gone("offline")
        assert newest in terminal.text
        assert reader.leaves() == 0
        assert foreign_sequences(terminal.raw) == []


def test_a_mistake_of_the_program_tells_no_secret(shop: Shop, home: Path) -> None:
    with shop.client(nets=CRASH) as terminal:
        Reader(terminal, shop.numbers).arrives()
        terminal.press("ctrl+r")
        assert terminal.wait_exit() == 1
        assert terminal.modes_left_on == set()
        assert foreign_sequences(terminal.raw) == []
        written = terminal.raw.decode()
        said = " ".join(terminal.text.split())
    assert "stopped because of an error in itself" in said
    assert "Traceback" not in written
    reports = [path.read_text(encoding="utf-8") for path in (home / "state").rglob("crash-*")]
    assert len(reports) == 1
    for secret in (shop.token, LOCAL, "RuntimeError"):
        assert secret not in written
    assert "RuntimeError" in reports[0]
    assert shop.token not in reports[0]
    assert LOCAL not in reports[0]


# -- everything, for a long night


@pytest.mark.deep
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("nets", [NETS, CLEANING, WIDGETS, FILTER])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_no_string_comes_through_anywhere(full_shop: Shop, size: tuple[int, int], nets: str) -> None:
    assert walk(full_shop, size, None, nets) == []
