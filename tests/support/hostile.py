"""Strangers' text at its worst: named strings that no screen, log or file may be hurt by.

Every string is something that a customer, a provider or another program could put into a name, a message, a
tracking number or a reason. ``SHORT`` leaves out the very long ones, for tests that press keys.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ESC: Final = "\x1b"
BEL: Final = "\x07"
ST: Final = ESC + "\\"


class Hostile(NamedTuple):
    """A hostile string with a name for the test's report."""

    name: str
    text: str


_ESCAPES: Final = {
    "osc52-bel": f"a{ESC}]52;c;cm0gLXJmIC8={BEL}b",
    "osc52-st": f"a{ESC}]52;c;cm0gLXJmIC8={ST}b",
    "osc52-query": f"{ESC}]52;c;?{BEL}",
    "osc8-link": f"{ESC}]8;;https://evil.example/{ST}Invoice{ESC}]8;;{ST}",
    "osc0-title": f"{ESC}]0;root@shop{BEL}",
    "osc4-palette": f"{ESC}]4;1;rgb:00/00/00{ST}",
    "osc9-notification": f"{ESC}]9;your shop is on fire{BEL}",
    "osc1337-file": f"{ESC}]1337;File=name=eA==;inline=1:AAAA{BEL}",
    "osc-unfinished": f"Mary{ESC}]52;c;",
    "csi-clear": f"{ESC}[2J{ESC}[H",
    "csi-colour": f"{ESC}[31mred{ESC}[0m",
    "csi-cursor-up": f"x{ESC}[10Ax",
    "csi-alternate-screen": f"{ESC}[?1049l",
    "csi-mouse-on": f"{ESC}[?1003h",
    "csi-report": f"{ESC}[6n{ESC}[c",
    "csi-scroll-region": f"{ESC}[1;1r",
    "csi-hide-cursor": f"{ESC}[?25l",
    "csi-many": f"{ESC}[1m" * 200,
    "dcs-sixel": f"{ESC}Pq#0;2;0;0;0~-{ST}",
    "dcs-tmux": f"{ESC}Ptmux;{ESC}{ESC}]52;c;eA=={BEL}{ST}",
    "apc-kitty": f"{ESC}_Ga=T,f=24;AAAA{ST}",
    "pm": f"{ESC}^private{ST}",
    "reset": f"{ESC}c",
    "charset": f"{ESC}(0lqqk",
    "keypad": f"{ESC}=",
    "escape-alone": ESC,
    "escape-last": f"Mary{ESC}",
}

_CONTROLS: Final = {
    "c1-csi": "\x9b31mred\x9b0m",
    "c1-osc": "\x9d52;c;eA==\x9c",
    "c1-dcs": "\x90q~\x9c",
    "c1-nel": "first\x85second",
    "c1-all": "".join(map(chr, range(0x80, 0xA0))),
    "c0-all": "".join(map(chr, range(0x20))),
    "nul": "a\x00b",
    "del": "a\x7fb",
    "bell": BEL * 3,
    "backspace": "secret\b\b\b\b\b\bpublic",
    "shift-out": "\x0elqqk\x0f",
    "carriage-return": "£1.00\r£9,999.00",
    "crlf": "first\r\nsecond",
    "newlines": "first\n\n\nsecond\n",
    "newline-only": "\n",
    "vertical": "a\vb\fc",
    "line-separator": "first\u2028second\u2029third",
    "tabs": "a\tb\t\tc",
    "tab-only": "\t",
}

_UNSEEN: Final = {
    "bidi-override": "invoice\u202egnp.exe",
    "bidi-isolates": "\u2066abc\u2067def\u2069\u2068",
    "bidi-marks": "a\u200eb\u200fc\u061cd",
    "bidi-unclosed": "\u202b\u202a\u202d",
    "zero-width": "ad\u200bmin\u2060@shop\ufeff.example",
    "zero-width-only": "\u200b\u2060\ufeff",
    "soft-hyphen": "pass\u00adword",
    "hangul-filler": "\u3164",
    "hangul-fillers": "a\u115f\u1160\uffa0b",
    "interlinear": "\ufff9a\ufffab\ufffb",
    "mongolian-separator": "a\u180eb",
    "tags": "x" + "".join(chr(0xE0000 + ord(letter)) for letter in "hidden") + "\U000e007f",
    "deprecated-format": "\u206aa\u206fb",
    "joiners-many": "a" + "\u200d" * 500 + "b",
    "surrogate-high": "a\ud800b",
    "surrogate-low": "\udfff",
    "surrogates-swapped": "\udc00\ud800",
    "non-characters": "\ufdd0a\ufffeb\uffffc\U0001fffed\U0010ffff",
    "private-use": "\ue000\uf8ff\U000f0000",
    "zalgo": "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324" * 12,
    "marks-leading": "\u0301\u0301 a",
    "marks-thousands": "e" + "\u0301" * 3000,
    "marks-through-joiners": "e" + ("\u0301" * 8 + "\u200d") * 40,
    "blanks-only": "\u00a0\u2003\u3000 ",
}

_MARKUP: Final = {
    "markup-close": "[/x]",
    "markup-close-any": "[/]",
    "markup-open": "[b",
    "markup-action": "[@click=app.quit]x[/]",
    "markup-action-quoted": "[@click=app.notify('hi')]x[/]",
    "markup-link": "[link=https://evil.example]Invoice[/link]",
    "markup-link-quoted": "[link='https://evil.example']x[/link]",
    "markup-colour": "[red on blue]x[/red on blue]",
    "markup-nested": "[b][i][/b][/i]",
    "markup-backslash": "\\[b]x\\",
    "markup-variable": "$name ${name} {name} %s %(name)s",
    "emoji-code": ":skull: :warning:",
    "html": "<b>x</b><script>alert(1)</script>",
    "markdown-link": "[Invoice](https://evil.example)",
    "css": "#id.class{display:none}",
    "like-wildcards": "100%_\\%",
    "sql": "'); DROP TABLE orders;--",
    "formula": '=HYPERLINK("https://evil.example")',
    "path": "../../etc/passwd",
}

_LETTERS: Final = {
    "arabic": "محمد عبد الله",
    "hebrew": "שרה לוי",
    "persian-joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "thai": "น้ำใส ใจดี",
    "devanagari": "क्षत्रिय",
    "tamil": "நிகழ்ச்சி",
    "chinese": "王小明",
    "japanese-wide": "ﾊﾝｶｸ と 全角",
    "korean-decomposed": "\u1112\u1161\u11ab",
    "vietnamese": "Nguyễn Thị Hằng",
    "emoji-family": "👨‍👩‍👧‍👦 family",
    "emoji-flags": "🇬🇧🏴🏳️‍🌈",
    "emoji-skin": "👍🏽 👩🏿‍🚀",
    "keycaps": "1️⃣#️⃣",
    "wide-row": "龍" * 120,
    "ambiguous-width": "§¶†‡•…‰″※±÷",
    "ligature": "﷽",
    "confusable": "p\u0430yp\u0430l@\u0435\u0445\u0430mple.com",
}

_LONG: Final = {
    "long-word": "x" * 10_000,
    "long-megabyte": "A" * 1_048_576,
    "long-newlines": "\n" * 100_000,
    "long-wide": "龍" * 200_000,
    "long-escapes": f"{ESC}]52;c;eA=={BEL}" * 20_000,
    "long-combining": "e" + "\u0301" * 200_000,
    "long-joined": "👩\u200d" * 50_000,
    "long-tabs": "\t" * 100_000,
}

SHORT: Final[tuple[Hostile, ...]] = tuple(
    Hostile(name, text)
    for family in (_ESCAPES, _CONTROLS, _UNSEEN, _MARKUP, _LETTERS)
    for name, text in family.items()
)
"""Hostile strings of at most a few thousand characters."""

HOSTILE: Final[tuple[Hostile, ...]] = (*SHORT, *(Hostile(name, text) for name, text in _LONG.items()))
"""All of them."""

FAITHFUL: Final[tuple[Hostile, ...]] = tuple(Hostile(name, text) for name, text in _LETTERS.items())
"""Strange to a program, but only letters: they must come through as they are."""
