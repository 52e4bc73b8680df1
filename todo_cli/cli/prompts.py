"""Ask a person questions; never without a terminal."""

from __future__ import annotations

import sys

from todo_cli.cli.session import Session
from todo_cli.contract.base import Secret
from todo_cli.contract.limits import MIN_PASSWORD_CHARS
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


def read_line(session: Session, question: str, *, flag: str) -> str:
    """Read a line from the terminal; raises NeedsAnswer, which names the flag, without one."""
    if not session.is_interactive:
        raise NeedsAnswer(f"{flag} is required where there is no terminal to ask on")
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


class SecretLines:
    """Reads passwords and codes: without echo from the terminal, or one per line from stdin, in the same order."""

    def __init__(self, session: Session, *, from_stdin: bool) -> None:
        if not from_stdin and not session.is_interactive:
            raise NeedsAnswer("there is no terminal to ask for a password on", hint="pipe it: --password-stdin")
        self._lines = _read_stdin_lines() if from_stdin else None

    def read(self, question: str, noun: str) -> Secret:
        """Return the next secret; raises Invalid for a blank one."""
        if secret := self.read_optional(question, min_left=0):
            return secret
        raise Invalid(f"no {noun} was given", hint="type it at the prompt, or pipe it as a line of --password-stdin")

    def read_optional(self, question: str, *, min_left: int) -> Secret | None:
        """Return the next secret, None for a blank one, and where stdin has only the lines for later questions."""
        if self._lines is None:
            import getpass

            line = getpass.getpass(question, stream=sys.stderr)
        else:
            line = self._lines.pop(0) if len(self._lines) > min_left else ""
        return Secret(line) if line.strip() else None

    def read_new_password(self) -> Secret:
        """Return a new password, which is typed twice at a terminal; raises Invalid."""
        password = self.read("New password: ", "password")
        if len(password.reveal()) < MIN_PASSWORD_CHARS:
            raise Invalid(f"a password has at least {MIN_PASSWORD_CHARS} characters", hint="several words are good")
        if self._lines is None and self.read("Repeat it: ", "password") != password:
            raise Invalid("the two passwords differ", hint="try again")
        return password


def _read_stdin_lines() -> list[str]:
    try:
        return sys.stdin.buffer.read(MAX_SECRET_BYTES + 1).decode().splitlines()
    except UnicodeDecodeError:
        raise Invalid("the password on stdin is not valid UTF-8") from None
