"""Coming in with an invitation: the real command against a real server."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server.app import create_app
from server.kit.config import ServerConfig
from server.kit.db import Store, open_store
from tests.server.conftest import Staff, let_staff_in
from tests.support.serving import Served, serving
from tests.support.terminal import Terminal
from tui import cli

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Served, Store, Staff]]:
    """A served shop with its staff."""
    store = open_store(sqlite_url, Path())
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    config = ServerConfig(data_dir=data)
    staff = let_staff_in(store)
    with serving(create_app(store, config), config) as served:
        yield served, store, staff
    store.close()


@pytest.fixture
def code(shop: tuple[Served, Store, Staff]) -> str:
    """An invitation for somebody new."""
    served, _, staff = shop
    with served.client() as http:
        owner = staff.bearer("owner")
        made = http.post(
            "/v1/users", headers=owner, json={"email": "new@example.com", "role": "support"}
        ).json()
        return str(http.post(f"/v1/users/{made['id']}/invitation", headers=owner).json()["code"])


def kept(home: Path) -> list[Path]:
    folder = home / "state" / "shopbell" / "tokens"
    return sorted(folder.iterdir()) if folder.exists() else []


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_code_becomes_a_token_that_is_kept_and_is_shown_nowhere(
    shop: tuple[Served, Store, Staff],
    code: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    served, _, _ = shop
    type_in(monkeypatch, f"{code.lower()}\n")
    assert cli.main(["join", "--url", served.url, "--code-stdin"]) == 0
    told = capsys.readouterr()
    assert "The token is new@example.com's (support), until" in told.out
    assert "kept in plain text" in told.out
    (path,) = kept(home)
    token = re.search(r"sbl_pat_\w+", path.read_text("utf-8"))
    assert token is not None
    assert token[0] not in told.out + told.err
    assert code not in told.out + told.err
    me = httpx.get(f"{served.url}/v1/me", headers={"Authorization": f"Bearer {token[0]}"})
    assert me.json()["user"]["email"] == "new@example.com"
    type_in(monkeypatch, code)
    assert cli.main(["join", "--url", served.url, "--code-stdin"]) == 1
    assert "This invitation is not good, or not any more." in capsys.readouterr().err
    assert kept(home) == [path], "a refused code takes no token away"


@pytest.mark.parametrize("typed", ["", "abc", "x" * 200, "AAAAA-BBBBB-\x1b[31m-CCCCC", "AAAAA\nBBBBB"])
def test_what_is_no_code_is_not_sent(
    shop: tuple[Served, Store, Staff],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
) -> None:
    type_in(monkeypatch, typed)
    assert cli.main(["join", "--url", shop[0].url, "--code-stdin"]) == 1
    told = capsys.readouterr()
    assert told.err == "shopbell: That is no invitation's code: it is five groups of letters and digits.\n"
    assert kept(home) == []


def test_a_code_is_typed_unseen(shop: tuple[Served, Store, Staff], code: str, home: Path) -> None:
    command = [sys.executable, "-m", "tui.cli", "join", "--url", shop[0].url]
    with Terminal(command, directory=ROOT) as terminal:
        terminal.wait_for("Invitation for")
        terminal.send(code.encode() + b"\r")
        assert terminal.wait_exit() == 0
        assert "kept in plain text" in terminal.text
        assert code.encode() not in terminal.raw
    assert len(kept(home)) == 1


def test_without_a_terminal_or_a_server(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    assert cli.main(["join", "--url", "https://shop.example"]) == 2
    assert "--code-stdin" in capsys.readouterr().err
    assert cli.main(["join"]) == 2
    assert "Which server?" in capsys.readouterr().err
    type_in(monkeypatch, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    assert cli.main(["join", "--url", "http://127.0.0.1:1", "--code-stdin"]) == 1
    assert kept(home) == []
