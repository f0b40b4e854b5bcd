"""How a fresh stretch of a list is laid over what is held of it. Pure functions on ids.

Rows that both sides have, in the same order relative to each other, stand still; the others came, left or moved.
Where no such row is left to tell, the rows' ranks say what the stretch has passed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Splice:
    """The list after laying the fresh stretch over it.

    Attributes:
        ids: the rows held now, in order, each once.
        gone: rows that were held, should have been in the stretch and were not: they left the list.
        moved: rows that stand elsewhere now.
    """

    ids: list[str]
    gone: list[str]
    moved: list[str]


def splice(
    held: Sequence[str],
    start: int,
    fresh: Sequence[str],
    *,
    complete: bool,
    passed: Callable[[str], bool] = lambda _: False,
) -> Splice | None:
    """Lay ``fresh`` over ``held``; its first row follows right after ``held[start - 1]``.

    Args:
        held: the rows held, without repeats.
        start: where the stretch begins, 0 to ``len(held)``.
        fresh: the rows of the stretch as the server has them now, without repeats.
        complete: the stretch reaches the end of the list, so whatever is held behind it is gone.
        passed: whether a held row, as it was last seen, would stand before the stretch's last row.

    Returns:
        The outcome; None when the stretch ends before the first row held from ``start`` on, so that rows may be
        missing between both: a longer stretch is needed.
    """
    place = {row: at for at, row in enumerate(held)}
    still = longest_rising([at for at in (place.get(row, -1) for row in fresh) if at >= start])
    end = len(held) if complete else (still[-1] + 1 if still else start)
    while end < len(held) and passed(held[end]):
        end += 1
    if end == start < len(held) and not complete:
        return None
    present = set(fresh)
    stands = {held[at] for at in still}
    return Splice(
        ids=[
            *(row for row in held[:start] if row not in present),
            *fresh,
            *(row for row in held[end:] if row not in present),
        ],
        gone=[row for row in held[start:end] if row not in present],
        moved=[row for row in fresh if row in place and row not in stands],
    )


def splice_upwards(
    held: Sequence[str],
    end: int,
    fresh: Sequence[str],
    *,
    complete: bool,
    passed: Callable[[str], bool] = lambda _: False,
) -> Splice | None:
    """As `splice` for a stretch whose last row stands right before ``held[end]``; ``complete`` reaches the top."""
    turned = splice(held[::-1], len(held) - end, fresh[::-1], complete=complete, passed=passed)
    return turned and Splice(turned.ids[::-1], turned.gone[::-1], turned.moved[::-1])


def longest_rising(numbers: Sequence[int]) -> list[int]:
    """The longest strictly rising run of numbers, in order, not necessarily side by side."""
    ends: list[int] = []  # the smallest last number of a run of each length
    where: list[int] = []  # its position in numbers
    before: list[int] = []  # for each position, the position before it in its run
    for at, number in enumerate(numbers):
        length = bisect_left(ends, number)
        before.append(where[length - 1] if length else -1)
        ends[length : length + 1] = [number]
        where[length : length + 1] = [at]
    run: list[int] = []
    at = where[-1] if where else -1
    while at >= 0:
        run.append(numbers[at])
        at = before[at]
    return run[::-1]


def put_back(body: Sequence[str], absent: Iterable[str], order: Sequence[str]) -> list[str]:
    """Put rows back among ``body`` where they stood in ``order``: right behind whatever stood before them."""
    wanted = set(absent)
    if not wanted:
        return list(body)
    present = set(body)
    behind: dict[str | None, list[str]] = {}
    last: str | None = None
    for row in order:
        if row in wanted:
            behind.setdefault(last, []).append(row)
        elif row in present:
            last = row
    result = behind.get(None, [])[:]
    for row in body:
        result.append(row)
        result += behind.get(row, [])
    return result


def heirs(before: Sequence[str], after: Iterable[str]) -> dict[str, str | None]:
    """For each row that left: the nearest row below it that stayed, else the nearest above, else None."""
    stayed = set(after)
    found: dict[str, str | None] = {}
    above: str | None = None
    orphans: list[str] = []
    for row in before:
        if row in stayed:
            found.update(dict.fromkeys(orphans, row))
            orphans.clear()
            above = row
        else:
            orphans.append(row)
    found.update(dict.fromkeys(orphans, above))
    return found
