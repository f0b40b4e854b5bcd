"""Make ``.venv`` and fill it from the locked requirements: ``install.py runtime`` or ``install.py dev``.

Standard library only, so that any Python from 3.11 on can run it before anything is installed. Every file
that is fetched is checked against the hashes in this directory, and only ready-made wheels are taken, so no
package runs code while it is being installed. One line per step is written to standard output; what an
installer says is shown only when it fails.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
ENVIRONMENT = ROOT / ".venv"
OLDEST_PYTHON = (3, 11)
OLDEST_PIP = (22, 3)  # the first that can install into another environment (--python)
SETS = {"runtime": ("runtime.txt", "build.txt"), "dev": ("dev.txt",)}
QUOTED_LINES = 30

WHEELS_ONLY = ("--require-hashes", "--only-binary", ":all:")
PIP_QUIET = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-warn-script-location")

# Settings of the caller that would send an installation somewhere else or refuse it.
FOREIGN_SETTINGS = (
    "CONDA_PREFIX",
    "PIP_PREFIX",
    "PIP_REQUIRE_HASHES",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_REQUIRE_HASHES",
    "UV_SYSTEM_PYTHON",
    "VIRTUAL_ENV",
)

# pip's settings and the variable through which uv takes the same, with what uv puts between several values.
PIP_TO_UV = {
    "index-url": ("UV_DEFAULT_INDEX", None),
    "extra-index-url": ("UV_EXTRA_INDEX_URL", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", None),
    "timeout": ("UV_HTTP_TIMEOUT", None),
    "proxy": ("ALL_PROXY", None),
}


class SetupError(Exception):
    """The environment cannot be made; the message is one sentence for the person at the keyboard."""


def main(arguments: Sequence[str]) -> int:
    """Run the steps for one set of requirements and return the exit status."""
    if len(arguments) != 1 or arguments[0] not in SETS:
        sys.stderr.write("usage: install.py runtime|dev\n")
        return 2
    try:
        install(SETS[arguments[0]])
    except SetupError as error:
        sys.stderr.write(f"setup: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def install(names: Sequence[str]) -> None:
    """Make the environment where it is missing, then install the named lock files and the project."""
    if sys.version_info < OLDEST_PYTHON:
        raise SetupError(f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}.")
    if not environment_works():
        step(f"Python {sys.version.split()[0]} in .venv", make_environment)
    environment = caller_settings(os.environ)
    pip = find_pip(environment)
    uv = find_uv(pip, environment)
    files = [part for name in names for part in ("-r", str(LOCKS / name))]
    count = len({line for name in names for line in pinned(LOCKS / name)})
    if uv is not None:
        settings = uv_settings(environment, pip_configuration(pip, environment))
        try:
            fill(
                [*uv, "pip", "install", "--quiet", "--python", environment_python()],
                [*WHEELS_ONLY, "--compile-bytecode", *files],
                settings,
                count,
            )
        except SetupError as error:
            if pip is None:
                raise
            sys.stderr.write(f"setup: {error}\nsetup: trying again with pip\n")
        else:
            return
    if pip is None:
        raise SetupError(no_installer())
    fill([*pip, "install", *PIP_QUIET], [*WHEELS_ONLY, *files], environment, count)


def fill(tool: Sequence[str], locked: Sequence[str], settings: Mapping[str, str], count: int) -> None:
    """Install what is locked, then the project itself as an editable package without fetching anything."""
    itself = ["--no-build-isolation", "--no-deps", "--editable", str(ROOT)]
    step(f"{count} locked packages", lambda: run([*tool, *locked], settings))
    step("shopbell itself", lambda: run([*tool, *itself], settings))


def environment_python() -> str:
    """The path of the environment's interpreter."""
    return str(ENVIRONMENT / "bin" / "python")


def environment_works() -> bool:
    """Whether ``.venv`` has an interpreter that starts and is new enough."""
    probe = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    try:
        done = subprocess.run([environment_python(), "-c", probe], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def make_environment() -> None:
    """Make ``.venv`` anew, without pip: that part is what some distributions leave out."""
    try:
        from venv import create  # noqa: PLC0415 - may be missing, which is worth its own sentence
    except ImportError:
        raise SetupError(
            f"the Python at {sys.executable} has no venv module; install it "
            "(Debian and Ubuntu: the package python3-venv) and run make again."
        ) from None
    try:
        create(ENVIRONMENT, clear=True, symlinks=True, with_pip=False)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"cannot make {ENVIRONMENT}: {error}.") from None


def find_pip(environment: Mapping[str, str]) -> list[str] | None:
    """The command that installs into ``.venv`` with pip, or None where there is no pip at all.

    The pip of the running Python serves when it is new enough; it stays outside the environment and is not
    stopped by a distribution's "externally managed" mark, because it installs elsewhere.
    """
    try:
        version = str(importlib.import_module("pip").__version__)
    except ImportError:
        version = ""
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) >= OLDEST_PIP:
        return [sys.executable, "-m", "pip", "--python", environment_python()]
    bundled = [environment_python(), "-m", "ensurepip", "--upgrade"]
    done = subprocess.run(bundled, capture_output=True, check=False, env=dict(environment))
    return [environment_python(), "-m", "pip"] if done.returncode == 0 else None


def find_uv(pip: Sequence[str] | None, environment: Mapping[str, str]) -> list[str] | None:
    """The command of uv: the pinned one, fetched when missing; else the machine's; else None."""
    inside = ENVIRONMENT / "bin" / "uv"
    pin = pinned(LOCKS / "installer.txt")[0]
    if uv_version(inside) == pin.removeprefix("uv=="):
        return [str(inside)]
    if pip is not None:
        command = [*pip, "install", *PIP_QUIET, *WHEELS_ONLY, "-r", str(LOCKS / "installer.txt")]
        try:
            step(pin.replace("==", " "), lambda: run(command, environment))
        except SetupError:
            sys.stdout.write("setup  no uv for this machine; pip takes a little longer\n")
        else:
            return [str(inside)]
    outside = shutil.which("uv")
    return [outside] if outside else None


def uv_version(program: Path) -> str | None:
    """The version that a uv program reports, or None when it does not run."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, check=False, text=True)
    except OSError:
        return None
    words = done.stdout.split()
    return words[1] if done.returncode == 0 and len(words) > 1 else None


def caller_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what would send the installation elsewhere."""
    return {name: value for name, value in environ.items() if name not in FOREIGN_SETTINGS}


def pip_configuration(pip: Sequence[str] | None, environment: Mapping[str, str]) -> dict[str, str]:
    """What pip takes from its files and variables on this machine, by option name; empty without pip."""
    if pip is None:
        return {}
    done = subprocess.run(
        [*pip, "config", "list"], capture_output=True, check=False, text=True, env=dict(environment)
    )
    settings: dict[str, tuple[int, str]] = {}
    for line in done.stdout.splitlines():
        name, separator, quoted = line.partition("=")
        section, dot, option = name.rpartition(".")
        rank = {"global": 1, "install": 2, ":env:": 3}.get(section, 0)
        if separator and dot and rank >= settings.get(option, (1, ""))[0]:
            settings[option] = (rank, str(ast.literal_eval(quoted)))
    return {option: value for option, (_, value) in settings.items()}


def uv_settings(environment: Mapping[str, str], configuration: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment plus pip's way to the packages, in the words of uv; the caller's own win."""
    settings = dict(environment)
    for option, (variable, joint) in PIP_TO_UV.items():
        value = configuration.get(option, "").split()
        if value and variable not in settings:
            settings[variable] = (joint or " ").join(value)
    # With several indexes any may hold a version. The hashes say which file is the right one.
    settings.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return settings


def pinned(lock: Path) -> list[str]:
    """The ``name==version`` entries of a lock file that apply to some platform."""
    return re.findall(r"^[A-Za-z0-9._-]+==[^\s;]+", lock.read_text(encoding="utf-8"), re.MULTILINE)


def no_installer() -> str:
    """The sentence for a Python that has no way to install packages."""
    return (
        f"the Python at {sys.executable} has neither pip nor ensurepip; install pip for it "
        "(Debian and Ubuntu: the package python3-pip) and run make again."
    )


def step(title: str, work: Callable[[], None]) -> None:
    """Do one step and write its line, with the seconds it took."""
    started = time.perf_counter()
    work()
    sys.stdout.write(f"setup  {title:<24} {time.perf_counter() - started:5.1f} s\n")
    sys.stdout.flush()


def run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run an installer quietly; on failure raise SetupError with the end of what it said."""
    done = subprocess.run(
        command, check=False, env=dict(environment), text=True, errors="replace", cwd=ROOT,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-QUOTED_LINES:])
        raise SetupError(f"{Path(command[0]).name} failed (status {done.returncode}).\n{said}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
