"""One Ctrl-C leaves `todo ask` while the server or the database gives no answer."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import BARE


@pytest.mark.parametrize(
    ("setting", "address"),
    [("TODO_SERVER", "http://127.0.0.1:{port}"), ("TODO_DATABASE_URL", "postgresql://u:p@127.0.0.1:{port}/x")],
)
def test_ask_without_an_answer_is_left_by_one_interrupt(tmp_path: Path, setting: str, address: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        silent.settimeout(60)
        env = BARE | {
            "HOME": str(tmp_path),
            "TODO_TOKEN": f"todo_x_{'a' * 40}",
            "TODO_MODEL": "m",
            "TODO_TIMEOUT": "600",
            setting: address.format(port=silent.getsockname()[1]),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "todo_cli.main", "ask", "hi"],
            env=env,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        with closing(connection):
            process.send_signal(signal.SIGINT)
            try:
                _, stderr = process.communicate(timeout=60)
            finally:
                process.kill()
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
