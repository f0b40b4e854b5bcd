"""What leaves the app by accident: nothing. Each promise is checked on a real program in a real terminal."""

from __future__ import annotations

import asyncio
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.app import ComposeResult
from textual.color import Color
from textual.widgets import Input, TextArea

from tests.support.hostile import HOSTILE
from tests.support.sequences import foreign_sequences
from tests.support.terminal import Terminal
from tui.api.clock import FrozenClock
from tui.widgets.crash import MOST_REPORTS, CrashReports, Failure
from tui.widgets.safety import SafeApp, StripControls
from tui.widgets.text import SafeStatic

ROOT = Path(__file__).parents[3]
SECRET = "sb_live_0123456789abcdef"

CRASH = """
import sys, threading
from pathlib import Path
sys.path.insert(0, {root!r})
from textual.app import App
from textual.widgets import Static
from tests.tui.widgets.samples import Row, TEXT_COLUMN
from tui.api.clock import FrozenClock
from tui.widgets.crash import CrashReports, report_failures
from tui.widgets.record_list import Cell, Column, RecordList
from tui.widgets.safety import SafeApp

class Crash(SafeApp):
    {body}

reports = CrashReports(Path({reports!r}), FrozenClock("2026-02-23T14:05:00Z"))
report_failures(reports, lambda sentence: print(sentence, file=sys.stderr))
app = Crash(reports=reports)
{after}
app.run()
sys.exit(app.return_code)
"""

WAYS = {
    "mount": """
    def on_mount(self):
        token = {secret!r}
        raise ValueError("refused " + token)
    """,
    "compose": """
    def compose(self):
        headers = {{"Authorization": "Bearer " + {secret!r}}}
        yield Static(headers["nothing"])
    """,
    "draw": """
    def compose(self):
        def render(row):
            token = {secret!r}
            raise LookupError(token)
        rows = RecordList([Column("TEXT", render, flex=1)])
        rows.set_rows([Row("r", "x")])
        yield rows
    """,
    "worker": """
    def on_mount(self):
        self.run_worker(self.work())
    async def work(self):
        token = {secret!r}
        raise RuntimeError(token)
    """,
    "thread worker": """
    def on_mount(self):
        def work():
            token = {secret!r}
            raise RuntimeError(token)
        self.run_worker(work, thread=True)
    """,
    "timer": """
    def on_mount(self):
        token = {secret!r}
        def tick():
            raise OSError(token)
        self.set_timer(0.01, tick)
    """,
    "input thread": """
    def on_mount(self):
        import rich.traceback
        token = {secret!r}
        try:
            raise OSError(token)
        except OSError:
            self.panic(rich.traceback.Traceback(show_locals=True))
    """,
    "error with a rich form": """
    def on_mount(self):
        class Rich(Exception):
            def __rich__(self):
                return {secret!r}
        raise Rich({secret!r})
    """,
    "style sheet": """
    CSS = "Screen {{ colour: {secret}; }}"
    """,
    "thread": """
    def on_mount(self):
        def work():
            token = {secret!r}
            raise RuntimeError(token)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        raise ValueError({secret!r})
    """,
    "task": """
    async def on_mount(self):
        import asyncio
        async def forgotten():
            raise RuntimeError({secret!r})
        task = asyncio.ensure_future(forgotten())
        await asyncio.sleep(0)
        del task
        import gc
        gc.collect()
        raise ValueError({secret!r})
    """,
}


def crash(tmp_path: Path, body: str, after: str = "") -> tuple[bytes, int, list[Path]]:
    """Run a program that fails in a terminal: (all it wrote, its exit status, the reports)."""
    reports = tmp_path / "state" / "reports"
    program = tmp_path / "crash.py"
    text = CRASH.format(root=str(ROOT), reports=str(reports), body=body.format(secret=SECRET), after=after)
    program.write_text(text, encoding="utf-8")
    with Terminal([sys.executable, program], size=(80, 24)) as terminal:
        status = terminal.wait_exit()
        return terminal.raw, status, sorted(reports.glob("*"))


@pytest.mark.parametrize("way", WAYS)
def test_a_crash_tells_one_sentence_and_no_secret(tmp_path: Path, way: str) -> None:
    written, status, reports = crash(tmp_path, WAYS[way])
    assert SECRET.encode() not in written
    assert b"Traceback" not in written
    assert status == 1
    said = written.decode().split("\x1b[?1049l")[-1]
    words = " ".join(re.sub(r"\x1b(\[[0-9;?<>=]*[a-zA-Z]|\][^\x07]*\x07)", "", said).split())
    assert words.startswith(
        "shopbell stopped because of an error in itself. A report without any of your data:"
    )
    assert reports
    for report in reports:
        assert str(report) in words.replace(" ", "") or len(reports) > 1
        assert stat.S_IMODE(report.stat().st_mode) == 0o600
        assert stat.S_IMODE(report.parent.stat().st_mode) == 0o700
        text = report.read_text(encoding="utf-8")
        assert SECRET not in text
        assert str(ROOT) not in text
        assert "types: " in text
    assert foreign_sequences(written) == []


def test_a_report_names_places_in_our_own_code(tmp_path: Path) -> None:
    _written, _status, reports = crash(tmp_path, WAYS["draw"])
    text = reports[0].read_text(encoding="utf-8")
    assert "types: builtins.LookupError" in text
    assert re.search(r"  tui/widgets/columns\.py:\d+ in _parts\n", text)
    assert "crash.py" not in text


def test_a_failure_outside_the_app_is_one_sentence_too(tmp_path: Path) -> None:
    written, status, reports = crash(tmp_path, "pass", after=f"raise KeyError({SECRET!r})")
    assert SECRET.encode() not in written
    assert b"A report without any of your data" in written
    assert status == 1
    assert len(reports) == 1


def test_a_report_that_cannot_be_written_is_no_second_failure(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file stands where the directory should be")
    written, status, _reports = crash(tmp_path, WAYS["mount"])
    assert SECRET.encode() not in written
    assert b"Its kind: builtins.ValueError." in written
    assert status == 1


def test_a_wrapped_error_is_named_with_its_causes() -> None:
    wrapping = ValueError(SECRET)
    wrapping.__cause__ = OSError(SECRET)
    failure = Failure.of(wrapping)
    assert failure.types == ("builtins.ValueError", "builtins.OSError")
    assert SECRET not in failure.text
    circle = ValueError("a")
    circle.__cause__ = circle
    assert Failure.of(circle).types == ("builtins.ValueError",)


def test_two_reports_in_one_second_do_not_overwrite_one_another(tmp_path: Path) -> None:
    reports = CrashReports(tmp_path, FrozenClock("2026-02-23T14:05:00Z"))
    first, second = (reports.write(Failure.of(ValueError(SECRET))) for _ in range(2))
    assert first != second
    assert len(list(tmp_path.iterdir())) == 2
    for _ in range(100):
        reports.write(Failure.of(ValueError(SECRET)))
    assert len(list(tmp_path.iterdir())) == MOST_REPORTS


# -- what is drawn


class Raw(SafeApp[None]):
    """Shows strangers' text through a widget of Textual itself, which lets control characters through."""

    def compose(self) -> ComposeResult:
        from textual.widgets import Static

        for each in HOSTILE[:40]:
            yield Static(each.text[:200], markup=False)
        yield SafeStatic("the end")


RAW = """
import sys
sys.path.insert(0, {root!r})
from tests.tui.widgets.test_safety import Raw
Raw().run()
"""


def test_whatever_a_widget_lets_through_is_deleted(tmp_path: Path) -> None:
    program = tmp_path / "raw.py"
    program.write_text(RAW.format(root=str(ROOT)), encoding="utf-8")
    with Terminal([sys.executable, program], size=(80, 120)) as terminal:
        terminal.wait_for("the end")
        terminal.press("ctrl+q")
        terminal.wait_exit()
        assert foreign_sequences(terminal.raw) == []


@given(st.lists(st.text(), min_size=1))
def test_the_last_filter_deletes_what_a_terminal_acts_on(texts: list[str]) -> None:
    segments = [Segment(text) for text in texts]
    filtered = StripControls().apply(segments, Color(0, 0, 0))
    assert len(filtered) == len(segments)
    out = "".join(segment.text for segment in filtered)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", out)
    assert sum(segment.cell_length for segment in filtered) == sum(
        segment.cell_length for segment in segments
    )


def test_no_colour_means_none(tmp_path: Path) -> None:
    program = tmp_path / "raw.py"
    program.write_text(RAW.format(root=str(ROOT)), encoding="utf-8")
    with Terminal(
        [sys.executable, program], size=(80, 120), environ={"NO_COLOR": "1", "COLORTERM": "truecolor"}
    ) as terminal:
        terminal.wait_for("the end")
        terminal.press("ctrl+q")
        terminal.wait_exit()
        styles = set(re.findall(rb"\x1b\[([0-9;]*)m", terminal.raw))
    numbers = {int(number) for style in styles for number in style.split(b";") if number}
    assert numbers <= {0, 1, 2, 3, 4, 7, 9, 22, 23, 24, 27, 29, 39, 49}


# -- commands


def test_toasts_show_text_as_it_stands_and_there_is_no_screenshot() -> None:
    class Toasting(SafeApp[None]):
        def compose(self) -> ComposeResult:
            yield SafeStatic("x")

    async def run() -> None:
        app = Toasting()
        async with app.run_test(notifications=True) as pilot:
            app.notify("[b]x[/] [/y] \x1b]52;c;x\x07", title="[@click=app.quit]t[/]", markup=True)
            app.screen.notify("[/z]", markup=True)
            await pilot.pause()
            told = list(app._notifications)
            assert [note.markup for note in told] == [False, False]
            assert not any("\x1b" in note.message + note.title for note in told)
            titles = {command.title for command in app.get_system_commands(app.screen)}
            assert "Theme" in titles
            assert "Screenshot" not in titles
            app.action_screenshot()
            assert app.animation_level == "none"

    asyncio.run(run())
    assert not list(Path.cwd().glob("*.svg"))


def test_no_widgets_cursor_blinks() -> None:
    class Typing(SafeApp[None]):
        def compose(self) -> ComposeResult:
            yield Input()
            yield TextArea()

    async def run() -> None:
        app = Typing()
        async with app.run_test() as pilot:
            for widget in (app.query_one(Input), app.query_one(TextArea)):
                widget.focus()
                await pilot.pause()
                assert not widget.cursor_blink

    asyncio.run(run())


def test_the_app_starts_without_what_only_its_end_needs() -> None:
    program = "import sys, tui.widgets.safety; print('rich.traceback' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "False"
