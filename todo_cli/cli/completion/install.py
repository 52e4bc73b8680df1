"""Install the script of a shell where the shell finds it, and remove it again. Both may be repeated."""

from __future__ import annotations

import os
import shlex
import shutil
from contextlib import suppress
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
    if _read_file(script) != read_script(shell).encode():
        _replace_file(script, read_script(shell).encode())
        done.append(f"Wrote {script}")
    if start_file and not _has_line(start_file):
        content = _read_file(start_file)
        line_end = b"\n" if content and not content.endswith(b"\n") else b""
        _replace_file(start_file, content + line_end + _load_line(shell, script).encode() + b"\n")
        done.append(f"Added a line to {start_file}")
    return done


def remove_script(shell: Shell) -> list[str]:
    """Remove the script and the line that loads it; return a line about each file that changed. Raises Invalid."""
    script, start_file = _script_path(shell), _start_file(shell)
    done = []
    if start_file and _has_line(start_file):
        lines = _read_file(start_file).splitlines(keepends=True)
        _replace_file(start_file, b"".join(line for line in lines if not _is_own(line)))
        done.append(f"Removed the line from {start_file}")
    if script.exists():
        try:
            script.unlink()
        except OSError as error:
            raise Invalid(f"cannot remove {script}: {error.strerror}") from None
        done.append(f"Removed {script}")
    return done


def _read_file(path: Path) -> bytes:
    """Return the content of a file, nothing if there is none; raises Invalid."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from None


def _replace_file(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a full disk never costs the user a start-up file; raises Invalid."""
    path = path.resolve()  # start-up files are often links into a repository of dot files
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise Invalid(f"cannot write {path}: {error.strerror}") from None


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
    return any(map(_is_own, _read_file(path).splitlines()))


def _is_own(line: bytes) -> bool:
    return line.rstrip().endswith(MARK.encode())
