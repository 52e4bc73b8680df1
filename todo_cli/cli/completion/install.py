"""Install the script of a shell where the shell finds it, and remove it again. Both may be repeated."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Literal, get_args

from todo_cli.errors import Invalid

Shell = Literal["bash", "zsh", "fish"]

MARK = "# todo completion"
"""The end of the one line in the start-up file of a shell."""


def read_script(shell: Shell) -> str:
    """Return the script of a shell."""
    return (Path(__file__).parent / f"todo.{shell}").read_text()


def find_shell() -> Shell:
    """Return the shell of the user, which SHELL names; raises Invalid for another."""
    name = os.path.basename(os.environ.get("SHELL", ""))
    for shell in get_args(Shell):
        if name == shell:
            return shell  # type: ignore[no-any-return]
    hint = "name one: todo completion --install --shell bash (or zsh, fish)"
    raise Invalid(f"SHELL is {name!r}, for which there is no completion", hint=hint)


def install_script(shell: Shell) -> list[str]:
    """Write the script, and the line that loads it; return a line about each file that changed. Raises Invalid."""
    script, start_file = _script_path(shell), _start_file(shell)
    done = []
    try:
        if not script.exists() or script.read_text() != read_script(shell):
            script.parent.mkdir(parents=True, exist_ok=True)
            script.write_text(read_script(shell))
            done.append(f"Wrote {script}")
        if start_file and not _has_line(start_file):
            with start_file.open("ab") as file:
                file.write(f"{_needed_line_end(start_file)}{_load_line(shell, script)}\n".encode())
            done.append(f"Added a line to {start_file}")
    except OSError as error:
        raise Invalid(f"cannot write {error.filename}: {error.strerror}") from None
    return done


def remove_script(shell: Shell) -> list[str]:
    """Remove the script and the line that loads it; return a line about each file that changed. Raises Invalid."""
    script, start_file = _script_path(shell), _start_file(shell)
    done = []
    try:
        if script.exists():
            script.unlink()
            done.append(f"Removed {script}")
        if start_file and _has_line(start_file):
            lines = start_file.read_bytes().splitlines(keepends=True)
            start_file.write_bytes(b"".join(line for line in lines if not _is_own(line)))
            done.append(f"Removed the line from {start_file}")
    except OSError as error:
        raise Invalid(f"cannot write {error.filename}: {error.strerror}") from None
    return done


def _script_path(shell: Shell) -> Path:
    if shell == "fish":
        return _directory("XDG_CONFIG_HOME", ".config") / "fish" / "completions" / "todo.fish"
    data = _directory("XDG_DATA_HOME", ".local/share")
    if shell == "bash":
        return data / "bash-completion" / "completions" / "todo"
    return data / "zsh" / "site-functions" / "_todo"


def _start_file(shell: Shell) -> Path | None:
    """Return the file that the shell reads at its start; fish needs none."""
    home = Path.home()
    if shell == "zsh":
        return Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
    if shell == "bash":
        names = [name for name in (".bashrc", ".bash_profile") if (home / name).exists()]
        return home / (names[0] if names else ".bashrc")
    return None


def _load_line(shell: Shell, script: Path) -> str:
    path = shlex.quote(str(script))
    if shell == "zsh":
        ready = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }"
        return f"[[ -r {path} ]] && {{ {ready}; source {path}; }}  {MARK}"
    return f"[ -r {path} ] && . {path}  {MARK}"


def _directory(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default)


def _has_line(path: Path) -> bool:
    return path.exists() and any(map(_is_own, path.read_bytes().splitlines()))


def _is_own(line: bytes) -> bool:
    return line.rstrip().endswith(MARK.encode())


def _needed_line_end(path: Path) -> str:
    """Return the line end that the last line of the file lacks."""
    content = path.read_bytes() if path.exists() else b""
    return "\n" if content and not content.endswith(b"\n") else ""
