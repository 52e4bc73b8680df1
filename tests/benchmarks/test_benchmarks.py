"""Every benchmark runs to its end with `--quick`. The figures of such a run mean nothing.

By default two of them run, which have most of their helpers in common, and the others print their help.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import BARE

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NAMES = ("cache", "chat", "cold_start", "import_export", "peers", "server", "startup", "watch", "writes")
BY_DEFAULT = ("cold_start", "import_export")
TIMEOUT_SECONDS = 300


def run_benchmark(name: str, option: str, directory: Path) -> str:
    """Run a benchmark to its end, and return what it prints."""
    result = subprocess.run(
        [sys.executable, str(BENCHMARKS / f"{name}.py"), option],
        env=BARE | {"HOME": str(directory)},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


@pytest.mark.parametrize(
    "name", [name if name in BY_DEFAULT else pytest.param(name, marks=pytest.mark.long) for name in NAMES]
)
def test_benchmark_with_quick_prints_a_table(name: str, tmp_path: Path) -> None:
    assert "\n|---" in run_benchmark(name, "--quick", tmp_path)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BY_DEFAULT])
def test_benchmark_with_help_names_its_quick_form(name: str, tmp_path: Path) -> None:
    assert "--quick" in run_benchmark(name, "--help", tmp_path)


def test_every_benchmark_with_quick_is_tested() -> None:
    benchmarks = {path.stem for path in BENCHMARKS.glob("*.py") if "argparse.ArgumentParser" in path.read_text()}
    assert benchmarks == set(NAMES)
