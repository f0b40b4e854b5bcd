"""shopbelld from the command line: what it prints, what it answers, and one sentence for everything that is wrong."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from server import cli
from server.kit.db import open_store
from server.kit.sqlite import driver
from tests.support.shopbelld import ROOT, Shopbelld
from tests.support.waiting import until

TOKEN = re.compile(r"sbl_pat_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}\n")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory that is not there yet; the commands run in this process."""
    for name in [name for name in os.environ if name.startswith("SHOPBELL_")]:
        monkeypatch.delenv(name)
    before = os.umask(0o077)
    yield tmp_path / "shop"
    os.umask(before)


class Said:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


Command = Callable[..., Said]
"""Runs shopbelld with these arguments, and its data directory."""


@pytest.fixture
def shopbelld(data: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> Said:
        code = cli.main([*arguments, "--data", str(data)])
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return run


def one_sentence(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said.err
    assert said.out == "" or re.fullmatch(
        r"shopbell .*, Python .*, schema .*\n", said.out
    )  # the doctor's first line
    (line,) = said.err.splitlines()
    assert line.startswith("shopbelld: ")
    assert "Traceback" not in line
    for word in words:
        assert word in line


# -- init -------------------------------------------------------------------------------------------------


def test_init_prints_the_owners_token_alone_and_once(shopbelld: Command, data: Path) -> None:
    said = shopbelld("init", "--owner-email", "Olive@Example.com", "--shop-name", "Petals")
    assert (said.code, said.err) == (0, "")
    assert TOKEN.fullmatch(said.out)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for path in data.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    before = (data / "shop.db").read_bytes()
    again = shopbelld("init", "--owner-email", "other@example.com", "--shop-name", "Taken over")
    assert (again.code, again.out) == (1, "")
    assert "Owner already; nothing was changed" in again.err
    assert (data / "shop.db").read_bytes() == before


def test_init_needs_no_email(shopbelld: Command, data: Path) -> None:
    assert TOKEN.fullmatch(shopbelld("init").out)
    store = open_store(None, data)
    assert store.read(lambda tx: tx.execute(text("SELECT email FROM person")).scalar()) == "owner@localhost"
    store.close()


def test_a_shop_name_that_cannot_be_makes_no_shop(shopbelld: Command) -> None:
    one_sentence(shopbelld("init", "--shop-name", " "), 1, "shop.name: must be 1 to 80")
    assert TOKEN.fullmatch(shopbelld("init").out), "nothing of the first try stands"


def test_a_dozen_inits_at_once_make_one_owner(data: Path) -> None:
    command = [sys.executable, "-m", "server.cli", "init", "--data", str(data)]
    racing = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outcomes = [process.communicate(timeout=60) for process in racing]
    assert sorted(process.returncode for process in racing) == [0, 1, 1, 1], outcomes
    assert len([out for out, _ in outcomes if TOKEN.fullmatch(out)]) == 1


# -- tokens and Owners ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "admin", "support", "readonly", "storefront"])
def test_a_token_of_each_role(shopbelld: Command, role: str) -> None:
    shopbelld("init")
    said = shopbelld("token", "create", "--role", role, "--name", "till", "--days", "366")
    assert (said.code, said.err) == (0, "")
    assert TOKEN.fullmatch(said.out)


def test_a_token_needs_its_owner_and_its_bounds(shopbelld: Command) -> None:
    create = ("token", "create", "--name", "till")
    one_sentence(shopbelld(*create, "--role", "support"), 3, "no Owner yet")
    shopbelld("init", "--owner-email", "olive@example.com")
    one_sentence(shopbelld(*create, "--role", "support", "--days", "367"), 1, "days: must be 1 to 366")
    one_sentence(
        shopbelld(*create, "--role", "support", "--user", "nobody@example.com"), 3, "nobody@example.com"
    )
    assert shopbelld(*create, "--role", "owner", "--user", "OLIVE@example.com").code == 0
    with pytest.raises(SystemExit) as caught:
        shopbelld(*create, "--role", "root")
    assert caught.value.code == 2


def test_a_token_stands_no_higher_than_its_user(shopbelld: Command, data: Path) -> None:
    shopbelld("init")
    shopbelld("owner", "add", "--owner-email", "second@example.com")
    store = open_store(None, data)
    store.write(
        lambda tx: (
            tx.execute(
                text("UPDATE account SET role = 'support' WHERE id = (SELECT max(id) FROM account)")
            ).rowcount
        )
    )
    store.close()
    create = ("token", "create", "--name", "till", "--user", "second@example.com")
    one_sentence(shopbelld(*create, "--role", "admin"), 3, "second@example.com is no admin")
    assert shopbelld(*create, "--role", "readonly").code == 0


def test_one_more_owner_in_an_emergency(shopbelld: Command) -> None:
    shopbelld("init", "--owner-email", "olive@example.com")
    assert TOKEN.fullmatch(shopbelld("owner", "add", "--owner-email", "second@example.com").out)
    one_sentence(shopbelld("owner", "add", "--owner-email", "Olive@example.com"), 1, "exists already")


# -- what is wrong before anything begins -----------------------------------------------------------------

COMMANDS = [
    ("init",),
    ("token", "create", "--role", "support", "--name", "n"),
    ("owner", "add", "--owner-email", "x@example.com"),
    ("prune",),
    ("doctor",),
    ("serve", "--port", "0"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
class TestEveryCommand:
    """Each fails with the same sentence, and changes nothing."""

    def test_a_directory_that_others_see(
        self, shopbelld: Command, data: Path, command: tuple[str, ...]
    ) -> None:
        data.mkdir()
        data.chmod(0o755)
        one_sentence(shopbelld(*command), 3, f"chmod 700 {data}")
        assert list(data.iterdir()) == []

    def test_a_directory_that_cannot_be(
        self, shopbelld: Command, data: Path, command: tuple[str, ...]
    ) -> None:
        data.write_text("a file")
        one_sentence(shopbelld(*command), 3, "cannot be made")

    def test_a_file_that_is_no_database(
        self, shopbelld: Command, data: Path, command: tuple[str, ...]
    ) -> None:
        data.mkdir(mode=0o700)
        (data / "shop.db").write_text("Dear shop,\n" * 1_000)
        one_sentence(shopbelld(*command), 4, "no SQLite database")

    def test_a_shop_of_a_newer_version(
        self, shopbelld: Command, data: Path, command: tuple[str, ...]
    ) -> None:
        shopbelld("init")
        store = open_store(None, data)
        store.write(lambda tx: tx.execute(text("UPDATE alembic_version SET version_num = '9999'")).rowcount)
        store.close()
        one_sentence(shopbelld(*command), 5, "newer shopbell", "9999")

    def test_a_shop_that_somebody_holds(
        self, shopbelld: Command, data: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from server.kit import checks

        monkeypatch.setattr(checks, "LOCK_SECONDS", 0.05)
        shopbelld("init")
        holder = driver.connect(data / "shop.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        one_sentence(shopbelld(*command), 4, "Another program holds")
        holder.close()

    def test_an_address_of_another_database(
        self, shopbelld: Command, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SHOPBELL_DATABASE_URL", "mysql://shop:very-secret@db/shop")
        said = shopbelld(*command)
        one_sentence(said, 3, "must begin with postgresql://")
        assert "very-secret" not in said.err

    def test_a_database_that_is_not_there(
        self, shopbelld: Command, tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = f"postgresql://shop:very-secret@/shop?host={tmp_path}"
        monkeypatch.setenv("SHOPBELL_DATABASE_URL", url)
        said = shopbelld(*command)
        one_sentence(said, 4, "does not answer")
        assert "very-secret" not in said.err


def test_a_host_that_is_none(shopbelld: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPBELL_ALLOWED_HOSTS", "https://shop.example.com")
    one_sentence(shopbelld("serve"), 3, "SHOPBELL_ALLOWED_HOSTS")


def test_an_open_address_needs_its_hosts(shopbelld: Command) -> None:
    shopbelld("init")
    one_sentence(shopbelld("serve", "--host", "0.0.0.0", "--port", "0"), 3, "SHOPBELL_ALLOWED_HOSTS")  # noqa: S104


def test_a_mistake_of_the_program_shows_no_word_of_it(
    shopbelld: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError("very-secret")

    monkeypatch.setattr("server.app.boot.migrate", broken)
    said = shopbelld("init")
    one_sentence(said, 70, "LookupError in server/app/boot.py:")
    assert "very-secret" not in said.err


def test_help_is_quick_and_tells_the_exit_codes() -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nfrom server import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
            "heavy = {'fastapi', 'sqlalchemy', 'pydantic', 'uvicorn', 'alembic', 'asyncio', 'httpx'}\n"
            "print('HEAVY', sorted(heavy & set(sys.modules)))",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert "HEAVY []" in loaded.stdout
    for code in (0, 1, 2, 3, 4, 5, 6, 70):
        assert re.search(rf"^  {code} ", loaded.stdout, re.MULTILINE), code
    for command in ("init", "serve", "token", "prune", "backup", "restore", "doctor", "owner"):
        assert re.search(rf"^    {command} ", loaded.stdout, re.MULTILINE), command


# -- serving ----------------------------------------------------------------------------------------------


@pytest.fixture
def running(home: Path) -> Iterator[Shopbelld]:
    home.mkdir(parents=True, exist_ok=True)
    server = Shopbelld(home)
    yield server
    server.kill()


def test_serve_ends_cleanly_on_a_signal(running: Shopbelld) -> None:
    running.command("init")
    running.start()
    process = running._process
    assert process is not None
    assert running.uds.is_socket()
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - started < 5
    assert not running.uds.exists()
    assert not (running.data / "shop.db-wal").exists(), "the log was moved into the file"
    assert "Traceback" not in running.log.read_text()


def test_a_second_server_on_the_same_data_is_refused(running: Shopbelld) -> None:
    running.command("init")
    running.start()
    for command in (("serve", "--port", "0"), ("restore", "whatever")):
        second = subprocess.run(
            [sys.executable, "-m", "server.cli", *command, "--data", str(running.data)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 6
        assert second.stderr.startswith("shopbelld: A shopbelld is running on")
    with running.client() as client:
        assert client.get("/healthz").status_code == 200


def test_commands_work_beside_a_running_server(running: Shopbelld, tmp_path: Path) -> None:
    running.command("init")
    running.start()
    token = running.command("token", "create", "--role", "support", "--name", "desk").strip()
    with running.client() as client:
        me = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert me.json()["role"] == "support"
    assert "verified" in running.command("backup", str(tmp_path / "saved.db"))


def test_a_remote_shop_is_set_up_with_the_code_of_the_console(running: Shopbelld) -> None:
    running.start()
    file = running.data / "setup-code"
    code = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    until(lambda: code in running.log.read_text(), "the code on the console")
    with running.client() as client:
        assert client.get("/v1/me").status_code == 503
        made = client.post("/v1/setup", json={"code": code, "email": "olive@example.com"})
        assert made.status_code == 201
        headers = {"Authorization": f"Bearer {made.json()['token']}"}
        assert client.get("/v1/me", headers=headers).json()["user"]["email"] == "olive@example.com"
        assert client.post("/v1/setup", json={"code": code, "email": "x@example.com"}).status_code == 409
    running.kill()
    running.start()
    assert not file.exists(), "no code again once an Owner is there"
    with running.client() as client:
        assert client.get("/v1/me", headers=headers).status_code == 200
        assert client.post("/v1/setup", json={"code": code, "email": "x@example.com"}).status_code == 409


def test_the_log_holds_no_secret(running: Shopbelld) -> None:
    token = running.command("init").strip()
    running.start()
    with running.client() as client:
        for path in ("/v1/me", "/v1/nothing", f"/v1/users?cursor={token}", "/v1/users/%00"):
            client.get(path, headers={"Authorization": f"Bearer {token}"})
        with pytest.raises((httpx.RemoteProtocolError, httpx.LocalProtocolError)):
            client.get("/v1/me", headers={"Authorization": f"Bearer {token}\r\nX"})
    running.kill()
    assert token[17:49] not in running.log.read_text()
