"""What a practice shop remembers between two starts."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from server.practice.state import FILE, State, StateError, load, save

STATE = State(
    seed=3,
    opened_at=1_000,
    owner_token="sbl_pat_owner",
    program_token="sbl_pat_program",
    filled_to=20_000,
    lived_to=2_000,
    rushed_to=3_000,
    rushes=[(1_000, 1_500), (2_500, None)],
    orders={"260223-01": "SS-260223-0001"},
)


def test_it_comes_back_as_it_was_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    save(tmp_path, STATE)
    save(tmp_path, STATE)
    assert load(tmp_path) == STATE
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_tokens_stand_in_no_repr() -> None:
    assert "sbl_pat" not in repr(STATE)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "seed": 1}', '{"version": 1, "x": 2}']
)
def test_a_file_that_is_not_ours_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(StateError, match="cannot be read"):
        load(tmp_path)
