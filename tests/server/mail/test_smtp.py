"""Handing a mail over to a real mail server, and every way in which that goes wrong."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from server.mail.composing import compose
from server.mail.message import Composed, MailServerError, Message, Sender
from server.mail.message import MailServer as Server
from server.mail.smtp import send
from server.practice.mail_server import HOST, MailServer

PASSWORD = "Pässwörd-17 hunter"


def a_mail(to: str = "mary@example.com", text: str = "Hello\n.\n.leading dot\nFrom me\n") -> Message:
    sender = Sender("Wool & Co", "shop@example.com")
    return compose(Composed("A mail", text), sender=sender, to=to, message_id="<1@example.com>", at=0)


def at(running: MailServer, **changed: Any) -> Server:
    return Server(HOST, running.port, **({"security": running.security, "each_seconds": 5.0} | changed))


@pytest.fixture
def plain() -> Iterator[MailServer]:
    """A mail server without encryption."""
    with MailServer() as running:
        yield running


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_arrives_as_it_left(security: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer(security) as running:
        if security != "none":
            monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        mail = a_mail()
        send(at(running), mail)
        taken = running.wait(1)[0]
    assert (taken.sender, taken.recipient) == ("shop@example.com", "mary@example.com")
    assert taken.content == mail.content
    assert taken.text == "Hello\n.\n.leading dot\nFrom me\n"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_gets_no_mail(security: Any) -> None:
    with MailServer(security, login=("shop", PASSWORD)) as running:
        with pytest.raises(MailServerError, match="certificate that cannot be trusted") as caught:
            send(at(running, username="shop", password=PASSWORD), a_mail())
        assert not caught.value.unknown
        assert running.logins == []
        assert running.taken == []


def test_a_server_without_starttls_gets_no_mail_and_no_password(plain: MailServer) -> None:
    server = at(plain, security="starttls", username="shop", password=PASSWORD)
    with pytest.raises(MailServerError, match="offers no STARTTLS") as caught:
        send(server, a_mail())
    assert caught.value.permanent
    assert (plain.taken, plain.logins) == ([], [])


def test_a_password_never_leaves_the_machine_unencrypted() -> None:
    server = Server("mail.example.com", 25, "none", "shop", PASSWORD)
    with pytest.raises(MailServerError, match="password unencrypted") as caught:
        send(server, a_mail())
    assert caught.value.permanent


def test_a_login_in_letters_of_any_script(monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer("starttls", login=("shöp", PASSWORD)) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        send(at(running, username="shöp", password=PASSWORD), a_mail())
        assert len(running.taken) == 1


def test_a_refused_login_says_so_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer("starttls", login=("shop", "another")) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        with pytest.raises(MailServerError, match="refused the login: 535") as caught:
            send(at(running, username="shop", password=PASSWORD), a_mail())
        assert len(running.logins) == 1, "a wrong password is tried once: more of it locks accounts"
    assert caught.value.permanent
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(at_any())
    for secret in (PASSWORD, base64.b64encode(f"\0shop\0{PASSWORD}".encode()).decode()):
        assert secret not in told


def test_who_does_not_log_in_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with MailServer("tls", login=("shop", PASSWORD)) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        with pytest.raises(MailServerError, match="refused the sender: 530"):
            send(at(running), a_mail())
        send(at(running, username="shop", password=PASSWORD), a_mail())
        assert len(running.taken) == 1


def at_any() -> Server:
    return Server("mail.example.com", username="shop", password=PASSWORD)


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ("550 5.1.1 No such user", True),
        ("452 4.2.2 Mailbox full", False),
        ("599 x", True),
        ("421 busy", False),
    ],
)
def test_a_refused_recipient(plain: MailServer, answer: str, permanent: bool) -> None:
    plain.refuse("mary@example.com", answer)
    with pytest.raises(MailServerError, match="refused the recipient") as caught:
        send(at(plain), a_mail())
    assert (caught.value.permanent, caught.value.unknown) == (permanent, False)
    assert plain.taken == []
    plain.refuse("mary@example.com", "")
    send(at(plain), a_mail())
    assert len(plain.taken) == 1


def test_what_the_server_says_is_kept_without_addresses_and_controls(plain: MailServer) -> None:
    plain.refuse(
        "mary@example.com", "550 <MARY@example.com>: also bob@other.example\x1b[31m\tis " + "long " * 200
    )
    with pytest.raises(MailServerError) as caught:
        send(at(plain), a_mail())
    reason = caught.value.reason
    assert "@" not in reason
    assert "\x1b" not in reason
    assert "⟨address⟩" in reason
    assert len(reason) < 400


def test_greylisting_is_no_refusal(plain: MailServer) -> None:
    plain.greylist("mary@example.com")
    with pytest.raises(MailServerError, match="451") as caught:
        send(at(plain), a_mail())
    assert not caught.value.permanent
    send(at(plain), a_mail())
    assert len(plain.taken) == 1


def test_refused_after_the_mail_is_a_clear_no(plain: MailServer) -> None:
    plain.next("refuse_after")
    with pytest.raises(MailServerError, match="refused the mail: 554") as caught:
        send(at(plain), a_mail())
    assert (caught.value.permanent, caught.value.unknown) == (True, False)


@pytest.mark.parametrize(("trouble", "took"), [("drop_before", 0), ("drop_after", 1)])
def test_dropped_after_the_mail_is_not_known(plain: MailServer, trouble: Any, took: int) -> None:
    plain.next(trouble)
    with pytest.raises(MailServerError, match="not known") as caught:
        send(at(plain), a_mail())
    assert (caught.value.permanent, caught.value.unknown) == (False, True)
    assert len(plain.taken) == took


@pytest.mark.parametrize("changed", [{"each_seconds": 0.2}, {"all_seconds": 0.2}])
def test_a_server_that_never_answers_is_left(plain: MailServer, changed: dict[str, float]) -> None:
    plain.next("silent")
    with pytest.raises(MailServerError, match="did not answer in time") as caught:
        send(at(plain, **changed), a_mail())
    assert caught.value.unknown


def test_nothing_leaves_when_the_last_word_is_no(plain: MailServer) -> None:
    class StopError(Exception):
        pass

    def stop() -> None:
        assert plain.taken == []
        raise StopError

    with pytest.raises(StopError):
        send(at(plain), a_mail(), before_data=stop)
    assert plain.taken == []


def test_the_last_word_is_asked_after_the_recipient_was_taken(plain: MailServer) -> None:
    asked: list[int] = []
    plain.greylist("mary@example.com")
    with pytest.raises(MailServerError):
        send(at(plain), a_mail(), before_data=lambda: asked.append(1))
    assert asked == []
    send(at(plain), a_mail(), before_data=lambda: asked.append(1))
    assert asked == [1]


def test_nobody_there() -> None:
    with contextlib.closing(socket.create_server((HOST, 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(MailServerError, match="cannot be reached") as caught:
        send(Server(HOST, port, "none"), a_mail())
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>",
        b"",
        b"220 hello\r\n<html>\r\n",
        b"220 hello\r\n250 half an ans",
        b"x" * 20_000,
        b"220 \xff\xfe\r\n500 \xff\r\n421 \x80 go away\r\n",
    ],
    ids=["html", "nothing", "html-later", "half", "endless-line", "not-utf8"],
)
def test_something_that_is_no_mail_server(said: bytes) -> None:
    with talking(said) as port, pytest.raises(MailServerError) as caught:
        send(Server(HOST, port, "none", each_seconds=5.0), a_mail())
    assert not caught.value.unknown
    assert str(port) in caught.value.reason


@contextlib.contextmanager
def talking(said: bytes) -> Iterator[int]:
    """Something that says that to whoever comes, and hangs up."""
    with contextlib.closing(socket.create_server((HOST, 0))) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                peer, _ = listening.accept()
                with peer:
                    peer.sendall(said)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(4096):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
    thread.join(10)


def test_an_address_of_another_script() -> None:
    with MailServer(utf8=True) as running:
        send(at(running), a_mail("мария@пример.example"))
        assert running.taken[0].recipient == "мария@xn--e1afmkfd.example"
        assert running.taken[0].message["To"] == "мария@xn--e1afmkfd.example"
    with MailServer(utf8=False) as running:
        with pytest.raises(MailServerError, match="SMTPUTF8") as caught:
            send(at(running), a_mail("мария@example.com"))
        assert caught.value.permanent
