"""The frame around every section: identity strip, tabs, status line, command bar, footer.

None of them knows where its words come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.strip import Strip
from textual.suggester import SuggestFromList

from tui import keys
from tui.widgets.bar import Bar, Part, size
from tui.widgets.cells import clip, fit, plain, width, wrap
from tui.widgets.format import ASCII, UNICODE, Glyphs, badge
from tui.widgets.text import Line, SafeInput


@dataclass(frozen=True, slots=True)
class SectionMark:
    """A section as the strip names it: its digit, its name, and what is counted beside it.

    ``badge`` counts what needs attention, ``number`` what waits in the section.
    """

    digit: str
    name: str
    command: str
    current: bool = False
    badge: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """All that the identity strip says.

    Attributes:
        shop: the shop's name.
        environment: ``live``, ``test`` or ``practice``; all but ``live`` are said aloud.
        sections: the sections there are.
        person: who you are; empty before that is known.
        role: your role.
        connection: how the connection stands, from the longest wording to the shortest.
        health: the look of the connection (see ``Bar``).
        glyphs: the decorative characters.
    """

    shop: str = ""
    environment: str = "live"
    sections: tuple[SectionMark, ...] = ()
    person: str = ""
    role: str = ""
    connection: tuple[str, ...] = ("",)
    health: str = "muted"
    glyphs: Glyphs = UNICODE


class IdentityStrip(Bar):
    """Shop, environment, sections with the attention badge, who you are, and the connection: always."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._identity = Identity()

    def identify(self, identity: Identity) -> None:
        """Say this from now on."""
        self._identity = identity
        self._fit()

    def on_resize(self) -> None:
        """Choose the longest wording that fits."""
        self._fit()

    def _fit(self) -> None:
        if self.size.width:
            self.show(*fit_identity(self._identity, self.size.width))


def fit_identity(identity: Identity, cells: int) -> tuple[list[Part], list[Part]]:
    """The parts of the strip in the longest wording that fits ``cells``: (left, right).

    What goes first is what the reader knows: the own name, then the end of the connection's sentence, the end of
    the shop's name, and the words beside the digits of all sections but the current one, and of that. Since when
    there is no connection goes after all of these.
    """
    last = len(identity.connection) - 1
    shortest = max(last - 1, 0)  # in words
    telling = range(max(shortest, 1))  # with since when, where there is such a moment
    name = max(width(identity.shop), 1)
    spoken = [
        (shop, "all", person, wording) for shop in (name, 16) for wording in telling for person in (32, 12, 0)
    ]
    digits = [
        (shop, "current", person, wording)
        for wording in telling
        for shop in (name, 16, 8)
        for person in (12, 0)
    ]
    since = [(8, "none", 0, telling[-1])] if shortest else []
    short = [(8, "current", 12, shortest), (8, "current", 0, shortest)]
    least = [(8, "none", 0, shortest), (8, "none", 0, last), (4, "none", 0, last)]
    parts: tuple[list[Part], list[Part]] = ([], [])
    for shop, words, person, wording in [
        *spoken,
        (12, "all", 0, telling[-1]),
        *digits,
        *since,
        *short,
        *least,
    ]:
        parts = (_who_and_where(identity, shop, words=words), _right_end(identity, person, wording))
        if size(parts[0]) + 1 + size(parts[1]) <= cells:
            break
    return parts


def _who_and_where(identity: Identity, shop: int, *, words: str) -> list[Part]:
    """The left end; ``words`` stand beside the digits of ``all`` sections, the ``current`` one, or ``none``."""
    glyphs = identity.glyphs
    sign = "◆" if glyphs is UNICODE else "#"
    parts = [Part(f"{sign} {clip(plain(identity.shop), shop, glyphs.ellipsis)}", "strong")]
    if identity.environment != "live":
        parts += [Part(" "), Part(identity.environment.upper(), "practice")]
    room = "" if words == "none" else " "
    parts.append(Part(room * 2))
    for section in identity.sections:
        named = words == "all" or (words == "current" and section.current)
        text = f"{section.digit} {section.name}" if named else section.digit
        parts += [
            Part(" "),
            Part(text, "current" if section.current else "muted", section.command),
        ]
        if section.badge:
            parts.append(Part(f" {glyphs.attention}{badge(section.badge)}", "warning", "attention.next"))
        if section.number:
            number = badge(section.number) if named else f"({badge(section.number)})"  # "4 4" says nothing
            parts.append(Part(f" {number}", "strong", section.command))
        parts.append(Part(room))
    return parts


def _right_end(identity: Identity, person: int, wording: int) -> list[Part]:
    who = identity.person
    if width(who) > person:
        who = clip(who.split("@", 1)[0], person, identity.glyphs.ellipsis)
    spoken = f"{who}{identity.glyphs.dot}{identity.role}" if who and identity.role else who or identity.role
    parts = [Part(f"{spoken}  ", "muted")] if spoken else []
    return [*parts, Part(identity.connection[wording], identity.health)]


@dataclass(frozen=True, slots=True)
class TabMark:
    """A tab of a section: its id, its words, and how many rows stand under it when that is known."""

    id: str
    name: str
    count: int | None = None


class TabBar(Bar):
    """The tabs of a section, the current one in brackets, and at the right what narrows the list."""

    def tabs(self, marks: Sequence[TabMark], current: str, narrowed: Sequence[Part], *, keep: bool) -> None:
        """Show these tabs; a click presses the command ``tab:`` and the tab's id.

        ``keep`` shows what narrows the list even where the tabs must be cut for it.
        """
        self.left_first = not keep
        parts = [Part(" ")]
        for mark in marks:
            chosen = mark.id == current
            count = "" if mark.count is None else f" {mark.count:,}"
            text = f"[{mark.name}]{count} " if chosen else f" {mark.name}{count}  "
            text = text.rstrip() if mark is marks[-1] else text  # blanks at the end need no room
            parts.append(Part(text, "current" if chosen else "muted", f"tab:{mark.id}"))
        self.show(parts, [*narrowed, Part(" ")])


Outcome = Literal["done", "refused", "note", "leaving"]
_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "done": ("✓ ", "success"),
    "refused": ("✖ ", "error"),
    "note": ("", "muted"),
    "leaving": (f"{UNICODE.outside} ", "key"),
}
_OUTCOMES_ASCII = {"✓ ": "OK ", "✖ ": "X ", f"{UNICODE.outside} ": "^ "}


class StatusLine(Bar):
    """What the last action came to, at the left; where in the list one stands, at the right.

    A sentence that does not fit takes a second line, and a third; the place gives way to it.
    """

    MOST_LINES: ClassVar[int] = 3

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.left_first = True
        self.glyphs = glyphs
        self._kind: Outcome = "note"
        self._sentence = ""
        self._hint = ""
        self._place: list[Part] = []
        self._below: list[str] = []

    def say(self, kind: Outcome, sentence: str, hint: str = "") -> None:
        """Say what came of an action; an empty sentence clears it. ``hint`` says what can be done next."""
        self._kind, self._sentence, self._hint = kind, sentence, hint
        self._fit()

    @property
    def sentence(self) -> str:
        """What was said last."""
        return self._sentence

    @property
    def tells(self) -> bool:
        """Whether it says what was done, or is about to be: nothing less takes that away."""
        return bool(self._sentence) and self._kind in ("done", "leaving")

    def fade(self) -> None:
        """The reader went elsewhere: only what can still be undone stays."""
        if not self.tells:
            self.say("note", "")

    def stand(self, place: Sequence[Part]) -> None:
        """Say where in the list one stands."""
        self._place = [*place, Part(" ")] if place else []
        self._fit()

    def on_resize(self) -> None:
        """As many lines as the sentence needs now."""
        self._fit()

    @property
    def words(self) -> str:
        """The text as it stands, on however many lines."""
        return " ".join([super().words, *self._below]).strip()

    def _fit(self) -> None:
        icon, look = _OUTCOMES[self._kind]
        icon = f" {icon if self.glyphs is UNICODE else _OUTCOMES_ASCII.get(icon, icon)}"
        body = "muted" if self._kind == "note" else "text"
        parts = [Part(icon, look), Part(self._sentence, body)]
        if self._hint:
            parts.append(Part(f" {self.glyphs.dot} {self._hint}", "muted"))
        room, below = self.size.width, []
        if room and size(parts) >= room:
            whole = "".join(part.text for part in parts[1:])
            first, *below = wrap(whole, max(room - width(icon) - 1, 1))[: self.MOST_LINES]
            parts = [parts[0], Part(first, body)]
        if below != self._below:
            self._below = below
            self.styles.height = 1 + len(below)
            self.refresh(layout=True)
        self.show(parts if self._sentence else [], [] if below else self._place)

    def render_line(self, y: int) -> Strip:
        """Draw the line, and what of the sentence stands below it."""
        if not 0 < y <= len(self._below):
            return super().render_line(y)
        room, look = self.size.width, "muted" if self._kind == "note" else "text"
        text = fit(f"{' ' * width(_OUTCOMES[self._kind][0])} {self._below[y - 1]}", room)
        return Strip([Segment(text, self.style_of(look))], room)


class CommandBar(Horizontal):
    """One line to type into: ``/`` for a filter, ``:`` for a command. It stands in the status line's place."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "cancel")]

    DEFAULT_CSS = """
    CommandBar {
        height: 1;
        display: none;
        background: $background;
        & > Line { width: 3; text-style: bold; color: $accent; }
        & > SafeInput { width: 1fr; background: $background; border: none; height: 1; padding: 0; }
        &:ansi > Line { color: ansi_default; }
        &:ansi > SafeInput { background: ansi_default; color: ansi_default; }
    }
    """

    @dataclass
    class Submitted(Message):
        """A line was entered: ``prompt`` is ``/`` or ``:``."""

        prompt: str
        text: str

    class Closed(Message):
        """The bar was left without entering anything."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.prompt = "/"

    def compose(self) -> ComposeResult:
        """The prompt and the line."""
        yield Line(" /")
        yield SafeInput()

    def ask(self, prompt: str, value: str = "", *, hint: str = "", words: Sequence[str] = ()) -> None:
        """Open the bar with this prompt; ``words`` are offered as completions."""
        self.prompt = prompt
        self.query_one(Line).update(f" {prompt}")
        line = self.query_one(SafeInput)
        line.placeholder = hint
        line.suggester = SuggestFromList(words, case_sensitive=False) if words else None
        line.value = value
        line.cursor_position = len(value)
        self.display = True
        line.focus()

    def on_input_submitted(self, event: SafeInput.Submitted) -> None:
        """Close and tell what was entered."""
        event.stop()
        self.display = False
        self.post_message(self.Submitted(self.prompt, event.value.strip()))

    def action_cancel(self) -> None:
        """Close and forget what was typed."""
        self.display = False
        self.post_message(self.Closed())


class Footer(Bar):
    """The keys that matter for what has the focus: at most eight, and the help last."""

    def __init__(self, live: keys.Keymap, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._live = live
        self._ascii = glyphs is not UNICODE
        self._focus: keys.Focus = "orders"
        self._allowed: Callable[[keys.Command], bool] = lambda _command: True

    def focus_on(self, focus: keys.Focus, allowed: Callable[[keys.Command], bool]) -> None:
        """Show the keys of this focus that the caller may use."""
        self._focus, self._allowed = focus, allowed
        self._fit()

    def on_resize(self) -> None:
        """Leave out what does not fit, from the end; the help stays."""
        self._fit()

    def _fit(self) -> None:
        places = [place for place in keys.FOOTERS[self._focus] if self._allowed(keys.BY_ID[place[0]])]
        parts = [self._place(place) for place in places]
        while len(parts) > 2 and sum(size(part) for part in parts) > self.size.width:
            del parts[-2]
        self.show([part for place in parts for part in place])

    def _place(self, place: tuple[str, ...]) -> list[Part]:
        shown = [self._live.shown(command_id, ascii_only=self._ascii) for command_id in place]
        apart = "" if all(len(key) == 1 for key in shown) else " "
        word = keys.FOOTER_WORDS.get(place) or keys.BY_ID[place[0]].label
        sign = ASCII.outside if self._ascii else UNICODE.outside
        outside = f" {sign}" if keys.BY_ID[place[0]].outside else ""
        command = place[0] if len(place) == 1 else None
        return [Part(f" {apart.join(shown)}", "key", command), Part(f"{outside} {word} ", "muted", command)]
