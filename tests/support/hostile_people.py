"""People whose every text is a stranger's: names, phones, addresses, notes, billing profiles. Written past the server.

The server cleans what it is told; here its own database holds the strings as they are, so that the client's nets are
what stands between them and the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import insert

from server.kit.clock import SystemClock
from server.kit.db import open_store
from server.kit.tx import Tx
from server.people.models import address, billing_profile, note, person
from tests.support.hostile import Hostile


def bring_people(data: Path, strings: Sequence[Hostile]) -> list[str]:
    """Put people into the database of a server that does not run, one for each string that it can hold: their ids."""
    texts = [hostile.text for hostile in strings if _holds(hostile.text)]
    store = open_store(f"sqlite:///{data / 'shop.db'}", data, SystemClock())
    try:
        return store.write(lambda tx: [_bring(tx, number, text) for number, text in enumerate(texts)])
    finally:
        store.close()


def _holds(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bring(tx: Tx, number: int, text: str) -> str:
    who = tx.new_id()
    email = f"{text[:60]}@h{number}.example"
    tx.execute(
        insert(person).values(
            id=who, kind="customer", email=email, email_key=email, name=text[:255], name_key=f"h{number}",
            phone=text[:40], mark=f"{0xB000 + number:04X}", created_at=tx.now, updated_at=tx.now,
        )
    )  # fmt: skip
    tx.execute(
        insert(address).values(
            id=tx.new_id(), person_id=who, name=text[:255], line1=text[:255], city=text[:120],
            postal_code=text[:20], country="GB", created_at=tx.now,
        )
    )  # fmt: skip
    tx.execute(insert(note).values(id=tx.new_id(), person_id=who, body=text[:4000], created_at=tx.now))
    tx.execute(
        insert(billing_profile).values(
            id=tx.new_id(), person_id=who, label=text[:120], name=text[:255], company=text[:255],
            tax_id=text[:40], email=email, is_default=1, created_at=tx.now, updated_at=tx.now,
        )
    )  # fmt: skip
    return who
