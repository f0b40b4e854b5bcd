"""What leaves in a header, and what never may."""

from __future__ import annotations

import email
import email.policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit.clock import parse_instant
from server.mail.composing import body_text, compose, mailbox
from server.mail.message import Composed, Message, Sender, UnfitMailError
from tests.support.hostile import SHORT, Hostile

AT = parse_instant("2026-02-23T10:00:00.123Z")
OURS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
CONTENT = ["Content-Type", "Content-Transfer-Encoding", "MIME-Version"]


def made(
    letter: Composed | None = None,
    *,
    name: str = "Wool & Co",
    address: str = "shop@example.com",
    to: str = "mary@example.com",
) -> Message:
    letter = letter or Composed("Your order", "Hello\n")
    return compose(letter, sender=Sender(name, address), to=to, message_id="<m-1@example.com>", at=AT)


def read(message: Message) -> EmailMessage:
    found = email.message_from_string(message.content.decode(), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def decoded(found: EmailMessage, name: str) -> str:
    """A header as mail programs show it, read by the older and sturdier of the library's two readers."""
    return str(make_header(decode_header(email.message_from_bytes(found.as_bytes())[name])))


def test_a_mail_has_what_mails_have_and_nothing_else() -> None:
    found = read(made())
    assert found.keys() == [*OURS, *CONTENT]
    assert found["From"] == "Wool & Co <shop@example.com>"
    assert found["To"] == "mary@example.com"
    assert found["Date"] == "Mon, 23 Feb 2026 10:00:00 +0000"
    assert found["Message-ID"] == "<m-1@example.com>"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found.get_content_type() == "text/plain"
    assert found.get_content_charset() == "utf-8"
    assert not found.is_multipart()


def test_a_mail_tried_again_is_the_same_mail() -> None:
    assert made().content == made().content


def test_the_text_comes_through() -> None:
    text = "Größe 3 for £4.00\n\n.\nFrom here\n-- \nWool & Co\n" + "x" * 2000 + "\n"
    message = made(Composed("Größe", text))
    assert read(message).get_content().replace("\r\n", "\n") == text
    assert max(len(line) for line in message.content.split(b"\r\n")) <= 998
    assert message.content.isascii()


def test_a_long_link_in_a_header_stays_one_piece() -> None:
    link = f"<https://shop.example/unsubscribe/{'a' * 300}>"
    message = made(Composed("Your cart", "Hello", {"List-Unsubscribe": link}))
    assert f"\r\nList-Unsubscribe: {link}\r\n".encode() in message.content


@pytest.mark.parametrize(
    "sign", ["\r", "\n", "\r\n", "\0", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800"]
)
@pytest.mark.parametrize("where", ["name", "address", "to", "subject", "header"])
def test_a_control_in_a_header_is_refused(where: str, sign: str) -> None:
    bad = f"mary{sign}Bcc: everybody@example.com"
    letter = Composed(
        bad if where == "subject" else "Hello", "Hello", {"X-Cart": bad} if where == "header" else {}
    )
    party = {where: bad} if where in ("name", "address", "to") else {}
    with pytest.raises(UnfitMailError) as caught:
        made(letter, **party)
    assert "everybody" not in str(caught.value), "the words that were refused stay out of the sentence"


@pytest.mark.parametrize(
    "name", ["Bcc", "TO", "From", "Subject", "X: y", "", "Größe", "Return-Path", "X\r\nY"]
)
def test_no_kind_of_mail_may_set_who_gets_it(name: str) -> None:
    with pytest.raises(UnfitMailError):
        made(Composed("Hello", "Hello", {name: "x@example.com"}))


@given(name=st.text(max_size=80), subject=st.text(max_size=200), text=st.text(max_size=400))
def test_nobody_slips_in_a_line(name: str, subject: str, text: str) -> None:
    try:
        message = made(Composed(subject, text), name=name)
    except UnfitMailError:
        return
    found = read(message)
    assert found.keys() == [*OURS, *CONTENT]
    assert [(one.username, one.domain) for one in found["From"].addresses] == [("shop", "example.com")]
    assert found["To"] == "mary@example.com"
    if all(sign.isprintable() for sign in name + subject):
        assert decoded(found, "Subject") == " ".join(subject.split())
        raw = message.content.split(b"\r\nTo: ")[0].decode("ascii").removeprefix("From: ")
        shown, address = parseaddr(raw.replace("\r\n ", " "))
        assert (str(make_header(decode_header(shown))), address) == (
            " ".join(name.split()),
            "shop@example.com",
        )
    assert found.get_content().replace("\r\n", "\n") == body_text(text)
    assert message.content.isascii()
    assert b"\r\n" in message.content
    assert message.content.count(b"\n") == message.content.count(b"\r\n") == message.content.count(b"\r")


@given(
    st.text(alphabet=st.sampled_from("ab1.@<>\"' \t\r\n,;:()[]\\+-_=?äя龍\0\u202e"), min_size=1, max_size=40)
)
def test_an_address_is_one_address_or_refused(text: str) -> None:
    try:
        address = mailbox(text)
    except UnfitMailError:
        return
    local, _, domain = address.rpartition("@")
    assert local
    assert domain.isascii()
    assert not set(address) & set(' \t\r\n\0<>"(),;:[]\\\u202e')
    assert address.count("@") == 1
    found = read(made(to=text))
    assert [one.addr_spec for one in found["To"].addresses] == [address]


@pytest.mark.parametrize(
    "text",
    ["", "mary", "@example.com", "mary@", "a@b@c.com", "<mary@example.com>", "a,b@example.com", "a b@example.com",
     '"a b"@example.com', ".a@example.com", "a..b@example.com", "a.@example.com", "a@-b.com", "a@b..com",
     "a@[127.0.0.1]", "a@b_c.com", "a@example.com>", "x" * 250 + "@example.com", "a@" + "x" * 64 + ".com"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UnfitMailError):
        mailbox(text)


@pytest.mark.parametrize(
    "text", ["mary@example.com", "m.o'neil+shop@sub.example.co.uk", "a@localhost", "мария@example.com"]
)
def test_what_is_one(text: str) -> None:
    assert mailbox(f" {text} ") == text


@pytest.mark.parametrize("hostile", SHORT, ids=[one.name for one in SHORT])
def test_hostile_text_stays_in_the_text(hostile: Hostile) -> None:
    found = read(made(Composed("Hello", f"Hello {hostile.text}\nBye")))
    assert found.keys() == [*OURS, *CONTENT]
    text = found.get_content()
    assert "\x1b" not in text
    assert "\0" not in text
    assert text.rstrip().endswith("Bye")
