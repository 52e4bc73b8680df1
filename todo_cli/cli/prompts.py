"""Ask a person questions; never without a terminal."""

from __future__ import annotations

import sys

from todo_cli.cli.session import Session
from todo_cli.contract.base import Secret
from todo_cli.errors import Invalid, NeedsAnswer

MAX_SECRET_BYTES = 10_000


def ask_yes_no(session: Session, question: str, *, yes: bool, flag: str) -> bool:
    """Return whether the answer is yes; raises NeedsAnswer, which names the flag, without a terminal."""
    if yes:
        return True
    if not session.is_interactive:
        raise NeedsAnswer("this needs a confirmation, and there is no terminal to ask on", hint=f"confirm with {flag}")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    answer = ""
    try:
        answer = sys.stdin.readline()
    finally:
        if not answer.endswith("\n"):
            sys.stderr.write("\n")  # after Ctrl-C or Ctrl-D the next output begins on its own line
    return answer.strip().lower() in ("y", "yes")


def read_secret(session: Session, question: str, *, noun: str = "token") -> Secret:
    """Read a secret without echo from the terminal, or from stdin, never from a flag; raises Invalid."""
    if session.is_interactive:
        import getpass

        value = getpass.getpass(question, stream=sys.stderr)
    else:
        try:
            value = sys.stdin.buffer.read(MAX_SECRET_BYTES + 1).decode()
        except UnicodeDecodeError:
            raise Invalid(f"the {noun} on stdin is not valid UTF-8") from None
    value = value.strip()
    if not value or len(value) > MAX_SECRET_BYTES or len(value.split()) > 1:
        raise Invalid(f"no {noun} was given", hint="pipe it to stdin, or type it at the prompt")
    return Secret(value)


def read_secret_lines(count: int, *, noun: str) -> list[str]:
    """Read so many secrets from the lines of stdin; raises Invalid for another number of lines."""
    try:
        lines = sys.stdin.buffer.read(MAX_SECRET_BYTES + 1).decode().split()
    except UnicodeDecodeError:
        raise Invalid(f"the {noun} on stdin is not valid UTF-8") from None
    if len(lines) != count:
        expected = f"one {noun}" if count == 1 else f"{count} lines"
        raise Invalid(f"stdin must have {expected}", hint="pipe it to stdin, or type it at the prompt")
    return lines
