"""A real mail server on the loopback: what it takes it keeps, and it can be told to behave badly.

It speaks SMTP (aiosmtpd) with STARTTLS or TLS under a certificate made for the occasion, asks for a login, refuses,
greylists, hangs, and drops the connection at the moments that hurt. Nothing it takes goes anywhere.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import shutil
import socket
import ssl
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from server.kit.clock import SystemClock, instant

HOST: Final = "127.0.0.1"
KEPT: Final = 500
"""How many mails it keeps; the oldest give way."""
MOST_BYTES: Final = 2**20

Trouble = Literal["drop_before", "drop_after", "hold_after", "refuse_after", "silent"]
"""What happens when the mail itself comes: dropped without taking it, taken and dropped without an answer, taken and
answered only when let go on, refused, or never answered at all."""


Step = Literal["greeting", "sender", "recipient", "mail", "goodbye"]
"""The steps of a conversation; at ``mail`` the mail was taken, and not answered yet."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that it has: from whom, for whom, and the bytes as they came."""

    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, read."""
        read = message_from_bytes(self.content, policy=modern)
        assert isinstance(read, EmailMessage)  # noqa: S101 - the policy makes no other
        return read

    @property
    def text(self) -> str:
        """Its plain text."""
        text: str = self.message.get_content()
        return text.replace("\r\n", "\n")


class MailServer:
    """The server. Use it in a ``with`` block, or call ``start`` and ``stop``.

    Args:
        security: as the shop's setting: ``none``, ``starttls``, or ``tls`` from the first byte.
        login: a name and a password to ask for; None lets everybody in.
        utf8: whether it takes addresses in other scripts.
        on_step: called at each step of each conversation before it is answered, with the recipient once that is
            known; in the server's own thread.
        answer: what a recipient is answered whom `refuse` and `greylist` do not speak of; None lets them in.
        trouble: what happens to a mail when `next` says nothing.
        on_taken: called with each mail that was taken, before that is said.
        port: where to listen, if it is free.
    """

    def __init__(
        self,
        security: Literal["starttls", "tls", "none"] = "none",
        *,
        login: tuple[str, str] | None = None,
        utf8: bool = True,
        on_step: Callable[[Step, str | None], None] | None = None,
        answer: Callable[[str], str | None] | None = None,
        trouble: Callable[[Taken], Trouble | None] | None = None,
        on_taken: Callable[[Taken], None] | None = None,
        port: int = 0,
    ) -> None:
        self.security = security
        self._answer = answer
        self._judge = trouble
        self._on_taken = on_taken
        self._wanted_port = port
        self.login = login
        self.utf8 = utf8
        self.on_step = on_step
        self.logins: list[tuple[str, bytes, bytes]] = []
        """Who tried to log in: the way, the name, the password."""
        self._changed = threading.Condition()
        self._taken: deque[Taken] = deque(maxlen=KEPT)
        self._count = 0
        self._refused: dict[str, str] = {}
        self._grey: set[str] = set()
        self._troubles: deque[Trouble] = deque()
        self._go_on = threading.Event()
        self._folder: Path | None = None
        self._controller: _Controller | None = None

    @property
    def port(self) -> int:
        """Where it listens on the loopback."""
        assert self._controller is not None, "not started"  # noqa: S101
        return int(self._controller.port)

    @property
    def certificate(self) -> Path:
        """The file to trust it by (``SSL_CERT_FILE``)."""
        assert self._folder is not None, "it speaks no TLS, or is not started"  # noqa: S101
        return self._folder / "certificate.pem"

    @property
    def taken(self) -> list[Taken]:
        """What it took and still has, oldest first."""
        with self._changed:
            return list(self._taken)

    def refuse(self, recipient: str, answer: str = "550 5.1.1 Nobody of that name here") -> None:
        """Answer this recipient with that from now on; an empty answer lets them in again."""
        with self._changed:
            if answer:
                self._refused[recipient.lower()] = answer
            else:
                self._refused.pop(recipient.lower(), None)

    def greylist(self, recipient: str) -> None:
        """Tell who comes for this recipient to come again later, once."""
        with self._changed:
            self._grey.add(recipient.lower())

    def next(self, *troubles: Trouble) -> None:
        """What happens to the next mails, in turn; after them all goes well."""
        with self._changed:
            self._troubles.extend(troubles)

    def go_on(self) -> None:
        """Answer all whom ``hold_after`` keeps waiting."""
        self._go_on.set()

    def wait(self, count: int, seconds: float = 10.0) -> list[Taken]:
        """What it has, once it took that many mails in all.

        Raises:
            TimeoutError: it did not come to that.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._count >= count, seconds):
                raise TimeoutError(f"{self._count} mails came, not {count}")
            return list(self._taken)

    def start(self) -> MailServer:
        """Listen."""
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # it deprecates what it asks for itself
        context = None
        if self.security != "none":
            self._folder = Path(tempfile.mkdtemp(prefix="shopbell-mail-"))
            context = _make_context(self._folder)
        self._go_on.clear()
        self._controller = _Controller(
            _Desk(self),
            ssl_context=context if self.security == "tls" else None,
            tls_context=context if self.security == "starttls" else None,
            require_starttls=self.security == "starttls",
            auth_require_tls=self.security == "starttls",
            authenticator=self._let_in,
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=self.utf8,
            server_hostname="localhost",
            ident="shopbell practice",
            wanted_port=self._wanted_port,
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        """Stop listening; what it took stays readable."""
        self._go_on.set()
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> MailServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def _let_in(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        way: str,
        given: LoginPassword,
    ) -> AuthResult:
        del server, session, envelope
        self.logins.append((way, bytes(given.login), bytes(given.password)))
        wanted = self.login
        good = wanted is not None and (given.login, given.password) == tuple(part.encode() for part in wanted)
        return AuthResult(success=good, handled=False)

    def _answer_recipient(self, address: str) -> str | None:
        with self._changed:
            if address.lower() in self._grey:
                self._grey.remove(address.lower())
                return "451 4.7.1 Greylisted, come again in a minute"
            refused = self._refused.get(address.lower())
        return self._answer(address) if refused is None and self._answer is not None else refused

    def _trouble(self, mail: Taken) -> Trouble | None:
        with self._changed:
            if self._troubles:
                return self._troubles.popleft()
        return self._judge(mail) if self._judge is not None else None

    def _take(self, sender: str, recipients: list[str], content: bytes) -> None:
        with self._changed:
            came = [Taken(sender, recipient, content) for recipient in recipients]
            self._taken.extend(came)
            self._count += len(came)
            self._changed.notify_all()
        if self._on_taken is not None:
            for mail in came:
                self._on_taken(mail)

    def _at(self, step: Step, envelope: Envelope) -> None:
        if self.on_step is not None:
            self.on_step(step, envelope.rcpt_tos[0] if envelope.rcpt_tos else None)

    async def _held(self) -> None:
        await asyncio.to_thread(self._go_on.wait)


class _Desk:
    """What aiosmtpd calls at each step."""

    def __init__(self, owner: MailServer) -> None:
        self._owner = owner

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        """Somebody says hello."""
        del server
        self._owner._at("greeting", envelope)
        session.host_name = hostname
        return answers

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Somebody says goodbye."""
        del server, session
        self._owner._at("goodbye", envelope)
        return "221 Bye"

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A sender is named."""
        del server
        self._owner._at("sender", envelope)
        if self._owner.login is not None and not session.authenticated:
            return "530 5.7.0 Log in first"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A recipient is named."""
        del server, session, options
        refused = self._owner._answer_recipient(address)
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        self._owner._at("recipient", envelope)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The mail itself came."""
        del session
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        trouble = self._owner._trouble(Taken(str(envelope.mail_from), envelope.rcpt_tos[0], content))
        if trouble == "refuse_after":
            return "554 5.7.1 This looks like something nobody wants"
        if trouble not in ("drop_before", "silent"):
            self._owner._take(str(envelope.mail_from), list(envelope.rcpt_tos), content)
            self._owner._at("mail", envelope)
        if trouble in ("drop_before", "drop_after") and server.transport is not None:
            server.transport.abort()  # type: ignore[attr-defined]
        if trouble in ("drop_before", "drop_after", "silent"):
            await asyncio.get_running_loop().create_future()  # ends with the connection
        if trouble == "hold_after":
            await self._owner._held()
        return "250 2.0.0 Taken"


class _Controller(Controller):
    """aiosmtpd's thread, on a free port of the loopback."""

    def __init__(self, handler: Any, *, wanted_port: int = 0, **given: Any) -> None:
        try:
            self._listening = socket.create_server((HOST, wanted_port))
        except OSError:
            self._listening = socket.create_server((HOST, 0))
        super().__init__(handler, hostname=HOST, port=self._listening.getsockname()[1], **given)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listening, ssl=self.ssl_context)


def _make_context(folder: Path) -> ssl.SSLContext:
    """A certificate for the loopback that nobody else trusts, good for a few days, and the context that shows it."""
    from cryptography import x509  # noqa: PLC0415 - only where somebody wants encryption
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shopbell practice mail server")])
    now = instant(SystemClock().now())  # not the shop's clock: both ends of the connection read the machine's
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.touch(mode=0o600)
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, secret)
    return context
