"""The way in: what the set-up takes from the machine, and its clear sentences where something is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", ROOT / "requirements" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The parts of the project that the set-up consists of, in a directory without `.venv`."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "requirements", project / "requirements")
    shutil.copytree(ROOT / ".ci", project / ".ci")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, project)
    return project


def _program(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_uv_goes_the_way_that_pip_is_told_to_go(install: ModuleType, tmp_path: Path) -> None:
    lines = [
        ":env:.cert='/etc/own.pem'",
        "global.cert='/etc/other.pem'",
        "global.index-url='https://mirror.example/simple'",
        r"global.find-links='/a\n/b'",
        "install.extra-index-url='https://one.example https://two.example'",
        "freeze.timeout='1'",
        "global.timeout='60'",
    ]
    pip = _program(tmp_path, "pip", "#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")
    configuration = install.pip_configuration([str(pip)], os.environ)
    settings = install.uv_settings({"PATH": "/bin", "UV_HTTP_TIMEOUT": "5"}, configuration)
    assert settings == {
        "PATH": "/bin",
        "UV_HTTP_TIMEOUT": "5",
        "SSL_CERT_FILE": "/etc/own.pem",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_FIND_LINKS": "/a,/b",
        "UV_EXTRA_INDEX_URL": "https://one.example https://two.example",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_the_callers_own_certificate_stays(install: ModuleType) -> None:
    settings = install.uv_settings({"SSL_CERT_FILE": "/mine.pem"}, {"cert": "/other.pem"})
    assert settings["SSL_CERT_FILE"] == "/mine.pem"


def test_settings_that_lead_elsewhere_are_left_out(install: ModuleType) -> None:
    environ = {"PIP_USER": "1", "PIP_TARGET": "/x", "PYTHONPATH": "/y", "PIP_CERT": "/z", "HOME": "/h"}
    assert install.caller_settings(environ) == {"PIP_CERT": "/z", "HOME": "/h"}


def test_the_pinned_uv_is_known(install: ModuleType) -> None:
    pins = install.pinned(ROOT / "requirements" / "installer.txt")
    assert len(pins) == 1
    assert pins[0].startswith("uv==")


@pytest.mark.parametrize("reason", ["no Python at all", "only old ones"])
def test_without_a_python_one_clear_sentence(copy: Path, tmp_path: Path, reason: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "sh", "touch"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    if reason == "only old ones":
        _program(tools, "python3", "#!/bin/sh\nexit 1\n")
    done = subprocess.run(
        ["make", "test"], cwd=copy, env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "setup: Python 3.11 or newer is needed, and no python3 on the PATH is one." in done.stderr
    assert not (copy / ".venv").exists()


def test_without_pip_one_clear_sentence(copy: Path) -> None:
    """A Python whose pip cannot be imported, and an environment without ensurepip."""
    (copy / ".venv").mkdir()
    _program(copy / ".venv" / "bin", "python", '#!/bin/sh\n[ "$1" = -c ]\n')
    program = (
        "import sys; sys.modules['pip'] = None; sys.path.insert(0, 'requirements'); import install; "
        "sys.exit(install.main(['dev']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=copy,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "has neither pip nor ensurepip; install pip for it" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("failing", "status"), [("", 0), ("check", 1), ("test", 1)])
def test_the_gate_runs_both_commands_and_fails_with_either(
    copy: Path, tmp_path: Path, failing: str, status: int
) -> None:
    _program(tmp_path / "tools", "make", f'#!/bin/sh\necho "made $1"\n[ "$1" != "{failing}" ]\n')
    done = subprocess.run(
        [copy / ".ci" / "run"],
        env={"PATH": f"{tmp_path / 'tools'}:{os.environ['PATH']}", "CI": "true"},
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status
    assert "made check" in done.stdout
    assert "made test" in done.stdout
    assert ("all passed" in done.stdout) is (status == 0)
