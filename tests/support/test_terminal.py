"""The pseudo-terminal with real programs in it: what they draw, ask, answer and leave behind."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

import pytest

from tests.support.sequences import foreign_sequences
from tests.support.terminal import Terminal, key_bytes

APP = """
import sys
from textual.app import App
from textual.widgets import Input, Static

class Bell(App):
    BINDINGS = [("f2", "ring", "Ring")]

    def compose(self):
        yield Static("The counter bell: Ärger, 漢字")
        yield Static({shown!r}, markup=False)
        yield Input(placeholder="name")
        yield Static("not rung", id="rung")

    def on_resize(self, event):
        self.query_one("#rung", Static).update(f"{{event.size.width}} by {{event.size.height}}")

    def action_ring(self):
        self.query_one("#rung", Static).update("rung by key")

    def on_click(self, event):
        self.query_one("#rung", Static).update(f"clicked {{event.screen_x}},{{event.screen_y}}")

    def on_input_changed(self, event):
        self.query_one("#rung", Static).update(event.value[::-1])

app = Bell()
app.run()
sys.exit(app.return_code)
"""


def _app(directory: Path, shown: str = "clean") -> list[str]:
    program = directory / "app.py"
    program.write_text(APP.format(shown=shown))
    return [sys.executable, str(program)]


@pytest.mark.parametrize("answers", [True, False])
def test_a_textual_app_runs_and_leaves_the_terminal_as_it_was(tmp_path: Path, answers: bool) -> None:
    with Terminal(_app(tmp_path), answers=answers) as terminal:
        terminal.wait_for("80 by 24")
        assert terminal.text.splitlines()[0] == "The counter bell: Ärger, 漢字"
        assert len(terminal.text.split("\n")) == 24
        terminal.press("f2")
        terminal.wait_for("rung by key")
        terminal.press("abc")
        terminal.wait_for("cba")
        terminal.press("backspace")
        terminal.wait_gone("cba")
        terminal.paste("é漢")
        terminal.wait_for(re.compile(r"^漢éba$", re.MULTILINE))
        terminal.click(4, 0)
        terminal.wait_for("clicked 4,0")
        terminal.resize(50, 10)
        terminal.wait_for("50 by 10")
        assert terminal.modes_left_on
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
        assert terminal.modes_left_on == set()
        assert terminal.text.strip() == ""
        assert foreign_sequences(terminal.raw) == []
        assert (b"\x1b[?2026h" in terminal.raw) is answers


def test_a_strangers_sequence_is_seen(tmp_path: Path) -> None:
    with Terminal(_app(tmp_path, shown="\x1b]52;c;QUJD\x1b\\")) as terminal:
        terminal.wait_for("80 by 24")
        terminal.press("ctrl+q")
        terminal.wait_exit()
        assert set(foreign_sequences(terminal.raw)) == {r"osc '\x1b]52;c;QUJD\x1b\\'"}


def test_every_byte_is_kept_although_nobody_waits(tmp_path: Path) -> None:
    count = 200_000
    with Terminal(
        [sys.executable, "-c", f"print('x' * {count})"], size=(100, 30), directory=tmp_path
    ) as terminal:
        assert terminal.wait_exit() == 0
        assert terminal.raw == b"x" * count + b"\r\n"
        assert terminal.text.splitlines()[0] == "x" * 100


def test_the_terminal_answers_questions() -> None:
    asking = """
import os, sys, tty
tty.setraw(0)
for question in ["[6n", "[?2026$p", "[?31337$p", "[c", "[18t", "]11;?\\x1b\\\\"]:
    os.write(1, ("at " + "\\x1b" + question).encode())
    os.write(1, repr(os.read(0, 100)).encode() + b"\\r\\n")
"""
    with Terminal([sys.executable, "-c", asking], size=(70, 20)) as terminal:
        assert terminal.wait_exit() == 0
        assert terminal.text.splitlines()[:6] == [
            r"at b'\x1b[1;4R'",
            r"at b'\x1b[?2026;2$y'",
            r"at b'\x1b[?31337;0$y'",
            r"at b'\x1b[?62;22c'",
            r"at b'\x1b[8;20;70t'",
            r"at b'\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\'",
        ]


def test_exit_status_and_signals_are_reported() -> None:
    with Terminal([sys.executable, "-c", "raise SystemExit(3)"]) as terminal:
        assert terminal.wait_exit() == 3
    with Terminal(
        [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    ) as terminal:
        assert terminal.wait_exit() == -signal.SIGKILL


def test_a_wait_that_fails_shows_the_screen() -> None:
    with Terminal([sys.executable, "-c", "print('the screen'); input()"]) as terminal:
        with pytest.raises(AssertionError, match=r"(?s)waited 0\.2 s for 'never' to appear.*the screen"):
            terminal.wait_for("never", seconds=0.2)
        with pytest.raises(AssertionError, match=r"(?s)for the end.*the screen"):
            terminal.wait_exit(seconds=0.2)
        terminal.press("enter")
        with pytest.raises(AssertionError, match="the program ended before 'never' to appear"):
            terminal.wait_for("never")


def test_the_program_ends_with_the_block_even_when_it_does_not_want_to(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); signal.pause()"
    with Terminal([sys.executable, "-c", stubborn]) as terminal:
        terminal.end_seconds = 0.1
        terminal.wait_for("ready")
    assert terminal.process.returncode == -signal.SIGKILL


def test_a_half_drawn_screen_is_not_looked_at() -> None:
    program = (
        r"print('\x1b[?2026hhalf', end='', flush=True); input(); print('\x1b[2Kwhole\x1b[?2026l'); input()"
    )
    with Terminal([sys.executable, "-c", program]) as terminal:
        with pytest.raises(AssertionError, match="waited"):
            terminal.wait_for("half", seconds=0.3)
        terminal.press("enter")
        terminal.wait_for("whole")


def test_cells_have_colours_and_the_cursor_a_place() -> None:
    program = r"print('\x1b[1;31mred\x1b[0m\n漢x', end='', flush=True); input()"
    with Terminal([sys.executable, "-c", program]) as terminal:
        terminal.wait_for("x")
        assert terminal.cursor == (3, 1)
        assert terminal.cell(0, 0).fg == "red"
        assert terminal.cell(0, 0).bold
        assert (terminal.cell(2, 1).data, terminal.cell(2, 1).fg) == ("x", "default")


def test_keys_are_sent_as_terminals_send_them() -> None:
    assert [key_bytes(key) for key in ("ctrl+p", "alt+x", "shift+tab", "f5", "q", "ä", "ctrl+\\")] == [
        b"\x10", b"\x1bx", b"\x1b[Z", b"\x1b[15~", b"q", "ä".encode(), b"\x1c",
    ]  # fmt: skip
