"""`python3 -m tests`: everything CI runs, from a bare Python 3.11+: lint, types, tests.

It makes a virtual environment beside the checkout's own files (.venv), installs the project with its development
tools there, and runs them. Words after the command go to pytest: `python3 -m tests -m long`.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
BIN = HOME / ("Scripts" if sys.platform == "win32" else "bin")


def main() -> int:
    """0 when all is well; the first failure's exit code else. pytest's own summary is the last line."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this file is what an older Python would run
        sys.stderr.write("todo needs Python 3.11 or newer\n")
        return 2
    if not (BIN / "python").exists() and not (BIN / "python.exe").exists():
        venv.create(HOME, with_pip=True)
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
