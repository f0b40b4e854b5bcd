"""Tokens: the order of the places they come from, keyrings that lie, lock or hang, and the file."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from tui.api import keyring_child
from tui.api.config import Environment
from tui.api.credentials import Keyring, TokenStore, find_token, read_token
from tui.api.errors import CredentialError, UnsafePath
from tui.api.secret import Secret

SERVER = "https://shop.example"
TOKEN = Secret("hunter2")
OTHER = Secret("hunter3")


def child(tmp_path: Path, script: str) -> Sequence[str]:
    """A child process that does as the script says; it finds the question in ``asked``."""
    path = tmp_path / "child.py"
    path.write_text(f"import json, sys, time\nasked = json.loads(sys.stdin.read())\n{script}\n")
    return [sys.executable, str(path)]


MEMORY = """
from pathlib import Path
path = Path(__file__).with_name("memory.json")
memory = json.loads(path.read_text()) if path.exists() else {}
said = {"status": "ok", "backend": "SecretService"}
if asked["do"] == "set":
    memory[asked["name"]] = asked["secret"]
elif asked["name"] not in memory:
    said["status"] = "missing"
elif asked["do"] == "get":
    said["secret"] = memory[asked["name"]]
else:
    del memory[asked["name"]]
path.write_text(json.dumps(memory))
print(json.dumps(said))
"""


@pytest.fixture
def with_keyring(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "state" / "tokens", Keyring(child(tmp_path, MEMORY)))


@pytest.fixture
def without_keyring(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "state" / "tokens", Keyring([str(tmp_path / "no such program")]))


def files(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "state" / "tokens").glob("*"))


def test_a_keyring_keeps_one_token_for_each_server(with_keyring: TokenStore, tmp_path: Path) -> None:
    said = with_keyring.keep(SERVER, TOKEN)
    assert said == "The token is kept in the desktop's keyring (Secret Service)."
    with_keyring.keep("https://other.example", OTHER)
    found = with_keyring.find(SERVER)
    assert found is not None
    assert (found.token, found.origin) == (TOKEN, "the system's keyring")
    assert files(tmp_path) == []
    assert with_keyring.forget(SERVER) == ["the system's keyring"]
    assert with_keyring.find(SERVER) is None
    assert with_keyring.find("https://other.example") is not None
    assert with_keyring.forget(SERVER) == []


def test_without_a_keyring_a_file_keeps_it_and_that_is_said(
    without_keyring: TokenStore, tmp_path: Path
) -> None:
    said = without_keyring.keep(SERVER, TOKEN)
    [path] = files(tmp_path)
    assert said == (
        f"The token is kept in plain text in {path} (only you can read it): no keyring is at hand here."
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
    found = without_keyring.find(SERVER)
    assert found is not None
    assert (found.token, found.origin) == (TOKEN, f"the file {path}")
    without_keyring.keep(SERVER, OTHER)
    without_keyring.keep("unix:/run/bell.sock", TOKEN)
    assert len(files(tmp_path)) == 2
    assert without_keyring.forget(SERVER) == ["the token file"]
    assert without_keyring.find(SERVER) is None


def test_a_keyring_that_takes_the_token_makes_the_file_go(
    with_keyring: TokenStore, without_keyring: TokenStore, tmp_path: Path
) -> None:
    without_keyring.keep(SERVER, OTHER)
    with_keyring.keep(SERVER, TOKEN)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('print(json.dumps({"status": "locked"}))', "the keyring is locked"),
        ('print(json.dumps({"status": "lost"}))', "the keyring did not keep it"),
        ('print(json.dumps({"status": "failed"}))', "the keyring failed"),
        ('print(json.dumps({"status": "none"}))', "no keyring is at hand"),
        ('print("Please enter your password:")', "the keyring failed"),
        ("print([])", "the keyring failed"),
        ('print(json.dumps({"status": 5}))', "the keyring failed"),
        ("sys.exit(1)", "the keyring failed"),
        ("raise RuntimeError(asked)", "the keyring failed"),
    ],
)
def test_a_keyring_that_fails_is_replaced_by_the_file(tmp_path: Path, script: str, why: str) -> None:
    store = TokenStore(tmp_path / "state" / "tokens", Keyring(child(tmp_path, script)))
    assert why in store.keep(SERVER, TOKEN)
    found = store.find(SERVER)
    assert found is not None
    assert found.token == TOKEN


def test_a_keyring_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = """
import subprocess
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(__file__ + ".pid", "w").write(str(helper.pid))
time.sleep(600)
"""
    store = TokenStore(tmp_path / "state" / "tokens", Keyring(child(tmp_path, script), limit=1.0))
    assert "did not answer within" in store.keep(SERVER, TOKEN)
    pid = int((tmp_path / "child.py.pid").read_text())
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_keyring_can_neither_read_nor_write_on_the_terminal(tmp_path: Path, capfd: Any) -> None:
    script = """
sys.stderr.write("Warning: a prompt")
try:
    open("/dev/tty", "w").write("prompt")
    said = "had a terminal"
except OSError:
    said = "ok"
print(json.dumps({"status": said, "backend": "macOS"}))
"""
    status, name = Keyring(child(tmp_path, script)).set(SERVER, TOKEN)
    assert (status, name) == ("ok", "the macOS keychain")
    assert capfd.readouterr() == ("", "")


def test_a_token_that_may_still_be_in_a_locked_keyring_is_said(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "s", Keyring(child(tmp_path, 'print(json.dumps({"status": "locked"}))')))
    with pytest.raises(CredentialError, match="may still hold the token: the keyring is locked"):
        store.forget(SERVER)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"hunter2", b'{"server": "https://evil.example", "token": "hunter2"}',
                b'{"server": "https://shop.example", "token": 5}', b'{"server": "https://shop.example", "token": ""}']
)  # fmt: skip
def test_a_file_that_holds_something_else(
    without_keyring: TokenStore, tmp_path: Path, content: bytes
) -> None:
    without_keyring.keep(SERVER, TOKEN)
    [path] = files(tmp_path)
    path.write_bytes(content)
    with pytest.raises(CredentialError, match="holds no token. Run `shopbell login` again"):  # noqa: RUF043
        without_keyring.find(SERVER)


def test_a_file_that_others_can_read_is_refused(without_keyring: TokenStore, tmp_path: Path) -> None:
    without_keyring.keep(SERVER, TOKEN)
    files(tmp_path)[0].chmod(0o644)
    with pytest.raises(UnsafePath, match="chmod 600"):
        without_keyring.find(SERVER)


def test_the_order_of_the_places(
    with_keyring: TokenStore, without_keyring: TokenStore, tmp_path: Path
) -> None:
    with pytest.raises(CredentialError, match=r"no token for https://shop\.example\. Run `shopbell login`"):
        find_token(SERVER, Environment(), with_keyring)
    without_keyring.keep(SERVER, Secret("from-file"))
    assert find_token(SERVER, Environment(), with_keyring).token.reveal() == "from-file"
    with_keyring._keyring.set(SERVER, Secret("from-keyring"))
    assert find_token(SERVER, Environment(), with_keyring).token.reveal() == "from-keyring"
    path = tmp_path / "token"
    path.write_text("from-token-file\n")
    path.chmod(0o600)
    environment = Environment(token_file=path)
    assert find_token(SERVER, environment, with_keyring).token.reveal() == "from-token-file"
    environment = Environment(token=Secret("from-environment"), token_file=path)
    found = find_token(SERVER, environment, with_keyring)
    assert (found.token.reveal(), found.origin) == ("from-environment", "SHOPBELL_TOKEN")


def test_a_token_file_that_is_none(without_keyring: TokenStore, tmp_path: Path) -> None:
    path = tmp_path / "token"
    with pytest.raises(CredentialError, match="it is not there"):
        find_token(SERVER, Environment(token_file=path), without_keyring)
    for content in (b"", b"two words", b"\xff", "käse".encode()):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(CredentialError, match="holds no token"):
            find_token(SERVER, Environment(token_file=path), without_keyring)
    path.chmod(0o640)
    with pytest.raises(UnsafePath, match="others may read it"):
        find_token(SERVER, Environment(token_file=path), without_keyring)


def test_a_token_on_standard_input() -> None:
    assert read_token(io.StringIO("hunter2\n")) == TOKEN
    for text in ("", "\n", "two words", "x" * 5000, "a\nb"):
        with pytest.raises(CredentialError) as error:
            read_token(io.StringIO(text))
        assert not text.strip() or text.strip() not in error.value.sentence


class Memory(KeyringBackend):
    """A keyring for the child's own tests."""

    priority = 1

    def __init__(self, *, forgetful: bool = False, locked: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.forgetful = forgetful
        self.locked = locked

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("hunter2")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgetful:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def ask(do: str, **more: str) -> dict[str, Any]:
    return {"do": do, "service": "shopbell", "name": SERVER} | more


def test_the_child_reads_back_what_it_wrote() -> None:
    memory = Memory()
    assert keyring_child.answer(ask("get"), memory)["status"] == "missing"
    assert keyring_child.answer(ask("delete"), memory)["status"] == "missing"
    assert keyring_child.answer(ask("set", secret="hunter2"), memory)["status"] == "ok"
    assert keyring_child.answer(ask("get"), memory)["secret"] == "hunter2"
    assert keyring_child.answer(ask("delete"), memory)["status"] == "ok"
    assert memory.kept == {}
    assert keyring_child.answer(ask("set", secret="hunter2"), Memory(forgetful=True))["status"] == "lost"
    assert keyring_child.answer(ask("get"), None) == {"status": "none"}


class Better(Memory):
    priority = 2


def test_the_best_known_keyring_that_works_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Memory.__module__
    names = (f"{here}.Memory", f"{here}.Better", f"{here}.Missing", "no.such.module.Keyring")
    monkeypatch.setattr(keyring_child, "KNOWN", names)
    assert type(keyring_child.best(None)).__name__ == "Better"
    assert type(keyring_child.best(f"{here}.Memory")).__name__ == "Memory"
    assert keyring_child.best(f"{here}.Missing") is None


@pytest.mark.parametrize(
    "backend",
    ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "keyrings.alt.file.PlaintextKeyring"],
)
def test_only_keyrings_that_keep_secrets_are_used(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert keyring_child.best(backend) is None
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    assert Keyring().set(SERVER, TOKEN)[0] == "none"


def test_without_a_desktop_the_real_child_finds_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    assert Keyring(limit=20.0).get(SERVER) == ("none", None)


def test_what_the_child_fails_with_is_not_repeated(tmp_path: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(keyring_child.__file__).parent)!r})
import keyring_child
class KeyringLocked(Exception): pass
def fail(*_): raise KeyringLocked("hunter2")
keyring_child.answer = fail
keyring_child.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(ask("get")),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"status": "locked"}
    assert done.stderr == ""


def test_the_token_is_in_no_command_line(tmp_path: Path) -> None:
    script = """
print(json.dumps({"status": "ok", "backend": " ".join(sys.argv) + open("/proc/self/cmdline").read()}))
"""
    keyring = Keyring(child(tmp_path, script))
    said = keyring._ask({"do": "set", "name": SERVER, "secret": TOKEN.reveal()})
    assert "hunter2" not in said["backend"]
    assert os.environ.get("SHOPBELL_TOKEN") is None
