"""The key on the machine itself: rotated, told by doctor, missed after a restore."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.app import boot
from server.cli import main
from server.kit.config import ServerConfig
from server.kit.crypto import KEY_FILE
from server.settings import service

TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOi"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop with a secret."""
    path = tmp_path / "data"
    assert main(["init", "--data", str(path)]) == 0
    with boot.checked_store(ServerConfig(data_dir=path)) as store:
        store.write(lambda tx: service.set_value(tx, "printify.token", TOKEN))
    return path


def opened(data: Path) -> str | None:
    with boot.checked_store(ServerConfig(data_dir=data)) as store:
        return store.read(lambda tx: service.secret(tx, "printify.token"))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(words)
    said = capsys.readouterr()
    assert TOKEN not in said.out + said.err
    return code, said.out, said.err


def test_a_shop_without_secrets_has_no_key(tmp_path: Path) -> None:
    assert main(["init", "--data", str(tmp_path / "data")]) == 0
    assert not (tmp_path / "data" / KEY_FILE).exists()


def test_rotate_seals_everything_anew_and_keeps_the_old_key(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (data / KEY_FILE).read_text()
    code, out, err = run(capsys, "key", "rotate", "--data", str(data))
    assert code == 0
    assert out.startswith("1 secret is sealed with the key ")
    assert "older backups need them" in err
    new, *old = (data / KEY_FILE).read_text().splitlines(keepends=True)
    assert "".join(old) == before
    assert opened(data) == TOKEN
    (data / KEY_FILE).write_text(new)
    assert opened(data) == TOKEN, "the new key alone is enough"


def test_a_key_from_outside_is_rotated_by_whoever_gives_it(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (data / KEY_FILE).read_text()
    monkeypatch.setenv("SHOPBELL_SECRET_KEY", "ab" * 32)
    code, _, err = run(capsys, "key", "rotate", "--data", str(data))
    assert (code, (data / KEY_FILE).read_text()) == (0, before)
    assert "SHOPBELL_SECRET_KEY" in err
    assert "abab" not in err
    (data / KEY_FILE).unlink()
    with boot.checked_store(ServerConfig(data_dir=data, secret_key="ab" * 32)) as store:
        assert store.read(lambda tx: service.secret(tx, "printify.token")) == TOKEN


def test_doctor_tells_the_key_and_what_it_opens(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "doctor", "--data", str(data))
    assert f"({data / KEY_FILE}), 1 stored, 1 open\n" in out
    assert (data / KEY_FILE).read_text().strip() not in out
    (data / KEY_FILE).rename(data / "elsewhere")
    code, out, _ = run(capsys, "doctor", "--data", str(data))
    assert code == 4
    assert "secrets: no key yet, 1 stored, 0 open" in out
    assert "! The setting printify.token cannot be decrypted" in out
    (data / "elsewhere").rename(data / KEY_FILE)
    (data / KEY_FILE).chmod(0o644)
    code, out, _ = run(capsys, "doctor", "--data", str(data))
    assert code == 4
    assert "secrets: no key (Others can read the key" in out


def test_a_restore_without_the_key_says_what_is_lost_and_works(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, elsewhere = tmp_path / "backup.db", tmp_path / "elsewhere"
    assert main(["backup", str(backup), "--data", str(data)]) == 0
    code, _, err = run(capsys, "restore", str(backup), "--data", str(elsewhere))
    assert code == 0
    assert "1 secret is unreadable with the key of this machine" in err
    assert not (elsewhere / KEY_FILE).exists()
    assert opened(elsewhere) is None
    (data / KEY_FILE).rename(elsewhere / KEY_FILE)
    code, _, err = run(capsys, "restore", str(backup), "--data", str(elsewhere))
    assert "unreadable" not in err
    assert opened(elsewhere) == TOKEN


def test_a_setting_of_the_environment_that_cannot_be_is_one_sentence(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPBELL_MAIL_SMTP_PORT", "many")
    code, _, err = run(capsys, "doctor", "--data", str(data))
    assert code == 3
    assert err == "shopbelld: SHOPBELL_MAIL_SMTP_PORT must be a port, 1 to 65,535.\n"
