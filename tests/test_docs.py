"""The documentation says what is so: generated pages are fresh, links lead somewhere, commands can be typed."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import json
import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import pages, pictures
from server.cli import parser as server_parser
from server.contract.access import NewUser
from server.contract.orders import NewOrder
from server.settings.registry import REGISTRY
from tui import keys
from tui.api import config
from tui.cli import parser as client_parser
from tui.screens.shell import LEAST

ROOT = Path(__file__).resolve().parent.parent
TEXTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in TEXTS]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PICTURE = re.compile(r'(?:src|srcset)="([^"]+)"')
FENCE = re.compile(r"(?ms)^\s*```(\w*)\n(.*?)^\s*```$")
VARIABLE = re.compile(r"SHOPBELL_[A-Z_]+")


def test_the_smallest_terminal_is_the_one_the_client_draws_on() -> None:
    """What that looks like is in the flows."""
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"From (\d+)×(\d+) up", changes) == [tuple(map(str, LEAST))]  # noqa: RUF001


# -- generated pages


@pytest.fixture(scope="module")
def fresh() -> dict[Path, str]:
    return pages.pages()


@pytest.mark.parametrize(
    "name", ["api.md", "cli.md", "configuration.md", "erasure.md", "events.md", "keys.md"]
)
def test_a_generated_page_is_as_the_code_is(fresh: dict[Path, str], name: str) -> None:
    path = ROOT / "docs" / name
    assert path.read_text(encoding="utf-8") == fresh[path], "run make docs"


def test_each_model_of_the_api_has_a_name_of_its_own(fresh: dict[Path, str]) -> None:
    """Two of one name are told apart by the modules they stand in, which are nobody's business."""
    assert re.findall(r"\w+__\w+", fresh[ROOT / "docs" / "api.md"]) == []


def test_a_page_that_differs_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "api.md"
    page.write_text("by hand\n" + pages.MARKER + "old\n")
    monkeypatch.setattr(pages, "pages", lambda: {page: "by hand\n" + pages.MARKER + "new\n"})
    assert pages.main(["--check"]) == 1
    assert "api.md: differs" in capsys.readouterr().out
    assert pages.main([]) == 0
    assert page.read_text() == "by hand\n" + pages.MARKER + "new\n"
    assert pages.main(["--check"]) == 0


# -- pictures


def test_the_pictures_show_the_screens_as_they_are() -> None:
    drawn = asyncio.run(pictures.draw())
    committed = {path.name: path.read_text(encoding="utf-8") for path in pictures.FOLDER.glob("*.svg")}
    assert committed.keys() == drawn.keys()
    differ = [name for name, svg in drawn.items() if committed[name] != svg]
    assert differ == [], "look at the screens, then run make pictures"


def test_a_picture_needs_nothing_from_elsewhere() -> None:
    for path in pictures.FOLDER.glob("*.svg"):
        addresses = set(re.findall(r"https?://[^\s\"<]+", path.read_text(encoding="utf-8")))
        assert addresses == {"http://www.w3.org/2000/svg"}


# -- errors


def _refusals() -> Iterator[tuple[int, str]]:
    """Status and code of every refusal that stands in the server's sources."""
    for path in (ROOT / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ProblemError":
                status, code = node.args[:2]
                if isinstance(status, ast.Constant) and isinstance(code, ast.Constant):
                    assert isinstance(status.value, int)
                    yield status.value, str(code.value)


def test_the_api_page_names_every_refusal() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    named = {
        (int(row[1]), code)
        for row in re.finditer(r"(?m)^\| ([45]\d\d) \| (`.*?`) \|", text)
        for code in re.findall(r"`(\w+)`", row[2])
    }
    refusals = set(_refusals())
    assert len(refusals) > 15
    assert refusals - named == set()


# -- links


def _anchors(text: str) -> set[str]:
    """The anchors that headings make, as code hosts spell them."""
    headings = re.findall(r"(?m)^#+ (.*)$", FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", TEXTS, ids=NAMES)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    dead = []
    for target in [*LINK.findall(FENCE.sub("", text)), *PICTURE.findall(text)]:
        place, _, anchor = target.partition("#")
        if re.match(r"https?:", place):
            continue
        aim = (path.parent / place).resolve() if place else path
        if not aim.is_file() or (anchor and anchor not in _anchors(aim.read_text(encoding="utf-8"))):
            dead.append(target)
    assert dead == []


# -- commands and environment


OURS = re.compile(r"(?:^\s*|[|&] |/bin/)(shopbelld?)(?=[ \"]|$)([^|&]*)")


def _typed(path: Path) -> Iterator[list[str]]:
    """Every command line of ours in fenced blocks, those in a systemd unit or a forced command as well."""
    for fence in FENCE.finditer(path.read_text(encoding="utf-8")):
        for line in fence[2].replace("\\\n", " ").splitlines():
            if found := OURS.search(line):
                rest = found[2].partition('"')[0] if 'command="' in line else found[2]
                yield [found[1], *shlex.split(re.sub(r"\$\([^)]*\)", "x", rest), comments=True)]


def _parses(parser: ArgumentParser, words: list[str]) -> bool:
    try:
        parser.parse_args(words)
    except SystemExit:
        return False
    return True


def _refused(path: Path) -> Iterator[str]:
    for program, *words in _typed(path):
        if not _parses(server_parser() if program == "shopbelld" else client_parser(), words):
            yield shlex.join([program, *words])


@pytest.mark.parametrize("path", TEXTS, ids=NAMES)
def test_commands_can_be_typed(path: Path) -> None:
    assert list(_refused(path)) == []


def test_commands_are_looked_for_where_they_stand(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```sh\nshopbelld serve --no-such  # why\nsudo true && shopbell --url\n```\n"
        "```ini\nExecStart=/opt/bin/shopbelld serv --data /var\n```\n"
        '```\ncommand="/opt/bin/shopbell --urll x" ssh-ed25519\n```\n'
        "```sh\nshopbelld backup \\\n  one.db two.db\n```\n"
    )
    assert [line.split()[0] for line in _refused(page)] == ["shopbelld", "shopbell"] * 2 + ["shopbelld"]


def test_there_are_commands_to_look_at() -> None:
    assert len([line for path in TEXTS for line in _typed(path)]) > 9


def test_the_environment_is_documented_and_real() -> None:
    def named(paths: Iterator[Path]) -> set[str]:
        return {name for path in paths for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}

    documented = named(iter(TEXTS))
    known = named(path for package in ("server", "tui") for path in (ROOT / package).rglob("*.py"))
    settings = {setting.variable for setting in REGISTRY.values()}
    files = {f"{setting.variable}_FILE" for setting in REGISTRY.values() if setting.secret}
    assert documented - known - settings - files == set()
    assert (known | settings) - documented == set()


def test_the_requests_of_the_pages_are_taken() -> None:
    """The bodies of their curl commands are what the routes take."""
    bodies = {
        path.name: json.loads(found[1])
        for path in TEXTS
        for found in re.finditer(r"-d '(\{.*?\})'", path.read_text(encoding="utf-8"), re.DOTALL)
    }
    NewOrder.model_validate(bodies.pop("README.md"))
    NewUser.model_validate(bodies.pop("operations.md"))
    assert bodies == {}


# -- the configuration


def test_the_examples_of_the_configuration_are_taken(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    examples = [fence[2] for fence in FENCE.finditer(text) if fence[1] == "toml"]
    assert len(examples) == 2
    for example in examples:
        path = tmp_path / "config.toml"
        path.write_text(example, encoding="utf-8")
        assert keys.keymap(config.load(path).keys).changed


@pytest.mark.parametrize(
    ("heading", "fields"),
    [
        ("[ui]", {field.name for field in dataclasses.fields(config.Ui)}),
        ("[profiles.NAME]", {field.name for field in dataclasses.fields(config.Profile)} - {"name"}),
    ],
)
def test_the_configuration_page_names_every_setting(heading: str, fields: set[str]) -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    part = text.partition(f"## `{heading}`")[2].partition("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", part)) == fields
