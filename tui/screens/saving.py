"""What the server holds, written into files of the user's on the machine where the client runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tui.api.clean import clean_line
from tui.widgets.format import size

if TYPE_CHECKING:
    from tui.api.client import Client
    from tui.screens.browser import Frame

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]+", re.ASCII)
_LONGEST: Final = 60
_LONGEST_KIND: Final = 8


async def save(
    frame: Frame, client: Client, path: str, *, folder: str, name: str, what: str, kind: str | None = None
) -> None:
    """Write what ``path`` answers into a file, and say where it stands.

    Args:
        frame: where it is said.
        client: the server.
        path: what is asked.
        folder: below the user's data directory; it is made, for the user alone.
        name: of the file; one that stands there already is replaced.
        what: the beginning of the sentence: "Photo.jpg" stands in …
        kind: the media type that is expected; None: any.

    Raises:
        ClientError: no answer, not the whole of it, or no place for it.
    """
    from tui.api.download import download  # noqa: PLC0415 - only when it is asked for
    from tui.api.paths import data_dir, private_dir  # noqa: PLC0415

    frame.say("note", "Fetching…")
    file = private_dir(private_dir(data_dir()) / folder) / name
    length = await download(
        client, path, file, lambda done: frame.say("note", f"Fetching… {size(done)} so far"), kind=kind
    )
    frame.say("done", f"{what} ({size(length)}) stands in {clean_line(str(file))}")


def safe_name(text: str | None, unique: str) -> str:
    """A file's name that no shell and no program takes for something else, made from a stranger's.

    Args:
        text: what the stranger calls it.
        unique: what tells it from others of that name; plain letters.
    """
    stem, dot, kind = (text or "").rpartition(".")
    if not dot:
        stem, kind = kind, ""
    stem = _NOT_IN_NAMES.sub("-", stem).strip("-")[:_LONGEST]
    kind = _NOT_IN_NAMES.sub("", kind)[:_LONGEST_KIND].lower()
    return f"{stem or 'file'}-{unique}" + (f".{kind}" if kind else "")
