"""Questions to a person; never without a terminal."""

from __future__ import annotations

import sys

from todo_cli.cli.session import Session
from todo_cli.contract.base import Secret
from todo_cli.errors import Invalid, NeedsAnswer


def ask_yes_no(session: Session, question: str, *, yes: bool, flag: str) -> bool:
    """A plain yes; raises NeedsAnswer, naming the flag, when there is nobody to ask."""
    if yes:
        return True
    if not session.interactive:
        raise NeedsAnswer("this needs a yes, and there is no terminal to ask on", hint=f"answer with {flag}")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    answer = ""
    try:
        answer = sys.stdin.readline()
    finally:
        if not answer.endswith("\n"):
            sys.stderr.write("\n")  # after Ctrl-C or Ctrl-D what follows begins on a line of its own
    return answer.strip().lower() in ("y", "yes")


def read_secret(session: Session, question: str, *, what: str = "token", most: int = 10_000) -> Secret:
    """A secret from a prompt without echo, or from stdin; never from a flag. Raises Invalid."""
    if session.interactive:
        import getpass

        value = getpass.getpass(question, stream=sys.stderr)
    else:
        try:
            value = sys.stdin.buffer.read(most + 1).decode()
        except UnicodeDecodeError:
            raise Invalid(f"the {what} on stdin is not valid UTF-8") from None
    value = value.strip()
    if not value or len(value) > most or len(value.split()) > 1:
        raise Invalid(f"there is no {what}", hint="give one on stdin, or at the prompt on a terminal")
    return Secret(value)
