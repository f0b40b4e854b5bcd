"""``shopbell``: what the command line may say, where it leads, and that it answers before anything heavy is loaded."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import tomllib
import unicodedata
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

import pytest

import tui
import tui.app
from tests.support.hostile import SHORT, Hostile
from tests.support.terminal import Terminal
from tests.support.waiting import until
from tests.tui.api import answers
from tui import cli
from tui.api.client import Client
from tui.api.config import Config
from tui.api.embedded import PRIVATE, PrivateServer
from tui.api.errors import ApiError, StartError

ROOT = Path(__file__).parents[2]
TOKEN = "sbl_pat_Abcd1234_0123456789"
HEAVY = {
    "textual", "rich", "httpx", "pydantic", "keyring", "platformdirs", "asyncio", "ssl", "subprocess", "urllib.request",
    "importlib.metadata", "json", "tomllib", "server",
}  # fmt: skip


class Opened:
    """Stands where the screens begin and remembers how they were called."""

    def __init__(self) -> None:
        self.connect: Any = None
        self.config = Config(Path())
        self.title = ""
        self.code = 0

    def run(self, connect: Any, config: Config, title: str, clock: Any, **more: Any) -> int:
        assert clock.now().tzinfo is not None
        assert more.keys() == {"reports"}
        self.connect, self.config, self.title = connect, config, title
        return self.code


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    opened = Opened()
    monkeypatch.setattr(tui.app, "run", opened.run)
    monkeypatch.setattr(cli, "_on_a_terminal", lambda: True)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    return opened


@pytest.fixture
def config_file(home: Path) -> Path:
    path = home / "config" / "shopbell" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


class Shop:
    """A server that knows tokens, on the loopback."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        self.status = 200
        self.reason = "wrong"
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.asked.append((self.command, self.path, self.headers["authorization"]))
                body: Any = answers.ME
                if shop.status >= 400:
                    body = answers.problem(shop.status, "unauthenticated", reason=shop.reason)
                told = json.dumps(body).encode()
                self.send_response(shop.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            do_DELETE = do_GET  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    thread = threading.Thread(target=shop.http.serve_forever, args=(0.01,))
    thread.start()
    yield shop
    shop.http.shutdown()
    thread.join()
    shop.http.server_close()


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What was written to stderr."""
    return capsys.readouterr().err


# Before anything is loaded


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["demo", "--help"], ["login", "--help"]])
def test_help_and_version_load_nothing(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom tui.cli import main\n"
        f"code = main({arguments!r})\n"
        "sys.stderr.write('\\n'.join(sys.modules))\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {name for name in done.stderr.split() if name in HEAVY or name.partition(".")[0] in HEAVY}
    assert loaded == set()
    assert "shopbell" in done.stdout


def test_the_modules_before_the_first_paint_load_no_http_and_no_models() -> None:
    program = (
        "import sys, tui.api.client, tui.api.config, tui.api.poller, tui.api.window, tui.api.sources, tui.api.clock\n"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    heavy = {"httpx", "pydantic", "keyring", "ssl", "asyncio", "server", "textual", "rich", "platformdirs"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in done.stdout.split())


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert capsys.readouterr().out == f"shopbell {version}\n"
    assert tui.__version__ == version


# Mistakes


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["--url"],
        ["--url", "https://a.example", "--profile", "b"],
        ["--url", "https://a.example", "--uds", "/x"],
        ["demo", "--seed", "x"],
        ["login", "--token", "hunter2", "--url", "https://a.example"],
    ],
)
def test_a_wrong_command_line_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert "usage: shopbell" in capsys.readouterr().err


@pytest.mark.parametrize("hostile", SHORT, ids=lambda hostile: hostile.name)
def test_what_is_said_about_it_cannot_hurt_the_terminal(
    hostile: Hostile, capsys: pytest.CaptureFixture[str]
) -> None:
    text = hostile.text.replace("\0", "")
    for arguments in (["--x" + text], [text], ["--seed", text], ["--url", text], ["--profile", text]):
        assert cli.main(arguments) == 2
        err = capsys.readouterr().err
        assert not any(unicodedata.category(c) in {"Cc", "Cs"} and c != "\n" for c in err), ascii(err)
        assert not any(c in err for c in "\u061c\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200b")


def test_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli"], input="", capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 2
    assert (
        done.stderr == "shopbell: it draws on a terminal, and this is none. Over ssh, ask for one: ssh -t\n"
    )
    assert done.stdout == ""


def test_a_mistake_in_the_config_file(config_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config_file.write_text("[ui]\nmouse = 5\n")
    assert cli.main([]) == 2
    assert said(capsys) == f"shopbell: {config_file}: ui.mouse: must be true or false.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--url", "http://shop.example"], "in the clear"),
        (["--url", "shop.example"], "is not a server's URL"),
        (["--profile", "none"], "there is no such profile"),
        (["demo", "--speed", "0"], "--speed must be 0.01 to 10000"),
        (["demo", "--speed", "nan"], "--speed must be 0.01 to 10000"),
        (["login"], "Which server?"),
    ],
)
def test_what_cannot_be_opened(
    opened: Opened, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert sentence in said(capsys)
    assert opened.connect is None


# Opening


def test_the_exit_code_is_the_screens(opened: Opened) -> None:
    opened.code = 1
    assert cli.main([]) == 1


def test_the_looks(opened: Opened, config_file: Path) -> None:
    config_file.write_text('[ui]\ntheme = "shopbell-light"\npoll_seconds = 9\n')
    assert cli.main([]) == 0
    assert opened.config.ui.theme == "shopbell-light"
    for arguments in (
        ["--theme", "ansi-dark", "--ascii", "--no-mouse", "demo"],
        ["demo", "--theme", "ansi-dark", "--ascii", "--no-mouse"],
        ["--ascii", "demo", "--theme", "ansi-dark", "--no-mouse"],
    ):
        assert cli.main(arguments) == 0
        ui = opened.config.ui
        assert (ui.theme, ui.ascii, ui.mouse, ui.poll_seconds) == ("ansi-dark", True, False, 9)
    assert opened.title == "Practice shop"


def test_a_server_by_its_url(opened: Opened, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    monkeypatch.setenv("SHOPBELL_TOKEN", TOKEN)
    assert cli.main(["--url", shop.url]) == 0
    assert "SHOPBELL_TOKEN" not in os.environ
    assert opened.title == shop.url.removeprefix("http://")
    client = opened.connect()
    assert isinstance(client, Client)
    assert client.endpoint.url == shop.url
    assert client.endpoint.token is not None
    assert client.endpoint.token.reveal() == TOKEN


def test_a_server_named_by_the_environment_or_by_a_profile(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, config_file: Path, tmp_path: Path
) -> None:
    config_file.write_text(
        'default_profile = "one"\n[ui]\ntheme = "a"\n'
        '[profiles.one]\nurl = "https://one.example"\ntheme = "b"\nca_file = "ca.pem"\n'
        '[profiles.two]\nurl = "https://two.example"\n'
    )
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    monkeypatch.setenv("SHOPBELL_TOKEN_FILE", str(token))
    cli.main([])
    endpoint = opened.connect().endpoint
    assert (opened.title, opened.config.ui.theme) == ("one.example", "b")
    assert endpoint.ca_file == config_file.parent / "ca.pem"
    cli.main(["--theme", "c"])
    assert opened.config.ui.theme == "c"
    cli.main(["--profile", "two", "--ca-file", "/other.pem"])
    assert (opened.title, opened.config.ui.theme) == ("two.example", "a")
    assert opened.connect().endpoint.ca_file == Path("/other.pem")
    monkeypatch.setenv("SHOPBELL_URL", "https://three.example")
    cli.main([])
    assert opened.title == "three.example"
    cli.main(["--profile", "two"])
    assert opened.title == "two.example"
    cli.main(["--url", "https://four.example"])
    assert opened.title == "four.example"
    cli.main(["--uds", "bell.sock"])
    assert opened.connect().endpoint.uds == Path.cwd() / "bell.sock"


def test_without_a_token_it_is_said_when_the_screens_ask(opened: Opened) -> None:
    assert cli.main(["--url", "https://shop.example"]) == 0
    with pytest.raises(StartError, match="no token for https://shop.example") as error:  # noqa: RUF043
        opened.connect()
    assert isinstance(error.value, ApiError)


def test_ones_own_shop_and_the_practice_shop(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    made: list[tuple[Path, Any, bool]] = []

    class Server:
        def __init__(self, data: Path, kind: Any, clock: Any, *, fresh: bool = False) -> None:
            made.append((data, kind, fresh))
            self.closed = 0

        def start(self) -> NoReturn:
            raise StartError("not now")

        def close(self) -> None:
            self.closed += 1

    monkeypatch.setattr("tui.api.embedded.PrivateServer", Server)
    assert cli.main([]) == 0
    assert made.pop() == (home / "data" / "shopbell" / "shop", PRIVATE, False)
    assert opened.connect._server.closed == 1
    with pytest.raises(StartError, match="not now"):
        opened.connect()
    monkeypatch.setenv("SHOPBELL_DATA", str(home / "else"))
    cli.main([])
    assert made.pop()[0] == home / "else"
    cli.main(["demo"])
    data, kind, fresh = made.pop()
    assert (data, kind.serve, fresh) == (home / "data" / "shopbell" / "practice", ("server.practice",), False)
    cli.main(["demo", "--seed", "7", "--speed", "60", "--fresh"])
    data, kind, fresh = made.pop()
    assert data.name == "practice-7"
    assert kind.serve == ("server.practice", "--seed", "7", "--speed", "60.0")
    assert fresh


def test_the_server_is_ended_also_when_the_screens_fail(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    monkeypatch.setattr(PrivateServer, "close", lambda _self: closed.append(1))

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(tui.app, "run", fail)
    assert cli.main([]) == 130
    assert closed == [1]


# Tokens


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_logging_in_and_out(
    shop: Shop,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    opened: Opened,
) -> None:
    type_in(monkeypatch, TOKEN + "\n")
    assert cli.main(["login", "--url", shop.url + "/", "--token-stdin"]) == 0
    out = capsys.readouterr().out
    [path] = (home / "state" / "shopbell" / "tokens").iterdir()
    assert "The token is Jamie's (owner)." in out
    assert f"kept in plain text in {path} (only you can read it)" in out
    assert TOKEN not in out
    assert shop.asked == [("GET", "/v1/me", f"Bearer {TOKEN}")]

    assert cli.main(["--url", shop.url]) == 0
    assert opened.connect().endpoint.token.reveal() == TOKEN

    assert cli.main(["logout", "--url", shop.url]) == 0
    assert capsys.readouterr().out == (
        "The token is revoked on the server.\nThe token is removed from the token file.\n"
    )
    assert shop.asked[-1][:2] == ("DELETE", "/v1/tokens/Abcd1234")
    assert not path.exists()
    assert cli.main(["logout", "--url", shop.url]) == 1
    assert "No token is kept for" in said(capsys)


def test_a_token_that_the_server_does_not_take_is_not_kept(
    shop: Shop, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.status, shop.reason = 401, "expired"
    type_in(monkeypatch, TOKEN)
    assert cli.main(["login", "--url", shop.url, "--token-stdin"]) == 1
    assert "Your token has expired." in said(capsys)
    assert not (home / "state" / "shopbell" / "tokens").exists()


def test_a_server_that_does_not_answer_does_not_lose_the_token(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, TOKEN)
    assert cli.main(["login", "--url", "http://127.0.0.1:1", "--token-stdin"]) == 0
    captured = capsys.readouterr()
    assert "could not be tried; it is kept all the same" in captured.err
    assert "kept in plain text" in captured.out
    assert cli.main(["logout", "--url", "http://127.0.0.1:1"]) == 0
    captured = capsys.readouterr()
    assert "was not revoked" in captured.err
    assert captured.out == "The token is removed from the token file.\n"


def test_logging_out_here_only(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, TOKEN)
    cli.main(["login", "--url", shop.url, "--token-stdin"])
    assert cli.main(["logout", "--url", shop.url, "--here-only"]) == 0
    assert [method for method, _, _ in shop.asked] == ["GET"]
    assert "revoked" not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "two words", "x\ny"])
def test_what_is_no_token(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, text)
    assert cli.main(["login", "--url", "https://shop.example", "--token-stdin"]) == 1
    assert "is not a token" in said(capsys)


def test_a_prompt_needs_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, TOKEN)
    assert cli.main(["login", "--url", "https://shop.example"]) == 2
    assert "--token-stdin" in said(capsys)


def test_a_token_is_typed_unseen(shop: Shop, home: Path) -> None:
    with Terminal([sys.executable, "-m", "tui.cli", "login", "--url", shop.url], directory=ROOT) as terminal:
        terminal.wait_for("Token for")
        terminal.send(TOKEN.encode() + b"\r")
        assert terminal.wait_exit() == 0
        assert "kept in plain text" in terminal.text
        assert TOKEN.encode() not in terminal.raw


# All of it together


def test_shopbell_alone_opens_a_shop_of_ones_own_and_leaves_nothing_running(home: Path) -> None:
    with Terminal([sys.executable, "-m", "tui.cli"], size=(100, 30), directory=ROOT) as terminal:
        terminal.wait_for("live", seconds=50)
        pids = servers(home)
        assert pids
        terminal.press("q")
        assert terminal.wait_exit() == 0
        assert terminal.modes_left_on == set()
    until(lambda: not servers(home), "the server to end")


def servers(home: Path) -> list[int]:
    """Processes that work on data below this home."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"{home}/".encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found
