"""`todo completion --install`: the script where the shell finds it, one line in its start-up file, and out again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import COMMAND, Todo

FILES = {
    "bash": (".local/share/bash-completion/completions/todo", ".bashrc"),
    "zsh": (".local/share/zsh/site-functions/_todo", ".zshrc"),
    "fish": (".config/fish/completions/todo.fish", None),
}
IS_LOADED = {
    "bash": ("bash", "-ic", "complete -p todo"),
    "zsh": ("zsh", "-ic", "print $_comps[todo]"),
    "fish": ("fish", "-c", "contains ~/.config/fish/completions $fish_complete_path; and echo _todo"),
}


@pytest.mark.parametrize("shell", FILES)
def test_installed_script_is_loaded_once_and_removed_whole(bare: Todo, shell: str) -> None:
    home = bare.directory / "home"
    home.mkdir()
    script, start = home / FILES[shell][0], home / (FILES[shell][1] or "none")
    start.write_bytes(b"# mine, \xff and no line end")
    env = {"HOME": str(home), "SHELL": f"/usr/bin/{shell}"}
    first = bare("completion", "--install", env=env)
    assert (first.code, str(script) in first.out) == (0, True), first.err
    content = start.read_bytes()
    assert content.startswith(b"# mine, \xff and no line end")
    again = bare("completion", "--install", "--shell", shell, env=env)
    assert again.out == f"The completion of {shell} is installed already.\n"
    assert start.read_bytes() == content
    assert script.read_text() == bare("completion", shell).out

    if shutil.which(shell):
        done = subprocess.run(
            IS_LOADED[shell],
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "_todo" in done.stdout, done.stderr

    assert bare("completion", "--uninstall", env=env).code == 0
    assert not script.exists()
    assert start.read_bytes().rstrip(b"\n") == b"# mine, \xff and no line end"
    assert bare("completion", "--uninstall", env=env).out == f"The completion of {shell} is not installed.\n"


def test_install_for_an_unknown_shell_or_into_a_locked_place_is_refused(bare: Todo, tmp_path: Path) -> None:
    unknown = bare("completion", "--install", env={"SHELL": "/bin/tcsh"})
    assert unknown.code == 2
    assert unknown.err.startswith("todo: SHELL is 'tcsh', for which there is no completion")
    assert "--shell bash" in unknown.err
    (tmp_path / "file").write_text("")
    blocked = bare("completion", "--install", env={"SHELL": "/bin/fish", "XDG_CONFIG_HOME": str(tmp_path / "file")})
    assert (blocked.code, blocked.err.startswith("todo: cannot write")) == (2, True)
    assert bare("completion").code == 2
    assert bare("completion", "--install", "--uninstall", "bash").code == 2


def test_full_disk_costs_no_line_of_a_start_file(bare: Todo) -> None:
    home = bare.directory / "home"
    (home / "dots").mkdir(parents=True)
    (home / "dots" / "bashrc").write_text("# mine\n")
    (home / ".bashrc").symlink_to("dots/bashrc")
    env = bare.environment() | {"HOME": str(home), "SHELL": "/bin/bash"}
    assert bare("completion", "--install", env=env).code == 0
    content = (home / ".bashrc").read_bytes()
    command = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *COMMAND, "completion", "--uninstall"]
    full = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (full.returncode, full.stderr) == (2, f"todo: cannot write {home / 'dots' / 'bashrc'}: File too large\n")
    assert (home / ".bashrc").read_bytes() == content
    assert bare("completion", "--uninstall", env=env).code == 0
    assert (home / ".bashrc").is_symlink()
    assert (home / "dots" / "bashrc").read_text() == "# mine\n"
    assert sorted(path.name for path in (home / "dots").iterdir()) == ["bashrc"]
