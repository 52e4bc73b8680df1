"""Start the local service at boot: a unit of systemd, or a property list of launchd."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

from todo_cli.errors import Unavailable
from todo_cli.local_service.start import service_command
from todo_cli.settings.settings import Settings

UNIT = """\
[Unit]
Description=todo: the local service of the profile {profile}

[Service]
ExecStart={command}
Environment={environment}
Restart=on-failure
RestartSec=10
# Postgres, which the service starts, outlives it
KillMode=process
NoNewPrivileges={no_new_privileges}

[Install]
WantedBy={target}
"""


class BootEntry(NamedTuple):
    """A file that the system reads at boot, and the commands that make it take notice."""

    path: Path
    text: str
    enable: list[list[str]]
    disable: list[list[str]]


def install_boot_entry(settings: Settings) -> Path:
    """Write the entry of the profile's service and start it; return its path; raises Unavailable."""
    entry = describe_boot_entry(settings)
    try:
        entry.path.parent.mkdir(parents=True, exist_ok=True)
        entry.path.write_text(entry.text, encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"cannot write {entry.path}: {error.strerror}") from None
    try:
        for command in entry.enable:
            _run(command)
    except Unavailable:
        entry.path.unlink()
        raise
    return entry.path


def uninstall_boot_entry(settings: Settings) -> Path | None:
    """Stop the service, remove its entry and return the entry's path, None if there is none; raises Unavailable."""
    entry = describe_boot_entry(settings)
    if not entry.path.exists():
        return None
    for command in entry.disable:
        _run(command)
    entry.path.unlink()
    return entry.path


def describe_boot_entry(settings: Settings) -> BootEntry:
    """Return the entry of this system: for root one of the machine, else one of the user."""
    name = "todo" if settings.profile == "default" else f"todo-{re.sub(r'[^A-Za-z0-9_.-]', '_', settings.profile)}"
    return _launchd_entry(settings, name) if sys.platform == "darwin" else _systemd_entry(settings, name)


def _systemd_entry(settings: Settings, name: str) -> BootEntry:
    is_root = os.geteuid() == 0
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    directory = Path("/etc/systemd/system") if is_root else Path(config, "systemd", "user")
    text = UNIT.format(
        profile=_quote_for_systemd(settings.profile),
        command=" ".join(map(_quote_for_systemd, service_command(settings.profile))),
        environment=_quote_for_systemd(f"TODO_CONFIG={os.path.abspath(settings.path)}"),
        no_new_privileges="no" if is_root else "yes",  # as root Postgres runs as another account
        target="multi-user.target" if is_root else "default.target",
    )
    systemctl = ["systemctl"] if is_root else ["systemctl", "--user"]
    unit = f"{name}.service"
    return BootEntry(
        directory / unit,
        text,
        [[*systemctl, "daemon-reload"], [*systemctl, "enable", "--now", unit]],
        [[*systemctl, "disable", "--now", unit]],
    )


def _quote_for_systemd(word: str) -> str:
    """Quote one word of a unit file, in which % begins a specifier and $ a variable."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s\"'\\;]", word) else escaped


def _launchd_entry(settings: Settings, name: str) -> BootEntry:
    import plistlib

    is_root = os.geteuid() == 0
    label = f"{name}.local-service"
    directory = Path("/Library/LaunchDaemons") if is_root else Path.home() / "Library" / "LaunchAgents"
    content = {
        "Label": label,
        "ProgramArguments": service_command(settings.profile),
        "EnvironmentVariables": {"TODO_CONFIG": os.path.abspath(settings.path)},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "AbandonProcessGroup": True,  # Postgres, which the service starts, outlives it
    }
    path = directory / f"{label}.plist"
    domain = "system" if is_root else f"gui/{os.getuid()}"
    return BootEntry(
        path,
        plistlib.dumps(content).decode(),
        [["launchctl", "bootstrap", domain, str(path)]],
        [["launchctl", "bootout", f"{domain}/{label}"]],
    )


def _run(command: list[str]) -> None:
    import subprocess

    environment = {"XDG_RUNTIME_DIR": f"/run/user/{os.geteuid()}"} | os.environ  # cron jobs and sudo lack it
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError:
        hint = "start the service by hand, or leave it to the commands, which start it on demand"
        raise Unavailable(
            f"this machine has no {command[0]}, so nothing starts the service at boot", hint=hint
        ) from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unavailable(f"{' '.join(command)} failed: {reason}", hint="the commands start the service on demand")
