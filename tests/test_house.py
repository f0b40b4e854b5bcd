"""Rules of the house that no other tool checks: sizes, what loads when, and what must not stand in a source."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tui", "server")
LONGEST_FILE = 400
TEXT_SUFFIXES = {"", ".cfg", ".css", ".html", ".ini", ".json", ".md", ".py", ".service", ".sh", ".svg", ".tcss",
                 ".toml", ".txt", ".yaml", ".yml"}  # fmt: skip

# The one module that may use Textual's widgets which read a plain str as markup.
TEXT_MODULE = Path("tui/widgets/text.py")
MARKUP_WIDGETS = {
    "Button", "Checkbox", "Collapsible", "ContentTab", "ContentTabs", "DataTable", "Digits", "Label", "Link",
    "ListItem", "ListView", "Markdown", "MarkdownViewer", "Option", "OptionList", "Placeholder", "Pretty",
    "RadioButton", "RadioSet", "RichLog", "Select", "SelectionList", "Static", "Switch", "Tab", "TabbedContent",
    "TabPane", "Tabs", "Tooltip", "Tree",
}  # fmt: skip


def _sources(*packages: str, suffix: str = ".py") -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob(f"*{suffix}"))


def _texts(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Every text file of the project with its content: what git tracks, not what was left lying about."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = root / name
        if path.suffix in TEXT_SUFFIXES and path.is_file() and not path.is_symlink():
            yield path.relative_to(root), path.read_text(encoding="utf-8", errors="replace")


def test_what_git_does_not_track_is_not_read(tmp_path: Path) -> None:
    for name in ("kept.md", "gone.md", "left.html", "picture.png"):
        (tmp_path / name).write_text(name)
    for command in (["init", "-q"], ["add", "kept.md", "gone.md", "picture.png"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, timeout=60)
    (tmp_path / "gone.md").unlink()
    assert list(_texts(tmp_path)) == [(Path("kept.md"), "kept.md")]
    assert Path("tests/test_house.py") in dict(_texts())


# -- sizes


def test_no_file_outgrows_a_readers_head() -> None:
    steps = (
        ROOT / "server" / "migrations" / "versions"
    )  # a step is history: it is read once, from top to bottom
    paths = [path for path in _sources(*PACKAGES) if steps not in path.parents]
    paths += _sources("tui", suffix=".tcss")
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


# -- what loads when

SLOW_FOR_THE_CLIENT = ("textual", "rich", "httpx", "pydantic", "keyring", "fastapi", "sqlalchemy", "uvicorn")
SLOW_FOR_THE_SERVER = ("fastapi", "starlette", "sqlalchemy", "alembic", "uvicorn", "stripe", "textual")
HELP = """
import sys
sys.argv = ["{module}", "--help"]
try:
    from {module} import main
    sys.exit(main())
finally:
    print("loaded", *sys.modules, file=sys.stderr)
"""


def _loaded(program: str) -> tuple[str, set[str]]:
    """What a program printed, and the modules it loaded: its line ``loaded …`` on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    loaded = re.search(r"(?m)^loaded (.*)\n", done.stderr)
    assert done.returncode == 0, re.sub(r"(?m)^loaded .*\n", "", done.stderr)
    assert loaded is not None
    return done.stdout, set(loaded[1].split())


def _in_packages(modules: set[str], packages: tuple[str, ...]) -> set[str]:
    return {module for module in modules if module.startswith(tuple(f"{name}." for name in packages))} | (
        modules & set(packages)
    )


def test_the_client_starts_without_anything_slow() -> None:
    _, modules = _loaded("import sys, tui.cli; print('loaded', *sys.modules, file=sys.stderr)")
    assert "tui.cli" in modules
    assert _in_packages(modules, SLOW_FOR_THE_CLIENT) == set()


def test_the_clients_help_loads_nothing_slow() -> None:
    printed, modules = _loaded(HELP.format(module="tui.cli"))
    assert "demo" in printed
    assert "login" in printed
    assert _in_packages(modules, SLOW_FOR_THE_CLIENT) == set()


def test_the_servers_help_loads_nothing_slow() -> None:
    printed, modules = _loaded(HELP.format(module="server.cli"))
    assert "prune" in printed
    assert _in_packages(modules, SLOW_FOR_THE_SERVER) == set()


def test_no_part_of_the_client_loads_the_server() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in _sources("tui")]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    program = f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
    _, modules = _loaded(program + "print('loaded', *sys.modules, file=sys.stderr)")
    assert set(names) <= modules
    ours = {module for module in modules if module.startswith("server.")}
    assert {module for module in ours if not re.match(r"server\.contract(\.|$)", module)} == set()
    assert _in_packages(modules, ("fastapi", "sqlalchemy", "uvicorn", "alembic", "stripe")) == set()


# -- what must not stand in a source

PLACES_OF_ONE_MACHINE = re.compile(
    "/(?:"
    + "home|"
    + "Users)/[A-Za-z0-9_.-]+|/"
    + "root/[A-Za-z0-9_.-]+|/"
    + "work/main|[A-Z]:\\\\"
    + "Users",
)
INDEX_HOSTS = re.compile("py" + r"pi\.(?:org|io|python)|python" + "hosted|" + "index-" + r"url\s*[= ]\s*http")
UNFINISHED = re.compile("TO" + r"DO\b|FIX" + "ME")


@pytest.mark.parametrize(
    ("unwanted", "where"),
    [(PLACES_OF_ONE_MACHINE, ""), (INDEX_HOSTS, ""), (UNFINISHED, "tui/"), (UNFINISHED, "server/")],
    ids=["places of one machine", "package index hosts", "unfinished client", "unfinished server"],
)
def test_no_source_holds(unwanted: re.Pattern[str], where: str) -> None:
    found = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for path, text in _texts()
        if str(path).startswith(where)
        for match in unwanted.finditer(text)
    ]
    assert found == []


# -- markup: strangers' text must never be read as instructions


def markup_faults(path: Path, source: str) -> list[str]:
    """Everything in a source through which Textual or Rich would read a text as markup, as ``path:line: what``."""
    inside_text_module = path == TEXT_MODULE
    faults: list[str] = []
    for node in ast.walk(ast.parse(source)):
        said = _call_fault(node) or (None if inside_text_module else _import_fault(node))
        if said is None and isinstance(node, ast.ImportFrom) and _imports_escape(node):
            said = "escape() does not make markup safe"
        if said is not None:
            faults.append(f"{path}:{getattr(node, 'lineno', 0)}: {said}")
    return sorted(faults)


def _import_fault(node: ast.AST) -> str | None:
    if isinstance(node, ast.Import) and any(alias.name.startswith("textual.widgets") for alias in node.names):
        return "import the widgets by name, so that this test can read which"
    if not isinstance(node, ast.ImportFrom):
        return None
    names = {alias.name for alias in node.names}
    if (node.module or "").startswith("textual.widgets") and names & (MARKUP_WIDGETS | {"*"}):
        return (
            f"{', '.join(sorted(names & (MARKUP_WIDGETS | {'*'})))} reads str as markup: use tui.widgets.text"
        )
    if node.module == "textual" and "widgets" in names:
        return "import the widgets by name, so that this test can read which"
    return None


def _imports_escape(node: ast.ImportFrom) -> bool:
    library = (node.module or "").partition(".")[0] in {"textual", "rich"}
    return library and any(alias.name == "escape" for alias in node.names)


def _call_fault(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    for keyword in node.keywords:
        if keyword.arg == "markup" and not (
            isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        ):
            return "markup= may only be False"
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called == "from_markup" and not (node.args and isinstance(node.args[0], ast.Constant)):
        return "from_markup() needs a constant: put values in by name"
    if (
        called == "escape"
        and isinstance(node.func, ast.Attribute)
        and "markup" in ast.unparse(node.func.value)
    ):
        return "escape() does not make markup safe"
    return None


def test_no_text_can_be_read_as_markup() -> None:
    faults = [
        fault
        for path in _sources("tui")
        for fault in markup_faults(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
    ]
    assert faults == []


@pytest.mark.parametrize(
    "source",
    [
        "from textual.widgets import Input, Label",
        "from textual.widgets import Static as Plain",
        "from textual.widgets._button import Button",
        "from textual.widgets.option_list import Option",
        "from textual.widgets import *",
        "from textual import widgets",
        "import textual.widgets",
        "import textual.widgets as w",
        "self.notify(text, markup=True)",
        "self.notify(text, markup=wanted)",
        "Content.from_markup(name)",
        "Content.from_markup(f'[b]{name}[/b]')",
        "Text.from_markup(text='[b]' + name)",
        "from rich.markup import escape",
        "from textual.markup import escape as safe",
        "rich.markup.escape(name)",
    ],
)
def test_the_markup_rule_sees(source: str) -> None:
    assert len(markup_faults(Path("tui/screens/desk.py"), source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from textual.widgets import Input, TextArea",
        "self.notify(text, markup=False)",
        "Content.from_markup('[b]$name[/b]', name=name)",
        "re.escape(name)",
        "from html import escape",
    ],
)
def test_the_markup_rule_lets_through(source: str) -> None:
    assert markup_faults(Path("tui/screens/desk.py"), source) == []


# -- the way in


def _project() -> dict[str, dict[str, list[str]]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project: dict[str, dict[str, list[str]]] = tomllib.load(file)
    return project


@pytest.mark.parametrize("lock", ["runtime", "dev", "build", "installer"])
def test_every_locked_package_has_its_version_and_hashes(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    entries = re.split(r"(?m)^(?=\S)", text)[1:]
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==[0-9]", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = _project()
    for lock, asked in {
        "runtime": project["project"]["dependencies"],
        "build": project["dependency-groups"]["build"],
        "installer": project["dependency-groups"]["installer"],
    }.items():
        text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        locked = set(re.findall(r"(?m)^([a-z0-9._-]+)==", text))
        wanted = {re.split(r"[^A-Za-z0-9._-]", name)[0].lower() for name in asked}
        assert wanted <= locked, f"run make lock: {wanted - locked} missing in {lock}.txt"


def test_the_readme_begins_with_the_two_commands_and_the_gate_runs_them() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"(?m)^\s*(?:\$ )?(make \w+)", readme)
    assert commands[:2] == ["make demo", "make test"]
    gate = ROOT / ".ci" / "run"
    assert os.access(gate, os.X_OK)
    assert re.search(r'"make check" "make test"', gate.read_text(encoding="utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z]+):.*## ", makefile))
    assert {command.removeprefix("make ") for command in commands} <= targets
