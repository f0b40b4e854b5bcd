"""The config file and the environment: what they may say, and what is said about a mistake."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.api.config import Config, Environment, Profile, Ui, load, read_environment
from tui.api.errors import ConfigError
from tui.api.secret import Secret

WHOLE = """
default_profile = "shop"

[ui]
theme = "shopbell-light"
mouse = false
time = "relative"
ascii = true
poll_seconds = 2.5

[keys]
"move.top" = "g,home"
resolve = "x"

[profiles.shop]
url = "https://Shop.example/"
ca_file = "ca.pem"
theme = "ansi-dark"

[profiles.local]
url = "http://127.0.0.1:7373"
ca_file = "/etc/ca.pem"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_all_settings(file: Path) -> None:
    file.write_text(WHOLE)
    config = load(file)
    assert config == Config(
        path=file,
        ui=Ui(theme="shopbell-light", mouse=False, time="relative", ascii=True, poll_seconds=2.5),
        keys={"move.top": "g,home", "resolve": "x"},
        profiles={
            "shop": Profile("shop", "https://shop.example", file.parent / "ca.pem", "ansi-dark"),
            "local": Profile("local", "http://127.0.0.1:7373", Path("/etc/ca.pem")),
        },
        default_profile="shop",
    )
    assert config.profile("local").url == "http://127.0.0.1:7373"
    assert config.with_ui(ascii=False, theme="x").ui == Ui("x", False, "relative", False, 2.5)
    with pytest.raises(ConfigError, match=r"config.toml: profiles.other: .*there are: local, shop\."):
        config.profile("other")


def test_without_a_file_everything_has_a_default(home: Path) -> None:
    config = load()
    assert config == Config(home / "config" / "shopbell" / "config.toml")
    assert config.ui == Ui(theme="", mouse=True, time="clock", ascii=False, poll_seconds=5.0)
    config.path.parent.mkdir(parents=True)
    config.path.write_text("[ui]\nascii = true\n")
    assert load().ui.ascii


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("[ui]\ncolour = 1", "ui.colour", "there are: ascii, mouse, poll_seconds, theme, time"),
        ("colour = 1", "colour", "there are: default_profile, keys, profiles, ui"),
        ("ui = 5", "ui", "must be a table: [ui]"),
        ("[ui]\nmouse = 1", "ui.mouse", "must be true or false"),
        ('[ui]\nascii = "yes"', "ui.ascii", "must be true or false"),
        ('[ui]\ntime = "iso"', "ui.time", "must be one of: clock, relative, exact, utc"),
        ("[ui]\ntime = 5", "ui.time", "must be text in quotes"),
        ("[ui]\ntheme = true", "ui.theme", "must be text in quotes"),
        ("[ui]\npoll_seconds = 0.5", "ui.poll_seconds", "must be a number from 1 to 3600"),
        ("[ui]\npoll_seconds = nan", "ui.poll_seconds", "must be a number from 1 to 3600"),
        ("[ui]\npoll_seconds = true", "ui.poll_seconds", "must be a number from 1 to 3600"),
        ('[ui]\npoll_seconds = "5"', "ui.poll_seconds", "must be a number from 1 to 3600"),
        ("[keys]\nresolve = 5", "keys.resolve", "must be text in quotes"),
        ('[keys]\nresolve = " "', "keys.resolve", "must be text in quotes"),
        ('[keys]\n"Re solve" = "x"', "keys.Re solve", "is no command's id"),
        ("[keys.move]\ntop = 'g'", "keys.move", "must be text in quotes"),
        ("[profiles.shop]", "profiles.shop.url", "must be text in quotes"),
        ("[profiles.shop]\nurl = 'shop.example'", "profiles.shop.url", "is not a server's URL"),
        ("[profiles.shop]\nurl = 'http://shop.example'", "profiles.shop.url", "in the clear"),
        (
            "[profiles.shop]\nurl = 'https://x.example'\ntoken = 'x'",
            "profiles.shop.token",
            "there are: ca_file",
        ),
        ("[profiles.'a b']\nurl = 'https://x.example'", "profiles.a b", "1 to 40 letters"),
        ("[profiles]\nshop = 1", "profiles.shop", "must be a table: [profiles.shop]"),
        ("default_profile = 'x'", "default_profile", "must be one of: none yet"),
        (
            "default_profile = 'x'\n[profiles.a]\nurl='https://x.example'",
            "default_profile",
            "must be one of: a",
        ),
    ],
)
def test_every_mistake_names_the_file_the_key_and_what_is_allowed(
    file: Path, text: str, key: str, allowed: str
) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(file)
    assert error.value.key == key
    assert error.value.sentence.startswith(f"{file}: {key}: ")
    assert allowed in error.value.sentence


def test_a_file_that_cannot_be_read_as_one(file: Path) -> None:
    with pytest.raises(ConfigError, match="SHOPBELL_CONFIG names this file"):
        load(file)
    for content, wrong in (
        (b"[ui\nmouse", "is not TOML: .*line 1"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"a = " + b"[" * 100_000, "is not TOML"),
        (b"#" * 1_048_577, "larger than 1 MiB"),
        (b'"\x1b]52;c;x\x07" = 1\n', "is not TOML"),
        (b'"\\u001b]52;c;x" = 1\n', "␛]52;c;x"),
    ):
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=wrong) as error:
            load(file)
        assert error.value.sentence.isprintable()
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(file)


@given(st.binary(max_size=200))
def test_whatever_the_file_holds_it_is_settings_or_a_config_error(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file, contextlib.suppress(ConfigError):
        file.write(content)
        file.flush()
        assert isinstance(load(Path(file.name)), Config)


def test_the_environment() -> None:
    environ = {
        "SHOPBELL_CONFIG": "~/c.toml",
        "SHOPBELL_DATA": "/data",
        "SHOPBELL_URL": "https://shop.example",
        "SHOPBELL_TOKEN": " hunter2\n",
        "SHOPBELL_TOKEN_FILE": "/run/token",
        "OTHER": "x",
    }
    environment = read_environment(environ)
    assert environment == Environment(
        config=Path.home() / "c.toml",
        data=Path("/data"),
        url="https://shop.example",
        token=Secret("hunter2"),
        token_file=Path("/run/token"),
    )
    assert "SHOPBELL_TOKEN" not in environ, "no child process may inherit it"
    assert "hunter2" not in repr(environment)
    assert read_environment({"SHOPBELL_TOKEN": "", "SHOPBELL_URL": ""}) == Environment()


def test_a_token_of_the_environment_that_is_none_is_taken_out_all_the_same() -> None:
    environ = {"SHOPBELL_TOKEN": "two words"}
    with pytest.raises(ConfigError, match="SHOPBELL_TOKEN: that is not a token") as error:
        read_environment(environ)
    assert "two words" not in error.value.sentence
    assert environ == {}
