"""Handing a mail to a mail server: encrypted unless the shop says otherwise, in bounded time, once per call.

What goes wrong is one of three: the server refuses it for good, it may take it later, or nobody knows whether it took
it. No error of this module holds a password or anybody's address.
"""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Final

from server.kit.folding import clean_text
from server.mail.message import MailServer, MailServerError, Message

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_ADDRESS: Final = re.compile(r"[^\s@<>()\"',;:]+@[^\s@<>()\"',;:]+")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_MOST_WORDS: Final = 300


def send(server: MailServer, message: Message, *, before_data: Callable[[], None] | None = None) -> None:
    """Hand a mail over; returns once the server said that it has it.

    Args:
        server: whom to hand it to.
        message: the mail.
        before_data: called when the server agreed to everything but the mail itself; nothing has left before. What
            it raises goes on up, and nothing leaves.

    Raises:
        MailServerError: it was not taken, or nobody knows.
    """
    handing = _Handing(server, message)
    try:
        handing.over(before_data)
    except smtplib.SMTPResponseException as refused:
        raise handing.refused(refused.smtp_code, refused.smtp_error) from None
    except ssl.SSLCertVerificationError as error:
        raise handing.failed(f"shows a certificate that cannot be trusted: {error.verify_message}") from None
    except ssl.SSLError:
        raise handing.failed("broke off the encryption") from None
    except TimeoutError:
        raise handing.failed("did not answer in time") from None
    except socket.gaierror:
        raise handing.failed("is not known to the name service") from None
    except smtplib.SMTPServerDisconnected as error:
        late = handing.late or isinstance(error.__context__, TimeoutError)
        raise handing.failed("did not answer in time" if late else "broke off the connection") from None
    except OSError as error:
        raise handing.failed(f"cannot be reached: {error.strerror or type(error).__name__}") from None
    except smtplib.SMTPException as error:
        raise handing.failed(f"says what no mail server says ({type(error).__name__})") from None


class _Client(smtplib.SMTP):
    """smtplib over a connection that stands already."""

    def __init__(self, host: str, port: int, opened: socket.socket, name: str, timeout: float) -> None:
        self._opened = opened
        super().__init__(host, port, local_hostname=name, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - smtplib calls it
        return self._opened


class _Handing:
    """One mail on its way."""

    def __init__(self, server: MailServer, message: Message) -> None:
        self._server = server
        self._message = message
        self._step = "the connection"
        self._given = False
        self.late = False

    def over(self, before_data: Callable[[], None] | None) -> None:
        """Do it, or raise what smtplib and the system raise."""
        server, message = self._server, self._message
        if server.password and server.security == "none" and server.host not in _LOOPBACK:
            raise self.failed(
                "would be sent the password unencrypted: choose starttls or tls", permanent=True
            )
        with self._connected() as client:
            client.ehlo_or_helo_if_needed()
            if server.security == "starttls":
                self._encrypt(client)
            if server.username:
                self._step = "the login"
                self._log_in(client, server.username, server.password or "")
            self._step = "the sender"
            if message.utf8 and not client.has_extn("smtputf8"):
                raise self.failed("offers no SMTPUTF8, which this address needs", permanent=True)
            options = ["SMTPUTF8", "BODY=8BITMIME"] if message.utf8 else []
            _expect(client.mail(message.sender, options))
            self._step = "the recipient"
            _expect(client.rcpt(message.recipient))
            self._step = "the mail"
            if before_data is not None:
                before_data()
            self._given = True
            _expect(client.data(message.content))
            with contextlib.suppress(OSError, smtplib.SMTPException):
                client.quit()  # it has the mail: how it says goodbye changes nothing

    def failed(self, what: str, *, permanent: bool = False) -> MailServerError:
        """The error for trouble that is no answer."""
        where = f"The mail server {self._server.host}:{self._server.port}"
        if self._given:
            what += " after the mail was given to it; whether it took it is not known"
        return MailServerError(f"{where} {what}.", permanent=permanent, unknown=self._given)

    def refused(self, code: int, words: bytes | str) -> MailServerError:
        """The error for an answer that is a no."""
        if not 400 <= code <= 599:
            return self.failed("says what no mail server says")
        said = self._clean(words)
        where = f"The mail server {self._server.host}:{self._server.port}"
        reason = f"{where} refused {self._step}: {code} {said}".rstrip()
        return MailServerError(reason, permanent=code >= 500)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[_Client]:
        server = self._server
        opened = socket.create_connection((server.host, server.port), server.each_seconds)
        line = opened.dup()  # another hold on the same connection, also while it is being encrypted
        watch = threading.Timer(server.all_seconds, self._hang_up, [line])
        watch.daemon = True
        watch.start()
        client = None
        try:
            if server.security == "tls":
                opened = ssl.create_default_context().wrap_socket(opened, server_hostname=server.host)
            name = self._message.sender.rpartition("@")[2]
            client = _Client(server.host, server.port, opened, name, server.each_seconds)
            yield client
        finally:
            watch.cancel()
            line.close()
            if client is not None:
                client.close()
            opened.close()

    def _hang_up(self, line: socket.socket) -> None:
        self.late = True
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    def _encrypt(self, client: _Client) -> None:
        if not client.has_extn("starttls"):
            raise self.failed("offers no STARTTLS; nothing was sent", permanent=True)
        client.starttls(context=ssl.create_default_context())
        client.ehlo_or_helo_if_needed()

    def _log_in(self, client: _Client, username: str, password: str) -> None:
        """PLAIN or LOGIN, both in UTF-8: smtplib's own ways know ASCII alone and show a password that is not."""
        ways = client.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in ways:
            _expect(client.docmd("AUTH", "PLAIN " + _base64(f"\0{username}\0{password}")))
        elif "LOGIN" in ways:
            _expect(client.docmd("AUTH", "LOGIN " + _base64(username)), 334)
            _expect(client.docmd(_base64(password)))
        else:
            raise self.failed("offers no login with a name and a password", permanent=True)

    def _clean(self, words: bytes | str) -> str:
        """The server's words without addresses, passwords and controls."""
        said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        said = said[: 10 * _MOST_WORDS]
        server = self._server
        if server.password:
            login = f"\0{server.username or ''}\0{server.password}"
            for secret in (server.password, _base64(server.password), _base64(login)):
                said = said.replace(secret, "⟨hidden⟩")
        for address in (self._message.recipient, self._message.sender):
            said = re.sub(re.escape(address), "⟨address⟩", said, flags=re.IGNORECASE)
        said = _ADDRESS.sub("⟨address⟩", said)
        return clean_text(_UNPRINTABLE.sub(" ", said).strip(), _MOST_WORDS)


def _expect(answer: tuple[int, bytes], code: int | None = None) -> None:
    said, words = answer
    if said != code if code else not 200 <= said <= 299:
        raise smtplib.SMTPResponseException(said, words)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
