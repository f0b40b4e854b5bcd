"""What somebody said: whole, within its lines, and never to be taken for the other kind."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hostile import SHORT
from tui.widgets.cells import MAX_LINE, width
from tui.widgets.format import ASCII, UNICODE, Glyphs
from tui.widgets.lines import LEAST_CELLS
from tui.widgets.speech import INTERNAL, Said, wrapped

TEXTS = st.one_of(st.text(max_size=200), st.sampled_from([each.text for each in SHORT]))


def lines(said: Said, cells: int, glyphs: Glyphs = UNICODE) -> list[str]:
    """What is drawn."""
    return ["".join(text for text, _style in line) for line in said.lay(cells, glyphs)]


@settings(max_examples=300)
@given(TEXTS, TEXTS, st.integers(min_value=LEAST_CELLS, max_value=120), st.booleans(), st.booleans())
def test_no_line_is_wider_than_it_may_be(
    text: str, who: str, cells: int, internal: bool, plain: bool
) -> None:
    said = Said(who=who, role="customer", when="16 Feb 2025", text=text, internal=internal)
    assert all(width(line) <= cells for line in lines(said, cells, ASCII if plain else UNICODE))


@pytest.mark.parametrize(("glyphs", "sign", "bar"), [(UNICODE, "╔║╚", "┃"), (ASCII, "#", "|")])
def test_a_note_has_another_sign_at_each_line_another_colour_and_the_word(
    glyphs: Glyphs, sign: str, bar: str
) -> None:
    words = {"who": "Sam", "role": "reply", "when": "09:12", "text": "one\ntwo " * 30}
    note, reply = (Said(internal=internal, style="success", **words) for internal in (True, False))
    drawn = lines(note, 60, glyphs)
    assert all(line[0] in sign for line in drawn)
    assert f" {INTERNAL} " in drawn[0]
    assert {style for line in note.lay(60, glyphs) for _text, style in line} <= {
        "warning",
        "new",
        "muted",
        "",
    }
    told = lines(reply, 60, glyphs)
    assert all(line.startswith(bar) for line in told)
    assert not any(INTERNAL in line for line in told)
    assert "warning" not in {style for line in reply.lay(60, glyphs) for _text, style in line}


def test_a_long_text_is_there_to_its_last_word() -> None:
    text = "word " * 2000 + "last"
    assert len(text) > 2 * MAX_LINE
    drawn = lines(Said(who="Sam", text=text), 80)
    assert sum(line.count("word") for line in drawn) >= 1990  # where it was cut, one may be in halves
    assert drawn[-1].endswith("last")
    assert wrapped("a\n\nb", 10) == ["a", "", "b"]
