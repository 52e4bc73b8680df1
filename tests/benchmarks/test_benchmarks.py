"""Every benchmark runs to its end with `--quick`. The figures of such a run mean nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import BARE

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NAMES = ("cache", "chat", "cold_start", "import_export", "peers", "server", "startup", "watch", "writes")
TIMEOUT_SECONDS = 300


@pytest.mark.parametrize("name", NAMES)
def test_benchmark_with_quick_prints_a_table(name: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(BENCHMARKS / f"{name}.py"), "--quick"],
        env=BARE | {"HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert "\n|---" in result.stdout


def test_every_benchmark_with_quick_is_tested() -> None:
    benchmarks = {path.stem for path in BENCHMARKS.glob("*.py") if "argparse.ArgumentParser" in path.read_text()}
    assert benchmarks == set(NAMES)
