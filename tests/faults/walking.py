"""A reader who looks at everything: keys for every screen of the client, each with what must come of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.support.terminal import Terminal
from tests.support.waiting import until

ORDER_TABS = ("Unpaid", "To ship", "Shipped", "Problems", "All")
JOB_TABS = ("Running", "Waiting", "Failed", "Exhausted", "Done", "Scheduled", "All")
TICKET_TABS = ("Mine", "Unassigned", "Resolved", "All", "Open")
THEMES = 4
PASTED = "\u202eexe.\x07[@click=app.quit]"
"""What somebody pastes. It comes through no answer, so cleaning answers alone does not stop it."""
COPIED = "was sent to your terminal's clipboard"
ROWS = re.compile(r"\d (?:order|orders|entry|entries|job|jobs|setting|settings|ticket|tickets)\b")


class Reader:
    """Walks through the client in a terminal.

    Args:
        terminal: the client was just started in it.
        numbers: of the orders there are, newest first.
    """

    def __init__(self, terminal: Terminal, numbers: Sequence[str]) -> None:
        self.terminal = terminal
        self.numbers = list(numbers)

    def sees(self, *wanted: str | re.Pattern[str]) -> None:
        """Wait until all of it is on the screen."""
        for each in wanted:
            self.terminal.wait_for(each)

    def _change(self, key: str, what: str) -> None:
        """Press a key that must change the screen."""
        before = self.terminal.text
        self.terminal.press(key)
        self.terminal.wait_until(lambda text: text != before, what)

    def press(self, key: str, *wanted: str | re.Pattern[str]) -> None:
        """Press a key and wait for what comes of it."""
        self.terminal.press(key)
        self.sees(*wanted)

    def types(self, prompt: str, text: str, *wanted: str | re.Pattern[str]) -> None:
        """Open the line with ``/`` or ``:``, paste into it, send it off, wait for what comes of it."""
        self.press(prompt, re.compile(rf"(?m)^ {re.escape(prompt)} "))
        self.terminal.paste(text)
        self.press("enter", *wanted)

    def escapes(self, unwanted: str | re.Pattern[str]) -> None:
        """Close what is open, and wait until it is."""
        self.terminal.press("escape")
        self.terminal.wait_gone(unwanted)

    def story(self, number: str) -> None:
        """Wait until an order's story is told."""
        self.terminal.wait_until(
            lambda text: f"{number} · " in text and "Loading…" not in text, f"the story of {number}"
        )

    def arrives(self) -> None:
        """The first screen."""
        self.sees("● live", f" {self.numbers[0][-4:]} ", ROWS)

    def reads_orders(self, *typed: str) -> None:
        """Every tab; all rows to the last one; the filter with what is typed or pasted."""
        for tab in ORDER_TABS:
            self.press("]", f"[{tab}]", ROWS)
        while self.numbers[-1][-4:] not in self.terminal.text:
            self._change("pagedown", "the next page")
        self.press("g", f" {self.numbers[0][-4:]} ")
        for words in typed:
            self.types("/", words, re.compile(r"No order matches|\d orders?\b"), "clears")
            self.escapes(re.compile(r"esc clears"))

    def reads_stories(self, most: int | None = None) -> None:
        """Open the newest order, and go from there to the next ones, and some way back."""
        self.press("g", f" {self.numbers[0][-4:]} ")
        self.press("enter", "q back")
        chosen = self.numbers[:most]
        for number in chosen:
            self.story(number)
            if number != chosen[-1]:
                self.terminal.press("J")
        for number in chosen[-4:-1][::-1]:
            self.terminal.press("K")
            self.story(number)
        self.terminal.press("d")
        self.terminal.press("J")
        self.story(self.numbers[max(len(chosen) - 4, 0) + 1])
        self.press("G", "cancelled_at")
        self.terminal.press("g")  # an order that is opened again is seen where it was left
        self.press("q", "⏎ open")

    def copies(self, number: str) -> None:
        """Open an order by its number, copy that, and close the story."""
        self.types(":", number, "q back")
        self.story(number)
        self.press("y", f"{number} {COPIED}")
        self.press("q", "⏎ open")

    def reads_activity(self, pages: int) -> None:
        """Both tabs, page by page; an entry's order; raw facts; the menu, levels, the program's own events."""
        self.press("2", "[All activity]", ROWS)
        for _ in range(pages):
            self._change("pagedown", "the next page")
        self.press("G")
        self.press("g")
        self.press("i", "own events are shown too")
        self.press("f", "Category")
        self.terminal.paste("orders")
        self.terminal.wait_gone("system")
        self.press("enter", re.compile(r"(?i)orders · with internal"))
        self.press("L", re.compile(r"(?i)orders · error · with internal"), ROWS)
        self.escapes(re.compile(r"(?i)orders · error"))
        self.press("g", ROWS)
        self.press("enter", "q back")
        self.terminal.wait_until(lambda text: "[All] " in text and "Loading…" not in text, "an order")
        self.press("q", "[All activity]", "⏎ open")

    def settles(self, entries: int) -> None:
        """Needs attention: raw facts of some entries, a group unfolded, one resolved and taken back."""
        self.press("]", "[Needs attention]", ROWS)
        self.press("d", "Raw facts")
        for _ in range(entries):
            self._change("J", "the next entry")
        if "q back" in self.terminal.text:  # where there is no room for both, the entry stood over the list
            self.press("q", "⏎ open")
        self.press("x", re.compile("✓ Resolved"))
        self.press("z", re.compile("✓ (Reopened|Undone)"))
        self.press("!", ROWS)
        self.press("u", ROWS)

    def reads_tickets(self, stories: int) -> None:
        """Every tab; the stories, to their ends; a note that is begun and left; a question about all of them."""
        self.press("4", "[Open]", ROWS)
        for tab in TICKET_TABS:
            self.press("]", f"[{tab}]")
        self.press("g", ROWS)
        self.press("enter", "q back", "Today")
        for _ in range(stories):
            self._change("J", "the next ticket")
            self.terminal.wait_until(lambda text: "Loading…" not in text, "the story of a ticket")
        until(self._reaches_the_files, "what was handed in beside the ticket")
        self.press("c", "INTERNAL  Note on #")
        self.terminal.paste(PASTED)
        self.sees("exe.")
        self.press("escape", "What you wrote is kept")
        self.press("c", "INTERNAL  Note on #")
        self.terminal.press("ctrl+u")
        self.terminal.wait_gone("exe.")
        self.escapes("leaves it for later")
        self.press("q", "⏎ open")
        self.press("*", "marked")
        self.press("x", "Do it")
        self.escapes("Do it")
        self.escapes("marked")
        self.types("/", PASTED, "No ticket matches", "clears")
        self.escapes(re.compile(r"esc clears"))

    def _reaches_the_files(self) -> bool:
        """Whether the end of a ticket's story is seen, where the files that come last stand."""
        self.terminal.press("G")
        return "Files" in self.terminal.text and "Details" in self.terminal.text

    def reads_jobs(self, stories: int) -> None:
        """Every tab; the stories of those that gave up, with what they were given; the queues."""
        self.press("6", "[All]", ROWS)
        for tab in JOB_TABS:
            self.press("]", f"[{tab}]")
        self.press("g")
        for _ in range(4):
            self.press("]", re.compile(r"\[\w+\]"))
        self.sees("[Exhausted]", ROWS)
        self.press("enter", "q back", "Attempts")
        self.terminal.press("d")
        until(self._reaches_its_end, "what the job was given")
        for _ in range(stories):
            self._change("J", "the next job")
            self.terminal.wait_until(lambda text: "Loading…" not in text, "the story of a job")
        self.press("q", "⏎ open")
        self.press("f", "every queue")
        self.escapes("every queue")
        self.types("/", PASTED, "No job matches", "clears")
        self.escapes(re.compile(r"esc clears"))

    def _reaches_its_end(self) -> bool:
        """Whether the end of a job's story is seen, which may have been shorter when the key was pressed."""
        self.terminal.press("G")
        return "Given to it" in self.terminal.text

    def reads_settings(self) -> None:
        """All settings; one that is edited and left, one that is pasted into and refused, the mails tried out."""
        self.press("7", "[All]", ROWS)
        self.press("j")
        self.press("e", "leave as it was")
        self.terminal.paste(PASTED + "\x00")
        self.escapes("leave as it was")
        self.types("/", "law asks", "1 setting")
        self.press("j")
        self.press("e", "ctrl+n")
        self.terminal.paste(PASTED * 200)
        self.press("enter", "printable")
        self.escapes("leave as it was")
        self.escapes(re.compile(r"esc clears"))
        self.types("/", "adapter", "1 setting", "How mail leaves")
        self.press("T", re.compile(r"works|does not work"))
        self.press("d", "Test")
        self.press("d")
        self.escapes(re.compile(r"esc clears"))
        while "Keep activity for" not in self.terminal.text:
            self._change("pagedown", "the next page")

    def asks_for_help(self) -> None:
        """Help, palette, a command that there is not, times, themes, the question before leaving."""
        self.press("?", "type to search", "WHAT IT DOES")
        self.terminal.paste("resolve")
        self.terminal.wait_gone("Move down.")
        self.escapes("WHAT IT DOES")
        self.press("ctrl+p", "Find an action")
        self.escapes("Find an action")
        self.types(":", "[b", "There is no command")
        for _ in range(4):
            self.press("t", "Times:")
        theme = "none yet"
        for _ in range(THEMES):
            self.types(":", "theme", re.compile(rf"Theme: (?!{theme})[a-z-]+"))
            theme = self.terminal.wait_for(re.compile(r"(?<=Theme: )[a-z-]+"))
        self.press("ctrl+c", "Quit shopbell?")
        self.escapes("Quit shopbell?")

    def leaves(self) -> int:
        """Go back to the beginning and quit: the exit status."""
        self.press("1", "[All]", re.compile(r"\d orders?\b"))
        self.terminal.press("q")
        return self.terminal.wait_exit()
