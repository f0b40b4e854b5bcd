"""How commands begin and end: what they load, which server they find, and with which code they leave."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import httpx
import pytest

from tests.support.terminal import Terminal
from tests.support.waiting import until
from tests.tui.commands.conftest import Shop
from tests.tui.test_cli import HEAVY, servers
from tui import cli
from tui.api.clock import FrozenClock
from tui.api.documents import Documents
from tui.api.endpoint import Endpoint
from tui.commands.grammar import TWINS
from tui.commands.printing import Printer
from tui.commands.run import VERBS
from tui.commands.work import Work
from tui.widgets.format import UNICODE

ROOT = Path(__file__).parents[3]


def loaded(*arguments: str) -> tuple[int, set[str], str]:
    """The exit code, the packages that were loaded, and what was printed."""
    program = (
        "import sys\nfrom tui.cli import main\n"
        f"code = main({list(arguments)!r})\n"
        "sys.stderr.write('\\nloaded ' + ' '.join(sys.modules))\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return done.returncode, set(done.stderr.rpartition("\nloaded ")[2].split()), done.stdout


@pytest.mark.parametrize("name", TWINS)
def test_help_loads_nothing(name: str) -> None:
    code, modules, out = loaded(name, "--help")
    assert code == 0
    assert {module for module in modules if module.partition(".")[0] in HEAVY} == set()
    assert "exit codes:" in out
    assert "tui.commands.run" not in modules


def test_a_command_loads_no_screens() -> None:
    code, modules, _ = loaded("orders", "list", "--uds", "/nowhere/bell")
    assert code == 5  # there is no token for it
    assert "tui.commands.run" in modules
    assert not {module for module in modules if re.match(r"textual\b|tui\.(app|screens)\b", module)}


def test_every_verb_of_the_command_line_runs_something() -> None:
    parser = cli.parser()
    named = set()
    for room in TWINS:
        with pytest.raises(SystemExit):
            parser.parse_args([room, "no-such-verb"])
        [rooms] = [action for action in parser._actions if action.dest == "command"]
        verbs = next(action for action in rooms.choices[room]._actions if action.dest == "verb")  # type: ignore[index]
        named |= {(room, verb) for verb in verbs.choices}
    assert named == {key for key in VERBS if key[1] is not None}


def test_unreachable_is_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for command in (["orders", "list"], ["orders", "list", "--json"], ["activity", "--follow"]):
            monkeypatch.setenv("SHOPBELL_TOKEN", "sbl_pat_Abcd1234_0123456789")
            assert cli.main([*command, "--url", url]) == 3
            told = capsys.readouterr()
            assert told.out == ""
            assert "Is the server running" in told.err


def test_not_signed_in_is_5(shop: Shop) -> None:
    shop.monkeypatch.delenv("SHOPBELL_TOKEN", raising=False)
    assert cli.main(["orders", "list", "--url", shop.served.url]) == 5
    assert "shopbell login" in shop.capsys.readouterr().err
    shop.monkeypatch.setenv("SHOPBELL_TOKEN", "sbl_pat_Abcd1234_0123456789")
    assert cli.main(["orders", "list", "--url", shop.served.url, "--json"]) == 5
    told = shop.capsys.readouterr()
    assert '"code":"unauthenticated"' in told.out
    assert "does not know this token" in told.err


def test_another_server_is_3(shop: Shop) -> None:
    shop.monkeypatch.setattr("tui.api.wire.Wire.send", _page)
    ran = shop.run("orders", "list", "--json")
    assert (ran.code, ran.out) == (3, "")
    assert "not a shopbell server" in ran.err


async def _page(*_: object, **__: object) -> object:
    from tui.api.wire import Reply

    return Reply(200, httpx.Headers({"content-type": "text/html"}), b"<h1>Welcome</h1>")


def test_a_profile_and_a_config_file(shop: Shop, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[profiles.till]\nurl = "{shop.served.url}"\n')
    shop.monkeypatch.setenv("SHOPBELL_TOKEN", shop.world.staff.tokens["owner"])
    assert cli.main(["--config", str(config), "--profile", "till", "orders", "list"]) == 0
    shop.monkeypatch.setenv("SHOPBELL_TOKEN", shop.world.staff.tokens["owner"])
    assert cli.main(["orders", "list", "--config", str(config), "--profile", "till"]) == 0
    assert shop.capsys.readouterr().out.count("Tom Avery") == 2
    assert cli.main(["orders", "list", "--config", str(tmp_path / "none"), "--profile", "till"]) == 2
    assert "it is not there" in shop.capsys.readouterr().err


def test_wrong_use_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["orders"],
        ["orders", "list", "--tab", "x"],
        ["jobs", "retry", "x", "--hold", "61"],
        ["settings"],
    ):
        assert cli.main(arguments) == 2
        assert "usage: shopbell" in capsys.readouterr().err


def test_what_is_no_text_is_2(shop: Shop) -> None:
    broken = os.fsdecode(b"a\xff")
    for command in (
        ["orders", "list", "-q", broken],
        ["orders", "show", broken],
        ["settings", "set", "shop.name", broken],
    ):
        ran = shop.run(*command)
        assert (ran.code, ran.err) == (2, "shopbell: What was given is not text in UTF-8.\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tui.cli",
            "settings",
            "set",
            "shop.name",
            "--stdin",
            "--url",
            shop.served.url,
        ],
        input=b"a\xff",
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "SHOPBELL_TOKEN": shop.world.staff.tokens["owner"]},
    )
    assert done.returncode == 2
    assert done.stderr.endswith(b"not text in UTF-8.\n")


@pytest.mark.parametrize("lasting", [True, False])
def test_what_waits_in_ones_own_shop_is_said_to_wait(lasting: bool) -> None:
    err = io.StringIO()
    clock = FrozenClock("2026-02-23T10:14:00Z")
    out = Printer(io.StringIO(), err, clock, glyphs=UNICODE)
    client = Documents(Endpoint(url="http://127.0.0.1:7373"))
    Work(client, Namespace(), out, clock, 5.0, lambda: lasting).waits_here()
    assert ("goes on then" in err.getvalue()) != lasting


@pytest.mark.timeout(180)
def test_ones_own_shop_runs_for_the_length_of_the_command(home: Path) -> None:
    run = [sys.executable, "-m", "tui.cli"]
    done = subprocess.run(
        [*run, "settings", "set", "shop.name", "Corner Shop"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "shop.name is Corner Shop\n", "")
    until(lambda: not servers(home), "the server to end")
    done = subprocess.run(
        [*run, "settings", "show", "shop.name"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "Corner Shop" in done.stdout
    until(lambda: not servers(home), "the server to end")


def test_ones_own_shop_that_does_not_start(home: Path) -> None:
    data = home / "data" / "shopbell" / "shop"
    data.mkdir(parents=True, mode=0o755)
    data.chmod(0o755)
    (data / "owner.token").symlink_to("/nowhere")
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", "orders", "list"],
        capture_output=True, text=True, check=False, cwd=ROOT, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith("shopbell: ")
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_a_question_without_a_trace(shop: Shop) -> None:
    number = shop.ordered()
    shop.monkeypatch.setenv("SHOPBELL_TOKEN", shop.world.staff.tokens["owner"])
    command = [sys.executable, "-m", "tui.cli", "orders", "submit", number, "--url", shop.served.url]
    with Terminal(command, size=(80, 30), directory=ROOT) as terminal:
        terminal.wait_for("[y/N]", seconds=30)
        terminal.send(b"\x03")
        assert terminal.wait_exit() == 130
        assert "Traceback" not in terminal.text
    assert shop.works.jobs("order.submit") == []
