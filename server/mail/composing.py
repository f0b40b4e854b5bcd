"""A mail as it leaves: headers that nobody can slip a line into, and plain text. No pictures, no tracking, one reader.

Nothing of a header is believed: names, addresses and subjects with a line end or any other control are refused, so
what a stranger or a setting holds can add no header and no recipient.
"""

from __future__ import annotations

import re
import unicodedata
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any, Final

from server.kit.clock import instant
from server.mail.message import Composed, Message, Sender, UnfitMailError

MOST_SUBJECT: Final = 200
MOST_ADDRESS: Final = 254
_LONGEST_HEADER: Final = 900
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*", re.ASCII)
_QUOTED: Final = re.compile(r'(["\\\\])')
_ESCAPED: Final = r"\\\1"
_BODY_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LOCAL: Final = re.compile(r"[^\s\x00-\x20()<>\[\]:;@\\,.\"\x7f]+(?:\.[^\s\x00-\x20()<>\[\]:;@\\,.\"\x7f]+)*")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}", re.ASCII)
_OURS: Final = frozenset(
    {
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "return-path",
        "auto-submitted",
    }
)


class _Wire(EmailPolicy):
    """Headers as they travel. Only words of other scripts are folded: a long link stays one piece, for buttons need it.

    The newer half of the library loses spaces between folded words and encodes long links; the older one does neither.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        """A header as bytes, with its line end."""
        written = str(value)
        if name == "From":
            party = value.addresses[0]
            written = f"{_words(name, party.display_name, phrase=True)} <{party.addr_spec}>".lstrip()
        elif name == "Subject":
            written = _words(name, written)
        return f"{name}: {written}\r\n".encode("utf-8" if self.utf8 else "ascii")


_WIRE: Final = _Wire(linesep="\r\n", raise_on_defect=False)


def _words(name: str, text: str, *, phrase: bool = False) -> str:
    """Words for a header: as they are where every reader takes them so, else encoded (RFC 2047) and folded."""
    if text.isascii() and "=?" not in text:
        return f'"{_QUOTED.sub(_ESCAPED, text)}"' if phrase and not _ATOMS.fullmatch(text) else text
    return Header(text, "utf-8", maxlinelen=75, header_name=name).encode(linesep="\r\n")


def compose(letter: Composed, *, sender: Sender, to: str, message_id: str, at: int) -> Message:
    """Put a mail together.

    Args:
        letter: what it says.
        sender: from whom.
        to: one address; it alone stands in the header and in the envelope.
        message_id: ``<…@…>``, the same however often this mail is tried.
        at: the Date, in milliseconds UTC.

    Raises:
        UnfitMailError: a name, address, subject or header that could not be written down honestly.
    """
    sender_address = mailbox(sender.address, "the sender's address (mail.from_address)")
    recipient = mailbox(to, "the recipient's address")
    utf8 = not (sender_address.isascii() and recipient.isascii())
    message = EmailMessage(policy=_WIRE.clone(utf8=utf8))
    message["From"] = _party(sender_address, header_text(sender.name, "the sender's name (mail.from_name)"))
    message["To"] = _party(recipient)
    message["Subject"] = header_text(letter.subject, "the subject")[:MOST_SUBJECT]
    message["Date"] = format_datetime(instant(at).replace(microsecond=0))
    message["Message-ID"] = header_text(message_id, "the message's id")
    message["Auto-Submitted"] = "auto-generated"
    for name, value in letter.headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OURS or len(value) > _LONGEST_HEADER:
            raise UnfitMailError("Not sent: this mail asks for a header that no mail of its kind may hold.")
        message[name] = header_text(value, f"the header {name}")
    text = body_text(letter.text)
    message.set_content(text, charset="utf-8", cte="7bit" if _is_plain(text) else "quoted-printable")
    return Message(sender_address, recipient, message.as_bytes(), utf8)


def header_text(text: str, what: str) -> str:
    """A text that may stand in a header.

    Raises:
        UnfitMailError: it holds a line end, NUL or another control.
    """
    for sign in text:
        if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp"):
            raise UnfitMailError(f"Not sent: {what} holds a line end or another control character.")
    return " ".join(text.split())


def mailbox(text: str, what: str = "the address") -> str:
    """An address as it may stand in a header and in an SMTP command; a domain of another script becomes ASCII.

    Raises:
        UnfitMailError: it is no address that mail can be sent to.
    """
    address = header_text(text, what)
    local, at, domain = address.rpartition("@")
    odd = any(unicodedata.category(sign)[0] in "CZ" for sign in address)
    if not at or odd or len(address) > MOST_ADDRESS or not _LOCAL.fullmatch(local):
        raise UnfitMailError(f"Not sent: {what} is no address that mail can be sent to.")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            raise UnfitMailError(f"Not sent: {what} names no domain that mail can be sent to.") from None
    if not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise UnfitMailError(f"Not sent: {what} names no domain that mail can be sent to.")
    return f"{local}@{domain}"


def body_text(text: str) -> str:
    """A mail's text as it leaves: lines ended alike, no controls, no spaces at the ends, one line end at the end."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ").split("\n")
    # "-- " alone is how mail programs know a signature.
    cleaned = [line if line == "-- " else _BODY_CONTROLS.sub("", line).rstrip() for line in lines]
    return "\n".join(cleaned).strip("\n") + "\n"


def _party(address: str, name: str = "") -> Address:
    local, _, domain = address.rpartition("@")
    return Address(display_name=name, username=local, domain=domain)


def _is_plain(text: str) -> bool:
    # A line that ends in a space, begins with "From " or is long would be changed on its way.
    return text.isascii() and not any(
        line.endswith(" ") or line.startswith("From ") or len(line) > 900 for line in text.split("\n")
    )
