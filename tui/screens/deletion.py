"""The deletion of a person: the plan first, then the typed confirmation, then the receipt. Escape always cancels."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui import keys
from tui.api import people as calls
from tui.api.errors import ApiError, Refused
from tui.screens.deletion_story import Moved, drift, plan_story, receipt_story
from tui.screens.person_page import PersonPage
from tui.screens.reasons import reason
from tui.widgets.cells import plain
from tui.widgets.format import ASCII
from tui.widgets.text import SafeButton, SafeInput, SafeStatic

if TYPE_CHECKING:
    from server.contract.deletion import Deletion, DeletionPlan
    from tui.api.client import Client
    from tui.screens.people import PeopleSection

LONGEST: Final = 320
"""Characters that can be typed."""
_NEW_PLAN: Final = frozenset({"plan_changed", "plan_unknown"})


class DeletionPage(PersonPage):
    """Shows what a deletion would do, and does it when the person's address was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings("deletion"),
        Binding("shift+tab,left,h", "step(-1)", "previous place", show=False),
        Binding("right,l", "step(1)", "next place", show=False),
    ]

    DEFAULT_CSS = """
    DeletionPage {
        & > .confirm {
            height: auto;
            padding: 0 1;
            background: $surface;
            border-left: outer $error;
            display: none;
            & > SafeStatic { height: auto; }
            & > .state { color: $text-muted; }
            & > SafeInput { background: $background; border: none; height: 1; padding: 0 1; }
            & > Horizontal { height: 1; }
            & SafeButton { margin: 0 2 0 0; }
            & #delete { color: $text-error; }
        }
        &.-ascii > .confirm { border-left: ascii $error; }
        &.-planned > .confirm { display: block; }
        &.-protected > .confirm {
            border-left: outer $border-blurred;
            & > SafeInput, & > SafeStatic, & #delete { display: none; }
        }
        &.-refused > .confirm > .state { color: $error; }
        &:ansi {
            & > .confirm { background: ansi_default; }
            & > .confirm > SafeInput { background: ansi_default; text-style: underline; }
            & > .confirm > .state { color: ansi_default; text-style: dim; }
            &.-refused > .confirm > .state { color: ansi_red; text-style: not dim; }
            & #delete { color: ansi_red; }
        }
    }
    """

    def __init__(self, section: PeopleSection, subject: str, name: str | None = None) -> None:
        super().__init__(section, subject)
        self.set_class(section.desk.glyphs is ASCII, "-ascii")
        self._name = name
        self._plan: DeletionPlan | None = None
        self._moved: list[Moved] | None = None
        self._refused = ""
        self._done: Deletion | None = None
        self._busy = False
        self._unsure = False
        """A deletion was sent and no answer came: it may have happened."""
        self._input = SafeInput(max_length=LONGEST)
        self._cancel = SafeButton("Cancel", id="cancel")
        self._delete = SafeButton("Delete for good", id="delete")

    def compose(self) -> ComposeResult:
        """The plan; what must be typed; the two places."""
        yield self.text
        with Vertical(classes="confirm"):
            yield SafeStatic(classes="ask")
            yield self._input
            with Horizontal():
                yield self._cancel
                yield self._delete
            yield SafeStatic(classes="state")

    def on_mount(self) -> None:
        """Ask for the plan."""
        self.text.set_sentence("loading", "Counting what would happen…")
        self.text.focus(scroll_visible=False)
        self._begin(self._look_at_plan)

    @property
    def focus_kind(self) -> keys.Focus:
        """Whose keys the footer shows."""
        if self._done is not None:
            return "receipt"
        if self._plan is not None and self._plan.protections:
            return "explained"
        return "confirming" if self._input.has_focus else "deletion"

    @property
    def finished(self) -> bool:
        """Whether the person is erased, or about to be."""
        return self._done is not None

    def take_focus(self) -> None:
        """On Cancel, unless something is being typed; in the receipt, on its text."""
        if self._done is not None or not self.has_class("-planned"):
            self.text.focus(scroll_visible=False)
        elif not self._input.has_focus and not self._delete.has_focus:
            self._cancel.focus(scroll_visible=False)

    def copied(self) -> tuple[str, str]:
        """The receipt's number, once there is one."""
        if self._done is None:
            return "", ""
        return self._done.id, "The receipt's number was sent to your terminal's clipboard"

    # The plan.

    def _begin(self, work: Callable[[Client], Awaitable[None]]) -> None:
        client = self.section.desk.client

        async def done() -> None:
            if client is None:
                self.text.set_sentence("problem", "There is no connection yet.")
                return
            try:
                await work(client)
            except ApiError as error:
                self._failed(error)

        self.section.begin(done, "page", exclusive=False)

    def _failed(self, error: ApiError) -> None:
        """Something was not answered: say so where one reads."""
        self._busy = False
        self.section.frame.failed(error)
        if isinstance(error, Refused) and error.code == "already_erased":
            self._begin(self._look_who)
        elif self._plan is None and self._done is None:
            key = self.section.desk.key("refresh")
            self.text.set_sentence("problem", error.sentence, f"{key} tries again.")
        else:
            self._say(error.sentence, refused=True)

    async def _look_at_plan(self, client: Client) -> None:
        self._show_plan(await calls.plan(client, self.subject))

    def _show_plan(self, plan: DeletionPlan) -> None:
        """Show a plan; whatever was typed for another one is gone, and the focus is on Cancel."""
        if not self.is_attached:
            return
        self._plan = plan
        self.text.show(
            plan_story(
                plan, self.section.desk.times, name=self._name, moved=self._moved, refused=self._refused
            ),
            top=True,
        )
        self._input.value = ""
        self._input.placeholder = plain(plan.confirm)
        self.set_class(bool(plan.protections), "-protected")
        self.add_class("-planned")
        self.query_one(".ask", SafeStatic).update(f"To delete this person, type  {plan.confirm}")
        self._cancel.label = "Back" if plan.protections else "Cancel"
        self._say()
        self._cancel.focus(scroll_visible=False)
        self.section.frame.refocus()

    def _say(self, sentence: str = "", *, refused: bool = False) -> None:
        """Say how the confirmation stands, in its last line."""
        self.set_class(refused, "-refused")
        live = self.section.desk.key
        hint = (
            f"{live('deletion.type')} or {live('deletion.other')} to type   {live('deletion.cancel')} cancels"
        )
        self.query_one(".state", SafeStatic).update(sentence or hint)

    # The confirmation.

    def action_type_in(self) -> None:
        """Go and type."""
        if self._plan is not None and not self._plan.protections and self._done is None:
            self._input.focus(scroll_visible=False)

    def action_step(self, step: Literal[1, -1]) -> None:
        """From the line to Cancel, to Delete for good, and round."""
        if self._done is not None or self._plan is None:
            return
        places: list[Widget] = [self._cancel]
        if not self._plan.protections:
            places = [self._input, self._cancel, self._delete]
        at = next((at for at, place in enumerate(places) if place.has_focus), None)
        if at is None:
            self._cancel.focus(scroll_visible=False)
        elif at == 1 and step == 1 and not self._input.value:
            self._input.focus(scroll_visible=False)  # nothing is typed yet: there is nothing to press
        else:
            places[(at + step) % len(places)].focus(scroll_visible=False)

    def action_cancel(self) -> None:
        """Leave everything as it is."""
        self.section.dismiss()

    def on_input_changed(self, event: SafeInput.Changed) -> None:
        """Something was typed: say whether it is what must be."""
        event.stop()
        if self._plan is None or self._busy:
            return
        if self._input.value and self._same:
            self._say(f"That is it. {self.section.desk.key('deletion.other')} goes on to the two places.")
        else:
            self._say()

    @property
    def _same(self) -> bool:
        """Whether what is typed looks like what must be; the server decides."""
        plan = self._plan
        return plan is not None and _folded(self._input.value) == _folded(plan.confirm)

    def on_input_submitted(self, event: SafeInput.Submitted) -> None:
        """Enter in the line deletes nothing yet: it goes on to the place that does."""
        event.stop()
        if self._same:
            self._delete.focus(scroll_visible=False)
        elif self._plan is not None:
            self._say(f"That is not {self._plan.confirm}. Nothing was deleted.", refused=True)

    def on_button_pressed(self, event: SafeButton.Pressed) -> None:
        """One of the two places."""
        event.stop()
        if event.button is self._cancel:
            self.action_cancel()
        elif not self._input.value.strip():
            self.action_type_in()
            self._say("Nothing is typed yet.", refused=True)
        elif not self._busy:
            self._busy = True
            self._say("Deleting…")
            self._begin(self._do)

    async def _do(self, client: Client) -> None:
        plan = self._plan
        if plan is None:
            return
        try:
            done = await calls.delete(client, self.subject, plan.hash, self._input.value)
        except Refused as error:
            self._busy = False
            await self._no(client, plan, error)
            return
        except ApiError:
            self._unsure = True
            raise
        self._busy = False
        self._finish(done)
        waits = done.state == "scheduled"
        said = f"Erasure scheduled: {self._name or plan.shown}" if waits else f"Erased: ⟨erased {done.mark}⟩"
        self.section.frame.say("done", said)
        self.section.frame.ask_soon()
        self.section.reload()

    async def _no(self, client: Client, plan: DeletionPlan, error: Refused) -> None:
        """The server said no: why, and the plan as it is now where that is another one."""
        if error.code == "already_erased":
            await self._look_who(client)
        elif error.code == "confirmation_mismatch":
            self._say(reason(error.code), refused=True)
            self._input.focus(scroll_visible=False)
        elif error.code == "rate_limited":
            self._say(self._when_again(error), refused=True)
            self._cancel.focus(scroll_visible=False)
        else:
            now = await calls.plan(client, self.subject)
            self._moved = drift(plan, now) if error.code == "plan_changed" else None
            finer = error.reason if error.code == "insufficient_permissions" else None
            self._refused = (
                "" if error.code == "plan_changed" else reason(finer or error.code, error.sentence)
            )
            self._show_plan(now)
            if error.code in _NEW_PLAN:
                self._say("This is the new plan: read it, then type again.", refused=True)
            else:
                self._say(self._refused, refused=True)

    def _when_again(self, error: Refused) -> str:
        """The server's own words, and the time on the reader's clock."""
        said = error.problem.detail or error.sentence
        if error.retry_after is None:
            return said
        times = self.section.desk.times
        again = times.now + timedelta(seconds=error.retry_after)
        return f"{said} That is at {times.local(again):%H:%M}. Nothing was deleted."

    # Afterwards.

    def _finish(self, done: Deletion) -> None:
        """It is done, or scheduled: show the receipt."""
        self._done = done
        self.section.did_erase(done.person_id)
        if self.is_attached:
            self.remove_class("-planned")
            self._tell(top=True)
            self.text.focus(scroll_visible=False)
            self.section.frame.refocus()

    def _tell(self, *, top: bool = False) -> None:
        done, desk = self._done, self.section.desk
        if done is None:
            return
        hint = f"{desk.key('copy')} copy its number   {desk.key('close')} back to the list"
        self.text.show(receipt_story(done, desk.times, desk.glyphs, hint=hint), top=top)

    def look(self) -> None:
        """Follow the cleaning; before that, see whether somebody else was faster."""
        if self._busy:
            return
        if self._done is not None:
            self._begin(self._follow)
        elif self._plan is None:
            self._begin(self._look_at_plan)
        else:
            self._begin(self._look_who)

    async def _follow(self, client: Client) -> None:
        if self._done is not None and self._done.state in {"erased", "scheduled", "residue"}:
            self._done = await calls.deletion(client, self._done.id)
            self._tell()

    async def _look_who(self, client: Client) -> None:
        person = await calls.person(client, self.subject)
        if person.erased_at is None and not (self._unsure and person.hidden):
            return
        mine = await calls.deletion_of(client, self.subject) if self._unsure else None
        if mine is not None and mine.asked_by == self.section.me:
            self._unsure = False
            self._finish(mine)
        else:
            self.section.page_is_gone(self, person.shown)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()
