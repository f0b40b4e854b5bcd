"""Endpoints and secrets: one spelling for each server, and no token in the clear or on show."""

from __future__ import annotations

import copy
import json
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile import SHORT
from tui.api.endpoint import Endpoint, normal_url
from tui.api.errors import StartError
from tui.api.secret import Secret


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://Shop.Example", "https://shop.example"),
        ("HTTPS://shop.example:443/", "https://shop.example"),
        ("https://shop.example:8443/bell/", "https://shop.example:8443/bell"),
        ("http://127.0.0.1:7373", "http://127.0.0.1:7373"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:7373/", "http://[::1]:7373"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
    ],
)
def test_a_url_has_one_spelling(given: str, normal: str) -> None:
    assert normal_url(given) == normal
    assert normal_url(normal) == normal
    assert Endpoint(url=given).key == normal


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example",
        "http://192.168.1.10:7373",
        "http://0.0.0.0",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://127.1",
        "http://2130706433",
        "http://[::ffff:10.0.0.1]",
    ],
)
def test_a_token_is_not_sent_in_the_clear_to_another_machine(url: str) -> None:
    with pytest.raises(StartError, match="in the clear"):
        Endpoint(url=url)


@pytest.mark.parametrize(
    "url",
    ["", "shop.example", "ftp://shop.example", "https://", "https:///x", "https://shop.example:99999", "https://[::1",
     "https://shop.example?x=1", "https://shop.example#x", "https://sh op.example", "https://shop.example\n",
     "https://shop.exämple", "https://shop.example\\@evil.example", "file:///etc/passwd",
     *[hostile.text for hostile in SHORT]],
)  # fmt: skip
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(StartError, match="is not a server's URL") as error:
        Endpoint(url=url)
    assert error.value.sentence.isprintable()


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(StartError, match="no name and no password") as error:
        Endpoint(url="https://jamie:hunter2@shop.example")
    assert "hunter2" not in str(error.value)


def test_a_url_or_a_socket() -> None:
    for both in ({}, {"url": "https://shop.example", "uds": Path("/x")}):
        with pytest.raises(StartError, match="one of the two"):
            Endpoint(**both)  # type: ignore[arg-type]
    endpoint = Endpoint(uds=Path("/run/bell.sock"))
    assert (endpoint.key, endpoint.label, endpoint.secure) == ("unix:/run/bell.sock", "/run/bell.sock", False)
    endpoint = Endpoint(url="https://shop.example:8443")
    assert (endpoint.label, endpoint.secure) == ("shop.example:8443", True)


class TestSecret:
    token = Secret("hunter2")

    def test_it_reveals_itself_only_on_request(self) -> None:
        assert self.token.reveal() == "hunter2"
        shown = f"{self.token} {self.token!r} {[self.token]} {Endpoint(url='https://x.example', token=self.token)}"
        assert shown.count("****") == 4

    def test_it_is_the_same_as_itself(self) -> None:
        assert self.token == Secret("hunter2")
        assert self.token != Secret("hunter3")
        assert self.token != "hunter2"
        assert len({self.token, Secret("hunter2")}) == 1

    def test_it_travels_nowhere(self) -> None:
        for send in (copy.copy, copy.deepcopy, json.dumps):
            with pytest.raises(TypeError) as error:
                send(self.token)
            assert "hunter2" not in "".join(traceback.format_exception(error.value))
        assert not hasattr(self.token, "__dict__")

    @pytest.mark.parametrize("text", ["", " ", "two words", "line\n", "käse", "x" * 513, "\x1b", None])
    def test_what_is_no_token_is_not_repeated(self, text: Any) -> None:
        with pytest.raises((ValueError, TypeError)) as error:
            Secret(text)
        assert not text or str(text) not in str(error.value) or text == " "
