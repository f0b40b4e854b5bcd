"""How lists of the server are sorted, as the client sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from server.contract.orders import OrderRow, OrderSort
from tests.tui.widgets.samples import gbp, order_rows
from tui.api.sources import order_rank


@pytest.mark.parametrize("sort", get_args(OrderSort))
def test_the_highest_rank_is_the_first_row(sort: OrderSort) -> None:
    base = order_rows(1)[0]

    def row(name: str, total: int, minutes: int, attention: int) -> OrderRow:
        at = base.created_at + timedelta(minutes=minutes)
        return base.model_copy(
            update={"id": name, "total": gbp(total), "created_at": at, "attention": attention}
        )

    rows = [row("a", 5, 0, 0), row("b", 5, 0, 1), row("c", 9, 1, 0), row("d", 1, 2, 2), row("e", 1, 3, 0)]
    ranked = sorted(rows, key=lambda each: order_rank(each, sort), reverse=True)
    assert (
        "".join(each.id for each in ranked)
        == {
            "newest": "edcba",
            "oldest": "abcde",
            "total": "cbaed",
            "attention": "dbeca",
        }[sort]
    )
