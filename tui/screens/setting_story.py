"""A setting as a story: what it means, what holds and who says so; and a group with what was tried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from server.contract.settings import SettingRow, TestResult
from tui.screens.settings_rows import shown
from tui.widgets.blocks import Attention, Block, Gap, Pair, Paragraph, Rule, Title, Words
from tui.widgets.format import Glyphs, Times, count


def setting_story(
    row: SettingRow, times: Times, glyphs: Glyphs, *, saved: bool, hint: str, tests: Iterable[Block] = ()
) -> list[Block]:
    """The whole story. ``saved`` says that it was changed here just now, ``hint`` what can be done."""
    value = shown(row)
    pieces = [(value.text, value.style or "strong")]
    if saved:
        pieces.append((f"{glyphs.marked} saved", "success"))
    blocks: list[Block] = [Title(text=row.label), Words(pieces=tuple(pieces)), Gap()]
    if row.trouble:
        blocks += [Attention(text=row.trouble), Gap()]
    blocks.append(Paragraph(text=row.help))
    if hint:
        blocks += [Gap(), Paragraph(text=hint, style="muted")]
    blocks += [Gap(), Rule(text="Details"), *_details(row, times)]
    tried = list(tests)
    return [*blocks, Gap(), *tried] if tried else blocks


def _details(row: SettingRow, times: Times) -> Iterable[Block]:
    by = f"{row.updated_by}, " if row.updated_by else ""
    said = {
        "default": "nobody: the default holds",
        "stored": "set here",
        "environment": f"the server's environment: {row.variable}",
    }[row.source]
    default = None if row.kind == "secret" else row.default or "nothing"
    if default and row.unit:
        default += f" {row.unit}"
    pairs = [
        ("Said by", said),
        ("Default", default),
        ("One of", ", ".join(row.choices) if row.choices else None),
        ("Changed", by + times.full(row.updated_at) if row.updated_at else None),
        ("Name", row.name),
    ]
    return [Pair(label=label, value=value) for label, value in pairs if value]


def group_story(
    label: str, rows: Sequence[SettingRow], *, hint: str, tests: Iterable[Block] = ()
) -> list[Block]:
    """A group: how many of its settings somebody set, and what was tried out."""
    changed = sum(row.source != "default" for row in rows)
    said = f"{count(len(rows), 'setting')}, {changed or 'none'} of them set."
    blocks: list[Block] = [Title(text=label), Paragraph(text=said, style="muted")]
    blocks += [Gap(), Attention(text=trouble)] if (trouble := _troubles(rows)) else []
    if hint:
        blocks += [Gap(), Paragraph(text=hint, style="muted")]
    tried = list(tests)
    return [*blocks, Gap(), *tried] if tried else blocks


def _troubles(rows: Sequence[SettingRow]) -> str:
    found = [row.label for row in rows if row.trouble]
    return f"What is stored is no use: {', '.join(found)}." if found else ""


def results(names: Sequence[str], found: Mapping[str, TestResult | None], glyphs: Glyphs) -> Iterable[Block]:
    """What the tests of a group found."""
    for name in names:
        if name not in found:
            continue
        yield Rule(text="Test")
        result = found[name]
        if result is None:
            yield Paragraph(text="Trying it out. This may take 20 seconds.", style="muted")
        elif result.ok:
            yield Paragraph(text=f"{glyphs.marked} {result.message}", style="success")
            yield Paragraph(text=f"It took {result.took_ms:,} ms.", style="muted")
        else:
            yield Attention(text=f"It does not work: {result.message}")
