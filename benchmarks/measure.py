"""Install the wheel into a temporary environment, run a list and a server in it, and measure processes."""

from __future__ import annotations

import os
import platform
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
INSIDE = "TODO_BENCHMARK_HOME"
BARE = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}


# -- the environment ----------------------------------------------------------------------------------


def run_inside(script: str, *packages: str) -> int:
    """Run the script again in a new environment that holds the project as a wheel.

    An editable installation slows every start of Python. With `--quick`, whose figures mean nothing, the environment
    shares the packages of this one. `packages` are needed by the benchmark alone, which must do without those that
    cannot be installed.
    """
    home = Path(tempfile.mkdtemp(prefix="todo-benchmark-"))
    home.chmod(0o755)  # when root runs the benchmark, Postgres runs as another account
    try:
        python = _share_environment(home) if "--quick" in sys.argv else _install_wheel(home, packages)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TODO_", "PYTHON"))}
        inner = [str(python), str(Path(script).resolve()), *sys.argv[1:]]
        return subprocess.run(inner, env=environment | {INSIDE: str(home)}, cwd=home, check=False).returncode
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _share_environment(home: Path) -> Path:
    venv.create(home / "venv", symlinks=True)
    python = home / "venv" / "bin" / "python"
    packages = next((home / "venv" / "lib").glob("*/site-packages"))
    paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    (packages / "shared.pth").write_text("\n".join(paths) + "\n")
    script = home / "venv" / "bin" / "todo"
    script.write_text(f"#!{python}\nfrom todo_cli.main import main\nmain()\n")
    script.chmod(0o755)
    return python


def _install_wheel(home: Path, packages: tuple[str, ...]) -> Path:
    print("installing the wheel into a new environment …", file=sys.stderr)
    venv.create(home / "venv", with_pip=True)
    python = home / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "-q", "--disable-pip-version-check"]
    # the console script of pip 23 imports `re`, that of a current pip, pipx or uv does not
    subprocess.run([*pip, "install", "-U", "pip"], check=False)
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(home), str(ROOT)], check=True)
    subprocess.run([*pip, "install", *map(str, home.glob("*.whl"))], check=True)
    for package in packages:
        subprocess.run([*pip, "install", package], check=False)
    return python


def machine() -> str:
    """Return a description of the machine."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"


class House:
    """A list that `todo init` created, and the servers that were started for it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.bin = home / "venv" / "bin"
        self.environment = BARE | {"HOME": str(home), "TODO_HOME": str(home / "pg"), "TODO_SERVICE": "false"}
        self.config = home / ".config" / "todo" / "config.toml"
        self.processes: list[subprocess.Popen[bytes]] = []

    def todo(self, *arguments: str, stdin: str = "") -> str:
        """Run the command and return its output. Exit if it fails."""
        done = subprocess.run(
            [str(self.bin / "todo"), *arguments],
            env=self.environment,
            input=stdin,
            text=True,
            cwd=self.home,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"todo {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def profile(self) -> dict[str, str]:
        """Return the profile that `todo init` wrote."""
        profile: dict[str, str] = tomllib.loads(self.config.read_text())["profiles"]["default"]
        return profile

    def serve(self, command: list[str], path: str, environment: dict[str, str]) -> tuple[str, int]:
        """Start a server with its port as the last argument. Return its URL and pid once `path` answers."""
        port = free_port()
        with (self.home / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, str(port)],
                env=self.environment | environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            if process.poll() is not None:
                break
            try:
                urlopen(url + path, timeout=2).close()
                return url, process.pid
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"the server did not start: {(self.home / 'server.log').read_text()[-2000:]}")


@contextmanager
def house() -> Iterator[House]:
    """Create a list in the environment of `run_inside`, and remove it at the end."""
    home = House(Path(os.environ[INSIDE]))
    try:
        home.todo("init", "--name", "bench")
        yield home
    finally:
        for process in home.processes:
            process.terminate()
            process.wait()
        home.todo("init", "--destroy", "--yes")


def free_port() -> int:
    """Return a free TCP port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# -- counting -----------------------------------------------------------------------------------------


class Case(NamedTuple):
    """One process to measure. With `tty`, its output is a terminal."""

    command: list[str]
    environment: dict[str, str]
    tty: bool = False


def cpu(case: Case) -> float:
    """Run the process and return its user and system seconds.

    Child processes that it waits for are included, servers are not. Exit if it fails.
    """
    out, keep = pty.openpty() if case.tty else os.pipe()
    process = subprocess.Popen(
        case.command, env=case.environment, stdin=subprocess.DEVNULL, stdout=keep, stderr=subprocess.DEVNULL
    )
    os.close(keep)
    _drain(out)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    _exit_on_failure(process.returncode, case)
    return usage.ru_utime + usage.ru_stime


def _exit_on_failure(code: int, case: Case, output: str = "") -> None:
    """Exit if the command failed: the figures of a failed command mean nothing."""
    if code:
        raise SystemExit(f"exit code {code}: {' '.join(case.command)}\n{output[-2000:]}")


def _drain(source: int) -> None:
    try:
        while os.read(source, 65536):
            pass
    except OSError:  # a terminal reports its closed end as an error
        pass
    os.close(source)


def interleaved(cases: dict[str, Case], runs: int) -> dict[str, float]:
    """Return the median seconds of each case. The cases run in turn, so other load affects all of them alike."""
    samples: dict[str, list[float]] = {name: [] for name in cases}
    if runs > 1:  # the first run of each fills caches; the figures of a single run mean nothing anyway
        for case in cases.values():
            cpu(case)
    for _ in range(runs):
        for name, case in cases.items():
            samples[name].append(cpu(case))
    return {name: median(seconds) for name, seconds in samples.items()}


def counter() -> tuple[str, Callable[[Case], float | None]] | None:
    """Return the name of a program that counts instructions here, and its function; None if there is none."""
    probe = Case([sys.executable, "-c", "pass"], BARE)
    for name, count in (("perf", _perf), ("cachegrind", _cachegrind)):
        if shutil.which({"cachegrind": "valgrind"}.get(name, name)) and _can_count(count, probe):
            return name, count
    return None


def _can_count(count: Callable[[Case], float | None], probe: Case) -> bool:
    try:
        return bool(count(probe))
    except SystemExit:  # the kernel may refuse its counters to this user
        return False


def _perf(case: Case) -> float | None:
    text = _run_counting(["perf", "stat", "-x,", "-e", "instructions:u"], case)
    match = re.search(r"^(\d+),.*instructions", text, re.MULTILINE)
    return int(match[1]) / 1e6 if match and int(match[1]) else None


def _cachegrind(case: Case) -> float | None:
    text = _run_counting(["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"], case)
    match = re.search(r"I\s+refs:\s+([\d,]+)", text)
    return int(match[1].replace(",", "")) / 1e6 if match else None


def _run_counting(counter_command: list[str], case: Case) -> str:
    """Run the process under a counter and return the text on its standard error. Exit if it fails."""
    out, keep = pty.openpty() if case.tty else os.pipe()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*counter_command, *case.command],
            env=case.environment | {"PYTHONHASHSEED": "0"},
            stdin=subprocess.DEVNULL,
            stdout=keep,
            stderr=errors,
        )
        os.close(keep)
        _drain(out)
        process.wait()
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    _exit_on_failure(process.returncode, case, text)
    return text


def verdict(value: float, aim: float | None, *, most: bool = True) -> str:
    """Return `pass`, or `over` (`under` if the aim is a minimum). Return an empty text if there is no aim."""
    if aim is None:
        return ""
    return "pass" if (value <= aim if most else value >= aim) else "over" if most else "under"


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print the rows as a Markdown table. The first row has the headings."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for line, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if not line:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
