"""Secrets at rest: only the right key opens, only under the right name, and a lost key harms nothing else."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from server.kit.config import ConfigError, ServerConfig
from server.kit.crypto import (
    CREDENTIAL,
    KEY_FILE,
    Key,
    KeyRing,
    KeyTroubleError,
    SecretBox,
    UnreadableError,
    key_id_of,
    read_keys,
    ring_of,
)

PLAIN = "sk_very_secret_£_ключ"
OLD, NEW = Key.of(b"o" * 32), Key.of(b"n" * 32)


def test_what_was_sealed_opens_again_and_looks_like_nothing() -> None:
    box = SecretBox(KeyRing([OLD]))
    sealed = box.seal("printify.token", PLAIN)
    assert box.open("printify.token", sealed) == PLAIN
    assert sealed.isascii()
    assert key_id_of(sealed) == OLD.id
    assert PLAIN.encode() not in base64.urlsafe_b64decode(sealed.split(":")[2])
    assert box.seal("printify.token", PLAIN) != sealed, "the nonce is new each time"


def test_a_text_moved_to_another_name_opens_no_more() -> None:
    box = SecretBox(KeyRing([OLD]))
    sealed = box.seal("printify.token", PLAIN)
    with pytest.raises(UnreadableError):
        box.open("printful.token", sealed)


def test_another_version_of_the_format_is_not_taken_for_this_one() -> None:
    box = SecretBox(KeyRing([OLD]))
    with pytest.raises(UnreadableError):
        box.open("a", box.seal("a", PLAIN).replace("v1:", "v2:"))


def test_every_changed_sign_is_noticed() -> None:
    box = SecretBox(KeyRing([OLD]))
    sealed = box.seal("a", "12345678")
    head = len(f"v1:{OLD.id}:")
    raw = bytearray(base64.urlsafe_b64decode(sealed[head:]))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(UnreadableError):
            box.open("a", sealed[:head] + base64.urlsafe_b64encode(changed).decode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1",
        "plain text",
        "v1::",
        f"v1:{OLD.id}:",
        f"v1:{OLD.id}:AAAA",
        f"v1:{OLD.id}:AAAAA",
        f"v1:{OLD.id}:é",
    ],
)
def test_what_was_never_sealed_is_unreadable_and_nothing_worse(text: str) -> None:
    with pytest.raises(UnreadableError):
        SecretBox(KeyRing([OLD])).open("a", text)


def test_the_first_key_seals_and_all_of_them_open() -> None:
    before = SecretBox(KeyRing([OLD])).seal("a", PLAIN)
    box = SecretBox(KeyRing([NEW, OLD]))
    assert box.open("a", before) == PLAIN
    assert key_id_of(box.seal("a", PLAIN)) == NEW.id
    with pytest.raises(UnreadableError):
        SecretBox(KeyRing([NEW])).open("a", before)


def test_without_a_key_or_a_place_for_one_nothing_is_sealed() -> None:
    with pytest.raises(KeyTroubleError, match="no key"):
        SecretBox().seal("a", PLAIN)


def test_the_key_file_is_made_at_first_need_for_its_owner_alone(tmp_path: Path) -> None:
    box = SecretBox(KeyRing(file=tmp_path / KEY_FILE))
    with pytest.raises(UnreadableError):
        box.open("a", SecretBox(KeyRing([OLD])).seal("a", PLAIN))
    assert list(tmp_path.iterdir()) == []
    sealed = box.seal("a", PLAIN)
    (file,) = tmp_path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == (KEY_FILE, 0o600)
    assert SecretBox(KeyRing(file=file)).open("a", sealed) == PLAIN


def test_many_that_need_the_first_key_at_once_agree_on_one(tmp_path: Path) -> None:
    rings = [KeyRing(file=tmp_path / KEY_FILE) for _ in range(8)]
    start, ids = threading.Barrier(8), []

    def make(ring: KeyRing) -> None:
        start.wait()
        ids.append(ring.current().id)

    threads = [threading.Thread(target=make, args=[ring]) for ring in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_rotated_file_is_seen_by_whoever_read_it_before(tmp_path: Path) -> None:
    serving, rotating = KeyRing(file=tmp_path / KEY_FILE), KeyRing(file=tmp_path / KEY_FILE)
    before = SecretBox(serving).seal("a", PLAIN)
    rotating.add(NEW)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert serving.current() == NEW, "nothing is sealed with the old key any more"
    assert SecretBox(serving).open("a", SecretBox(rotating).seal("a", PLAIN)) == PLAIN
    assert SecretBox(rotating).open("a", before) == PLAIN


def test_a_key_file_that_goes_away_takes_nothing_from_who_knows_it(tmp_path: Path) -> None:
    ring = KeyRing(file=tmp_path / KEY_FILE)
    sealed = SecretBox(ring).seal("a", PLAIN)
    (tmp_path / KEY_FILE).unlink()
    assert SecretBox(ring).open("a", sealed) == PLAIN


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / KEY_FILE
    sealed = SecretBox(KeyRing(file=file)).seal("a", PLAIN)
    file.chmod(mode)
    with pytest.raises(KeyTroubleError, match="chmod 600"):
        KeyRing(file=file).current()
    with pytest.raises(UnreadableError):
        SecretBox(KeyRing(file=file)).open("a", sealed)


def test_a_key_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    KeyRing(file=tmp_path / "elsewhere").current()
    (tmp_path / KEY_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyTroubleError, match="must be a file"):
        KeyRing(file=tmp_path / KEY_FILE).current()


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "0" * 63, "0" * 65, "0" * 64 + " x", "\ufffd" * 64])
def test_a_text_that_holds_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(KeyTroubleError) as caught:
        read_keys(text, "The file")
    assert "64 hexadecimal digits" in str(caught.value)
    assert not text or text not in str(caught.value)


def test_a_key_is_in_no_repr() -> None:
    ring = KeyRing([OLD])
    for shown in (repr(OLD), repr(ring), repr(SecretBox(ring)), str(ring.known())):
        assert "oooo" not in shown
        assert OLD.material.hex() not in shown


class TestWhereTheKeyComesFrom:
    def config(self, tmp_path: Path, **given: object) -> ServerConfig:
        return ServerConfig(data_dir=tmp_path, **given)  # type: ignore[arg-type]

    def test_credential_then_file_then_variable_then_data_directory(self, tmp_path: Path) -> None:
        keys = [Key.of(bytes([number]) * 32) for number in range(4)]
        credentials, named = tmp_path / "credentials", tmp_path / "named"
        credentials.mkdir()
        (credentials / CREDENTIAL).write_text(keys[0].material.hex())
        named.write_text(keys[1].material.hex() + "\n")
        named.chmod(0o600)
        (tmp_path / KEY_FILE).write_text(keys[3].material.hex())
        (tmp_path / KEY_FILE).chmod(0o600)
        given: dict[str, object] = {
            "credentials_dir": credentials,
            "secret_key_file": named,
            "secret_key": keys[2].material.hex(),
        }
        for name, key in zip([*given, None], keys, strict=True):
            ring = ring_of(self.config(tmp_path, **given))
            assert ring.current() == key
            assert ring.known()[-1] == keys[3], "what the shop's own key sealed still opens"
            if name is not None:
                given.pop(name)

    def test_credentials_of_other_services_are_no_key(self, tmp_path: Path) -> None:
        ring = ring_of(self.config(tmp_path, credentials_dir=tmp_path))
        assert ring.given == ()

    def test_several_lines_are_several_keys(self, tmp_path: Path) -> None:
        text = f"{NEW.material.hex()}\n{OLD.material.hex()}\n"
        assert ring_of(self.config(tmp_path, secret_key=text)).given == (NEW, OLD)

    @pytest.mark.parametrize("text", ["password", "0" * 63])
    def test_a_key_that_is_none_stops_the_server(self, tmp_path: Path, text: str) -> None:
        named = tmp_path / "named"
        named.write_text(text)
        named.chmod(0o600)
        for given in ({"secret_key": text}, {"secret_key_file": named}):
            with pytest.raises(ConfigError, match="64 hexadecimal") as caught:
                ring_of(self.config(tmp_path, **given))
            assert text not in str(caught.value)

    def test_a_named_file_must_be_there_and_closed(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read"):
            ring_of(self.config(tmp_path, secret_key_file=tmp_path / "none"))
        open_to_all = tmp_path / "open"
        open_to_all.write_text(OLD.material.hex())
        open_to_all.chmod(0o644)
        with pytest.raises(ConfigError, match="chmod 600"):
            ring_of(self.config(tmp_path, secret_key_file=open_to_all))


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys, server.app.assembly, server.app.running\n"
        "from server.settings import service\n"
        "print('cryptography.hazmat.primitives.ciphers.aead' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
