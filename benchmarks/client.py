"""The client against a minimal Textual app, in the same run: start, keys, bytes, memory, idleness."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.probe import Press, Probe
from benchmarks.report import Report
from benchmarks.server import as_installed, free_port, running, served_copy

_RUNS = 7
_PRESSES = 60


def _environment(home: Path, token: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "SYSTEMROOT") if key in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "SHOPBELL_TOKEN": token,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


def _median(values: list[float]) -> float:
    return statistics.median(value for value in values if not math.isnan(value))


def _starts(command: list[str], env: dict[str, str], wanted: str | None) -> float:
    times = []
    for number in range(_RUNS + 1):
        with Probe(command, env) as probe:
            taken = probe.shown_after(wanted)
        if number:  # the first one warms the caches
            times.append(taken)
    return _median(times)


def measure(folder: Path, entries: int, report: Report, idle_seconds: float) -> None:
    """Measure and report everything about the client on a feed of ``entries``."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    data, token = served_copy(folder, entries)
    port = free_port()
    serve = [sys.executable, "-m", "server.cli", "serve", "--data", str(data), "--port", str(port)]
    with running(serve, port):
        env = _environment(home, token)
        client = [sys.executable, "-m", "tui.cli", "--url", f"http://127.0.0.1:{port}"]
        hello = _starts([sys.executable, "-m", "benchmarks.apps.hello"], env, "hello")
        paint = _starts(client, env, None)
        orders = _starts(client, env, "Tom Avery")
        report.row("minimal Textual app: first paint", f"{hello:.0f} ms", "baseline")
        report.row("client first paint / minimal app", f"{paint / hello:.2f} ({paint:.0f} ms)", "<= 1.6")
        report.row(
            "first orders on screen / minimal app", f"{orders / hello:.2f} ({orders:.0f} ms)", "<= 2.3"
        )
        _report_feed(report, client, env, entries, idle_seconds)
    helped = [_run_help() for _ in range(_RUNS)]
    report.row("shopbell --help", f"{_median(helped):.0f} ms", "<= 60 ms")


def _report_feed(
    report: Report, client: list[str], env: dict[str, str], entries: int, idle_seconds: float
) -> None:
    with Probe(client, env) as probe:
        probe.shown_after("Tom Avery")
        probe.until_quiet()
        probe.press(b"2")
        probe.until_quiet()
        down = [probe.press(b"j") for _ in range(_PRESSES)]
        up = [probe.press(b"k") for _ in range(_PRESSES)]
        presses: list[Press] = down + up
        took = _median([press.milliseconds for press in presses])
        wrote = _median([float(press.bytes) for press in presses])
        report.row(
            f"j/k in a feed of {entries:,}: median", f"{took:.1f} ms, {wrote:.0f} bytes", "<= 5 ms, <= 600"
        )
        worst = sorted(press.milliseconds for press in presses)[int(len(presses) * 0.95)]
        report.row("j/k: p95", f"{worst:.1f} ms", "<= 8 ms")
        report.row("client RSS with that feed", f"{probe.rss_mib():.0f} MiB", "<= 64 MiB")
        probe.listen(5)  # what was on its way arrives; then a minute in which nothing happens
        idle = probe.listen(idle_seconds)
        report.row(f"idle with polling on, {idle_seconds:.0f} s", f"{idle} bytes", "0 bytes")


def _run_help() -> float:
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "tui.cli", "--help"], env=as_installed(), check=True, stdout=subprocess.DEVNULL
    )
    return (time.perf_counter() - begin) * 1e3
