"""Notifications on the desktop of the worker's machine, by `notify-send`. It cannot tell a message that comes twice."""

from __future__ import annotations

import asyncio
from shutil import which

from todo_cli.jobs.channel_errors import DeliveryFailed
from todo_cli.jobs.messages import Notice

COMMAND = "notify-send"
COMMAND_SECONDS = 10


async def show_on_desktop(notice: Notice) -> None:
    """Show the message; raises DeliveryFailed where this machine has no desktop that shows it."""
    command = which(COMMAND)
    if command is None:
        raise DeliveryFailed(f"this worker's machine has no {COMMAND}", permanent=True)
    urgency = "critical" if notice.priority == 1 else "normal"
    arguments = ["--app-name=todo", f"--urgency={urgency}", "--", notice.title, notice.text]
    process = await asyncio.create_subprocess_exec(
        command,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            code = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise DeliveryFailed("the desktop did not answer", permanent=True) from None
    if code:
        raise DeliveryFailed(f"the desktop did not show it ({COMMAND} exited with {code})", permanent=True)
