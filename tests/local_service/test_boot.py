"""The files that start the local service at boot, and the commands that make the system read them."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from todo_cli.errors import Unavailable
from todo_cli.local_service.boot import describe_boot_entry, install_boot_entry, uninstall_boot_entry
from todo_cli.settings.settings import Settings, load_settings

SYSTEMCTL = '#!/bin/sh\necho "$@" >> "$0.log"\n'


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a list whose paths need quotes, for a user who is not root."""
    config = tmp_path / "50% of $HOME" / "config.toml"
    config.parent.mkdir()
    config.touch()
    monkeypatch.setenv("TODO_CONFIG", str(config))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return load_settings()


def write_systemctl(directory: Path, script: str) -> Path:
    """Write a `systemctl` and return the log of its calls."""
    directory.mkdir()
    program = directory / "systemctl"
    program.write_text(script)
    program.chmod(0o755)
    return directory / "systemctl.log"


def test_unit_of_systemd_is_valid_and_names_the_configuration(settings: Settings, tmp_path: Path) -> None:
    entry = describe_boot_entry(settings)
    assert entry.path == tmp_path / "xdg" / "systemd" / "user" / "todo.service"
    assert f'Environment="TODO_CONFIG={tmp_path}/50%% of $$HOME/config.toml"' in entry.text
    if shutil.which("systemd-analyze"):
        file = tmp_path / "todo.service"
        file.write_text(entry.text)
        checked = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
        assert str(file) not in checked.stderr


def test_property_list_of_launchd_runs_the_service(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    entry = describe_boot_entry(settings.replace(profile="work"))
    content = plistlib.loads(entry.text.encode())
    assert entry.path.name == f"{content['Label']}.plist" == "todo-work.local-service.plist"
    assert content["ProgramArguments"][-4:] == ["--profile", "work", "serve", "--local"]
    assert content["EnvironmentVariables"] == {"TODO_CONFIG": str(settings.path)}


def test_entry_is_written_enabled_and_removed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_systemctl(tmp_path / "bin", SYSTEMCTL)
    monkeypatch.setenv("PATH", f"{log.parent}:/usr/bin:/bin")
    path = install_boot_entry(settings)
    assert path.exists()
    assert log.read_text().splitlines() == ["--user daemon-reload", "--user enable --now todo.service"]
    assert uninstall_boot_entry(settings) == path
    assert log.read_text().splitlines()[-1] == "--user disable --now todo.service"
    assert (path.exists(), uninstall_boot_entry(settings)) == (False, None)


def test_entry_that_the_system_refuses_is_removed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_systemctl(tmp_path / "bin", "#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", f"{log.parent}:/usr/bin:/bin")
    with pytest.raises(Unavailable, match="daemon-reload failed: Failed to connect to bus"):
        install_boot_entry(settings)
    assert not describe_boot_entry(settings).path.exists()
