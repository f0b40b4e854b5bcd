"""How the pages write what follows from the code: lines and tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Row = Sequence[str]


def table(heads: Row, rows: Sequence[Row]) -> Iterator[str]:
    """A table and the empty line after it."""
    for row in (heads, ["---"] * len(heads), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def lines(told: Sequence[str]) -> str:
    """A page's part made of these lines, after an empty one."""
    return "\n" + "\n".join(told).rstrip("\n") + "\n"
