"""The search of the files beside and below the database for a person's strings."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from server.deletion.rows import Places, forms

_CHUNK: Final = 4 << 20
_ASIDE: Final = ".before-restore-"
BACKUPS: Final = "backups"
PROVIDERS: Final = "practice providers"
_PRACTICE: Final = frozenset({"practice.json", "practice-providers.jsonl"})


def search(data_file: Path, words: Sequence[str]) -> Places:
    """How often the words stand in the data file, its logs and all other files of the data directory.

    Letters' case does not matter where it is ASCII. Backups that stand in the directory are told apart: they are
    beyond use until they expire, and a restored one is cleaned by the list of erasures. So is what the invented
    providers of a practice shop remember: real ones have records of their own, too.
    """
    found = Places()
    wanted = sorted({form.encode() for word in words for form in forms(word)})
    if not wanted:
        return found
    for path in _files(data_file.parent):
        many = _count(path, wanted)
        if _is_backup(path, data_file):
            found.add(BACKUPS, many, expected=True)
        elif path.name in _PRACTICE and path.parent == data_file.parent:
            found.add(PROVIDERS, many, expected=True)
        else:
            found.add(path.relative_to(data_file.parent).as_posix(), many)
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        try:
            if stat.S_ISREG(path.lstat().st_mode):
                yield path
        except OSError:  # it went meanwhile
            continue


def _is_backup(path: Path, data_file: Path) -> bool:
    """Whether a file is a backup: one with a manifest, or what a restore put aside."""
    aside = path.name.startswith(data_file.name + _ASIDE)
    return aside or path.with_name(path.name + ".json").exists()


def _count(path: Path, wanted: Sequence[bytes]) -> int:
    """How often the words stand in a file, also across the parts in which it is read."""
    many = 0
    tails = dict.fromkeys(wanted, b"")
    try:
        with path.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                part = chunk.lower()
                for word in wanted:
                    text = tails[word] + part
                    many += text.count(word)
                    tails[word] = text[len(text) - len(word) + 1 :] if len(text) >= len(word) else text
    except OSError:
        return 0
    return many
