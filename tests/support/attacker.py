"""Another account of this machine, as root can play it."""

from __future__ import annotations

import subprocess

ATTACKER_UID = 12345


def as_attacker(command: list[str], uid: int = ATTACKER_UID) -> str:
    """Run a command as another account and return all of its output."""
    process = subprocess.run(
        command,
        user=uid,
        group=uid,
        extra_groups=[],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )
    return process.stdout
