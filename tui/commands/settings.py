"""``shopbell settings``. A secret comes in by a prompt that shows nothing or on standard input, and never goes out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Final

from server.contract.base import Problem
from server.contract.settings import SettingRow, Settings, SetValue, TestResult
from tui.api.client import segment
from tui.api.documents import Document
from tui.api.errors import Refused
from tui.commands.printing import Cell, Column, Printer
from tui.commands.work import DONE, REFUSED, UsageError, Work, as_text, interruptible

_COLUMNS: Final = (Column("SETTING"), Column("VALUE", flows=True), Column("SET BY"))
_LONGEST: Final = 8192


@dataclass(frozen=True, slots=True)
class _Found:
    """A setting as it came and as it is read."""

    raw: Any
    row: SettingRow


async def listing(work: Work) -> int:
    """List all settings by group."""
    found = await work.client.document("/v1/settings")
    told = found.read(Settings.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    rows: list[list[str | Cell]] = []
    for group in told.groups:
        rows.append([Cell(group.label, "accent"), "", ""])
        rows += [
            [f"  {row.name}", Cell(_shown(row), _style(row)), Cell(_source(row), "muted")]
            for row in group.settings
        ]
    work.out.table(_COLUMNS, rows)
    return DONE


def _shown(row: SettingRow) -> str:
    if row.kind == "secret":
        return row.hint or ""
    value = row.value if row.value is not None else row.default
    return f"{value} {row.unit}" if value and row.unit else value or ""


def _style(row: SettingRow) -> str:
    return "warning" if row.trouble else "muted" if row.source == "default" else ""


def _source(row: SettingRow) -> str:
    if row.source == "environment":
        return row.variable or "environment"
    return row.updated_by or "stored" if row.source == "stored" else ""


async def show(work: Work) -> int:
    """Show a setting and what it means."""
    found = await _find(work)
    if work.out.as_json:
        work.out.document(found.raw)
        return DONE
    _tell(work.out, found.row)
    return DONE


def _tell(out: Printer, row: SettingRow) -> None:
    out.facts(
        [
            ("setting", row.name),
            ("", row.label),
            ("", row.help),
            ("value", Cell(_shown(row), _style(row))),
            ("trouble", Cell(row.trouble or "", "warning")),
            ("values", ", ".join(row.choices or [])),
            ("default", row.default or ""),
            ("set by", _source(row)),
            ("changed", out.full(row.updated_at)),
        ]
    )


async def change(work: Work) -> int:
    """Change a setting."""
    found = await _find(work)
    value = _value(work, found.row)
    body = SetValue.model_construct(value=value).model_dump_json().encode()
    return _changed(work, await work.client.changed(_path(found.row.name), body, "PUT"))


async def unset(work: Work) -> int:
    """Forget what was set."""
    found = await _find(work)
    return _changed(work, await work.client.changed(_path(found.row.name), None, "DELETE"))


async def test(work: Work) -> int:
    """Try a connection out."""
    path = f"/v1/settings/tests/{segment(work.given.name, 'connection to try')}"
    found = await work.client.changed(path)
    result = found.read(TestResult.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
    elif result.ok:
        work.out.line(f"{result.message} ({result.took_ms} ms)")
    if not result.ok:
        work.out.note(result.message)
    return DONE if result.ok else REFUSED


def _changed(work: Work, found: Document) -> int:
    row = found.read(SettingRow.model_validate)
    if work.out.as_json:
        work.out.document(found.raw)
    else:
        shown = _shown(row)
        work.out.line(f"{row.name} is {shown}" if shown else f"{row.name} is not set")
    return DONE


async def _find(work: Work) -> _Found:
    """The setting that is named. Raises Refused ``not_found``."""
    name = work.given.name
    found = await work.client.document("/v1/settings")
    told = found.read(Settings.model_validate)
    for raw_group, group in zip(found.raw["groups"], told.groups, strict=True):
        for raw, row in zip(raw_group["settings"], group.settings, strict=True):
            if row.name == name:
                return _Found(raw, row)
    detail = "There is no such setting."
    raise Refused(detail, Problem(title="Not found", status=404, code="not_found", detail=detail))


def _path(name: str) -> str:
    return f"/v1/settings/{name}"


def _value(work: Work, row: SettingRow) -> str:
    """The new value.

    Raises:
        UsageError: none was given, or a secret's on the command line, where everybody on this machine can read it.
    """
    given: str | None = work.given.value
    if row.kind == "secret" and given is not None:
        raise UsageError(
            "A secret is not given on the command line, where others can read it: leave it out and you are asked, "
            "or use --stdin. Change this one at its source, for it was seen."
        )
    if given is not None:
        return given
    if work.given.stdin:
        try:
            with interruptible():
                text = sys.stdin.read(_LONGEST + 2)
        except UnicodeDecodeError:
            raise UsageError("Standard input holds what is not text in UTF-8.") from None
        as_text(text)
        return text.removesuffix("\n").removesuffix("\r")
    if row.kind == "secret" and sys.stdin.isatty():
        return _typed_unseen(f"{row.label}: ")
    raise UsageError("Give the value, or --stdin and the value on standard input.")


def _typed_unseen(prompt: str) -> str:
    from getpass import getpass  # noqa: PLC0415 - only for secrets

    try:
        with interruptible():
            return getpass(prompt)
    except EOFError:
        raise KeyboardInterrupt from None
