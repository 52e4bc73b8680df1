"""Where the local service listens: paths that are too long, directories of others, configurations that changed."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from todo_cli.local_service.places import find_socket, make_private_directory, socket_path


@pytest.fixture(params=["short", "long/" * 30])
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The directory of a list with a socket of the service, also where the path is too long for a socket."""
    home = str(tmp_path / request.param)
    path = Path(socket_path(home))
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    make_private_directory(str(path.parent))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    yield home
    shutil.rmtree(path.parent)


def test_socket_is_found_until_the_configuration_changes(home: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    assert find_socket(home, config) == socket_path(home), "without a file all settings come from the environment"
    config.touch()
    read_at = config.stat().st_mtime_ns
    os.utime(socket_path(home), ns=(read_at, read_at))
    assert find_socket(home, config) == socket_path(home)
    os.utime(config, ns=(read_at + 1, read_at + 1))
    assert find_socket(home, config) is None


def test_directory_that_others_may_enter_is_refused(home: str, tmp_path: Path) -> None:
    directory = os.path.dirname(socket_path(home))
    os.chmod(directory, 0o710)
    assert find_socket(home, tmp_path / "config.toml") is None
    with pytest.raises(PermissionError, match="open to others"):
        make_private_directory(directory)
    os.chmod(directory, 0o700)
