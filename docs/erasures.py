"""The part of ``erasure.md`` that follows from the registry: what becomes of each table when a person is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import server.app.registered  # noqa: F401 - all rooms' rules are known from here on
from docs.markdown import lines, table
from server.contract.deletion import Fate
from server.deletion import mentions
from server.deletion.export import WITHHELD
from server.people import erasure

_FATES: Final[dict[Fate, tuple[str, str]]] = {
    "delete": ("Goes", "These rows are deleted."),
    "anonymise": (
        "Stays, anonymised",
        "These rows stay without the person: what refers to them or says something of them is overwritten.",
    ),
    "keep": (
        "Stays",
        "In these rows nothing changes. They are counted, so that the plan leaves nothing out.",
    ),
}


def erasure_part() -> str:
    """The rules by fate, then where others may have named the person, the ids that stay, and what no export holds."""
    told: list[str] = []
    for fate, (title, sentence) in _FATES.items():
        rows = [
            (rule.noun, f"`{rule.table.name}`", rule.why) for rule in erasure.rules() if rule.fate == fate
        ]
        told += [f"## {title}", "", sentence, "", *table(("records", "table", "why"), rows)]
    told += [
        "## What others wrote",
        "",
        "The texts stay; in them the mark takes the place of what the last column names.",
        "",
        *table(("called", "texts", "replaced"), [*_texts()]),
        "## Ids that stay",
        "",
        "They lead nowhere once the account and the vault's row are empty.",
        "",
        *table(
            ("column", "why"),
            [(f"`{name}.{column}`", why) for (name, column), why in erasure.exempted().items()],
        ),
        "## Not exported",
        "",
        "An export of a person's data holds the rows of all these tables but these columns.",
        "",
        *table(
            ("column", "what it is"),
            [(f"`{name}.{column}`", why) for (name, column), why in WITHHELD.items()],
        ),
    ]
    return lines(told)


def _texts() -> Iterator[tuple[str, ...]]:
    for entry in erasure.mentions():
        texts = ", ".join(f"`{entry.table.name}.{column}`" for column in entry.columns)
        replaced = (
            "e-mail and phone, in any row"
            if entry.linked is None
            else "e-mail, phone, full name and street, in rows that speak of the person"
        )
        yield mentions.noun(entry), texts, replaced
