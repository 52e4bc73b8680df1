"""Run what CI runs, from a bare Python 3.11 or newer: `python3 -m tests`.

The command creates the virtual environment `.venv` in the checkout, installs the project with its development tools there, and runs lint,
types and tests. Words after the command go to pytest: `python3 -m tests -m long`.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
BIN = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")


def main() -> int:
    """Run every step. Return 0, or the exit code of the first step that fails. The summary of pytest is the last line."""
    if sys.version_info < (3, 11):  # noqa: UP036  # an older Python runs this file too
        sys.stderr.write("todo needs Python 3.11 or newer\n")
        return 2
    if not (BIN / "python").exists() and not (BIN / "python.exe").exists():
        venv.create(ENVIRONMENT, with_pip=True)
    python = str(BIN / "python")
    steps = (
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", ".[dev]"],
        [python, "-m", "ruff", "check", "."],
        [python, "-m", "ruff", "format", "--check", "."],
        [python, "-m", "mypy"],
        [python, "-m", "pytest", *sys.argv[1:]],
    )
    for step in steps:
        sys.stderr.write(f"$ {' '.join(step[1:])}\n")
        sys.stderr.flush()
        if code := subprocess.run(step, cwd=ROOT, check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
