"""The Settings section: what holds and who says so, changed in its place, and connections tried out."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from server.contract.settings import SettingRow, Settings, TestResult
from tui import keys
from tui.api import settings as calls
from tui.api.errors import ApiError, Refused
from tui.api.window import Source, Window
from tui.screens import settings_rows
from tui.screens.attempts import attempt
from tui.screens.desk import Desk
from tui.screens.reasons import reason, state_of
from tui.screens.rows import Shelf
from tui.screens.section import Section
from tui.screens.setting_editor import LEAST_CELLS, SettingEditor
from tui.screens.setting_story import group_story, results, setting_story
from tui.screens.settings_rows import Line, SettingsSource
from tui.widgets.bar import Part
from tui.widgets.columns import LEAD, lay_out
from tui.widgets.format import count
from tui.widgets.frame import TabMark
from tui.widgets.list_cursor import Highlighted
from tui.widgets.record_list import Column, RecordList

if TYPE_CHECKING:
    from server.contract.base import ActionState
    from tui.api.client import Client

WHY_NOT: Final = {"not_set": "Nobody set it: the default holds already."}


class SettingsSection(Section[Line]):
    """Settings below the headings of their groups."""

    NAME = "settings"
    TABS = (TabMark("all", "All"), TabMark("set", "Set"), TabMark("trouble", "Trouble"))
    TOPICS = frozenset({"settings"})
    FILTER_HINT = "words of a name, a meaning or a value"
    NOUNS = ("setting", "settings")
    LIST_FOCUS = "settings"
    STORY_FOCUS = "setting"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("settings")]

    DEFAULT_CSS = """
    SettingsSection { layers: base above; }
    """

    def __init__(self, desk: Desk) -> None:
        self._results: dict[str, TestResult | None] = {}
        super().__init__(desk)
        self._settings: Settings | None = None
        self._editor: SettingEditor | None = None
        self._saved: str | None = None
        """The setting that was changed here just now."""

    def compose(self) -> ComposeResult:
        """Tabs, list, story."""
        yield self.tab_bar
        with Horizontal(classes="panes"):
            yield self.list
            yield self.story

    # The list.

    def make_list(self) -> RecordList[Line]:
        """Name, value, who says so."""
        glyphs = self.desk.glyphs
        return RecordList(self.columns(), lead=settings_rows.lead(glyphs), glyphs=glyphs)

    def columns(self) -> list[Column[Line]]:
        """What a line of the list says."""
        return settings_rows.columns(self.desk.glyphs, self._results)

    def query_key(self) -> Hashable:
        """Tab and words."""
        return self.tab, self.words

    def source(self, client: Client) -> Source[Line]:
        """The settings under this tab that match."""
        return SettingsSource(client, self.tab, self.words, self._heard)

    def _heard(self, settings: Settings) -> None:
        self._settings = settings

    def new_shelf(self) -> Shelf[Line]:
        """A window in the order of the lines; all of them are here, none waits above."""
        window: Window[Line] = Window(rank=settings_rows.rank)
        window.follow = True
        return Shelf(window, window)

    def empty(self) -> tuple[str, str]:
        """Why there are no settings."""
        if self.words:
            return f"No setting has “{self.words}”.", f"{self.desk.key('close')} clears the filter."
        if self.tab == "trouble":
            return "Every setting is of use.", "One whose stored value cannot be read stands here."
        return "Nobody set anything yet.", "The defaults hold; they stand under “All”."

    async def count(self, client: Client) -> dict[str, int]:  # noqa: ARG002 - they are all here
        """How many settings stand under each tab."""
        if self._settings is None:
            return {}
        rows = [row for group in self._settings.groups for row in group.settings]
        return {tab.id: sum(settings_rows.in_tab(row, tab.id) for row in rows) for tab in self.TABS}

    def say_place(self) -> None:
        """Say how many settings are shown."""
        source = self.list.source
        lines = (source.row_at(at) for at in range(len(source)))
        many = sum(line is not None and line.row is not None for line in lines)
        self.frame.stand(self, [Part(count(many, *self.NOUNS), "muted")] if many else [])

    def toggle_follow(self) -> None:
        """There is nothing to follow here."""
        self.frame.say("note", "All settings are here: none comes in by itself.")

    def rows_came(self) -> None:
        """An answer came: what is edited may stand elsewhere now."""
        super().rows_came()
        self.call_after_refresh(self._place)

    # The story.

    @property
    def line(self) -> Line | None:
        """The line that keys act on."""
        return self.list.row_of(self.subject)

    async def tell(self, row_id: str, *, fresh: bool) -> None:  # noqa: ARG002 - the line holds it all
        """Show what the setting means, or what the group's tests found."""
        line, desk = self.line, self.desk
        if line is None:
            return
        tried = results(line.tests, self._results, desk.glyphs)
        test = f"{desk.key('setting.test')} {desk.glyphs.outside} test" if line.tests else ""
        if line.row is None:
            rows = self._rows_of(line.group)
            blocks = group_story(line.label, rows, hint=test, tests=tried)
        else:
            hint = "   ".join(filter(None, (self._edit_hint(line.row), test)))
            saved = self._saved == line.row.name
            blocks = setting_story(line.row, desk.times, desk.glyphs, saved=saved, hint=hint, tests=tried)
        self.show_story(row_id, blocks)

    def _rows_of(self, group: str) -> list[SettingRow]:
        groups = [] if self._settings is None else self._settings.groups
        return [row for each in groups if each.name == group for row in each.settings]

    def _edit_hint(self, row: SettingRow) -> str:
        state = state_of(row.actions, "set")
        if state is None or state.allowed:
            return f"{self.desk.key('setting.edit')} edit"
        return self._why_not(row, state)

    def on_record_list_highlighted(self, event: Highlighted) -> None:
        """Another line is looked at: what was begun on this one is left. What every section does then is done too."""
        if self._editor is not None and event.row_id != self._editor.row.name:
            self._close_editor()
        if self._saved is not None and event.row_id != self._saved:
            self._saved = None

    def enter(self, row_id: str) -> None:
        """Enter changes a setting; a heading opens its story."""
        if self.line is not None and self.line.row is not None:
            self.action_edit()
        else:
            super().enter(row_id)

    def action_about(self) -> None:
        """Open the story of the line, or close it."""
        if self.is_open:
            self.set_open(opened=False)
        elif self.subject is not None:
            self.open(self.subject)

    # Changing.

    def _why_not(self, row: SettingRow, state: ActionState) -> str:
        if state.reason == "overridden_by_environment" and row.variable:
            return f"{row.variable} of the server's environment says it: change it there."
        return WHY_NOT.get(state.reason or "") or reason(state.reason)

    def _may(self, row: SettingRow, name: str) -> bool:
        """Whether the server lets this be done to a setting; else it is said why not."""
        state = state_of(row.actions, name)
        if state is not None and not state.allowed:
            self.frame.say("refused", self._why_not(row, state))
            return False
        return True

    def action_edit(self) -> None:
        """Change the setting under the cursor, in its place."""
        line = self.line
        if line is None or line.row is None:
            self.frame.say("note", "Stand on a setting to change it.")
        elif self._may(line.row, "set"):
            self._close_editor()
            if not self.wide:
                self.set_open(opened=False)
            self.frame.say("note", "")
            self._saved = None
            self.repeatable = "setting.edit"
            explain = not self.wide
            self._editor = SettingEditor(line.row, self.desk.live, glyphs=self.desk.glyphs, explain=explain)
            self.mount(self._editor)
            self.call_after_refresh(self._place)

    def _place(self) -> None:
        """Lay the editor over the value of its setting, as far as that is in sight."""
        editor, rows = self._editor, self.list
        at = None if editor is None else rows.source.index_of(editor.row.name)
        if editor is None or at is None:
            return
        layout = lay_out(self.columns(), rows.size.width)
        begin = LEAD + layout.placed[0].cells + layout.placed[1].gap - 1 if len(layout.placed) > 1 else LEAD
        begin = max(min(begin, rows.size.width - LEAST_CELLS), 0)
        editor.styles.width = max(rows.scrollable_content_region.width - begin, 1)
        y = rows.region.y - self.region.y + rows.fixed_lines + at - rows.top
        up = y + editor.size.height > self.size.height and y >= editor.size.height
        editor.turn(up=up)
        y -= editor.size.height - 1 if up else 0
        editor.styles.offset = (rows.region.x - self.region.x + begin, max(y, 0))

    def on_setting_editor_laid(self) -> None:
        """It takes more lines, or fewer."""
        self._place()

    def on_resize(self) -> None:
        """The list has other columns now. What every section does then is done too."""
        self.call_after_refresh(self._place)

    @property
    def focus_kind(self) -> keys.Focus:
        """Whose keys the footer shows."""
        return super().focus_kind if self._editor is None else self._editor.kind

    def take_focus(self) -> None:
        """Put the focus where reading or writing goes on."""
        if self._editor is None:
            super().take_focus()
        else:
            self._editor.take_focus()

    def leave(self) -> bool:
        """Close what is open; whether there was anything."""
        if self._editor is not None:
            self._close_editor()
            return True
        return super().leave()

    def _close_editor(self) -> None:
        editor, self._editor = self._editor, None
        if editor is not None:
            focused = editor.has_focus_within
            editor.remove()
            if focused:
                self.take_focus()

    def on_setting_editor_gave_up(self) -> None:
        """It stays as it was."""
        self._close_editor()

    def on_setting_editor_submitted(self, event: SettingEditor.Submitted) -> None:
        """Save it."""
        event.stop()
        self.begin(partial(self._save, event.name, event.value), "save", exclusive=False)

    async def _save(self, name: str, value: str) -> None:
        editor, client = self._editor, self.desk.client
        if editor is None or editor.row.name != name or client is None:
            return
        try:
            row = await calls.set_value(client, name, value)
        except ApiError as error:
            why = calls.refusal(error, editor.row.label) if isinstance(error, Refused) else error.sentence
            editor.say("refused", why)
            self.frame.failed(error)
            return
        if self._editor is editor:
            self._close_editor()
        self._changed(row)
        self.frame.say("done", f"{row.label}: {settings_rows.shown(row).text}")

    def _changed(self, row: SettingRow) -> None:
        """A setting was changed here: show it at once, and mark it."""
        self._saved = row.name
        self.frame.ask_soon()
        self.reload()

    def action_unset(self) -> None:
        """Forget what was stored."""
        line = self.line
        if line is None or line.row is None:
            self.frame.say("note", "Stand on a setting to set it back.")
        elif self._may(line.row, "unset"):
            attempt(self, partial(self._unset, row=line.row))

    async def _unset(self, client: Client, *, row: SettingRow) -> None:
        after = await calls.unset(client, row.name)
        self._changed(after)
        gone = "it is forgotten" if row.kind == "secret" else f"{settings_rows.shown(after).text} again"
        self.frame.say("done", f"{row.label}: {gone}")

    # Trying out.

    def action_try_out(self) -> None:
        """Try the connection of this group out, as it is stored."""
        line = self.line
        groups = [] if self._settings is None else self._settings.groups
        group = next((each for each in groups if line is not None and each.name == line.group), None)
        if group is None or not group.tests:
            self.frame.say("note", "There is nothing to try out in this group.")
            return
        for test in group.tests:
            if not test.allowed:
                self.frame.say("refused", reason(test.reason))
            elif self._results.get(test.name, ...) is not None:  # not while it runs
                self._result(test.name, None)
                self.repeatable = "setting.test"
                attempt(self, partial(self._try_out, name=test.name, label=group.label))

    async def _try_out(self, client: Client, *, name: str, label: str) -> None:
        try:
            result = await calls.try_out(client, name)
        except ApiError:
            self._results.pop(name, None)
            self._result()
            raise
        self._result(name, result)
        self.frame.say("done" if result.ok else "refused", f"{label}: {result.message}")

    def _result(self, name: str = "", result: TestResult | None = None) -> None:
        if name:
            self._results[name] = result
        self.list.set_columns()
        self.retell(fresh=False)

    def action_copy(self) -> None:
        """Copy the setting's name."""
        line = self.line
        self.copy(
            None if line is None or line.row is None else line.row.name, "There is no setting here to copy."
        )
