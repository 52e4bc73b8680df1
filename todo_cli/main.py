"""The front door: which commands there are, the global options, and the one place where errors end."""

from __future__ import annotations

import errno
import gc
import os
import sys

COMMANDS: dict[str, tuple[str, str, str]] = {  # name -> module, panel, one line
    "add": ("todo_cli.cli.add", "Tasks", "Add a task, or one a line from stdin."),
    "list": ("todo_cli.cli.list", "Tasks", "List tasks: the open ones, soonest due first."),
    "search": ("todo_cli.cli.search", "Tasks", "Find tasks by words, typing mistakes forgiven."),
    "next": ("todo_cli.cli.next", "Tasks", "Show what to do next: the most urgent first."),
    "today": ("todo_cli.cli.today", "Tasks", "List what is due or begins today, and what is overdue."),
    "upcoming": ("todo_cli.cli.upcoming", "Tasks", "List what is due in the days to come."),
    "overdue": ("todo_cli.cli.overdue", "Tasks", "List what should have been done."),
    "tags": ("todo_cli.cli.tags", "Tasks", "List the tags in use, with how many open tasks each has."),
    "projects": ("todo_cli.cli.projects", "Tasks", "List the projects in use, with how many open tasks each has."),
    "view": ("todo_cli.cli.view", "Tasks", "Save, list and remove filters by name."),
    "show": ("todo_cli.cli.show", "Tasks", "Show one task whole."),
    "done": ("todo_cli.cli.done", "Tasks", "Mark tasks as done."),
    "reopen": ("todo_cli.cli.reopen", "Tasks", "Open done tasks again."),
    "edit": ("todo_cli.cli.edit", "Tasks", "Change fields of tasks."),
    "start": ("todo_cli.cli.start", "Tasks", "Begin to work on tasks; their time is counted."),
    "stop": ("todo_cli.cli.stop", "Tasks", "Pause the work on tasks."),
    "defer": ("todo_cli.cli.defer", "Tasks", "Put tasks out of sight until a date."),
    "skip": ("todo_cli.cli.skip", "Tasks", "Let one occurrence of recurring tasks pass."),
    "claim": ("todo_cli.cli.claim", "Tasks", "Claim a task, or the next one that is free."),
    "release": ("todo_cli.cli.release", "Tasks", "Let go of claimed tasks."),
    "wait": ("todo_cli.cli.wait", "Tasks", "Wait until a task is done, changed or free."),
    "note": ("todo_cli.cli.note", "Tasks", "Write a task's note."),
    "comment": ("todo_cli.cli.comment", "Tasks", "Comment on a task."),
    "rm": ("todo_cli.cli.rm", "Tasks", "Move tasks to the bin."),
    "restore": ("todo_cli.cli.restore", "Tasks", "Bring tasks back from the bin."),
    "apply": ("todo_cli.cli.apply", "Tasks", "Do precisely what a plan says."),
    "ask": ("todo_cli.cli.ask", "Chat", "Say one thing to the model, which keeps the list."),
    "chat": ("todo_cli.cli.chat", "Chat", "Talk with the model; list, show and steer conversations."),
    "log": ("todo_cli.cli.log", "History", "Show who changed what, when and with which token."),
    "undo": ("todo_cli.cli.undo", "History", "Take back my last change."),
    "redo": ("todo_cli.cli.redo", "History", "Do again what was undone."),
    "init": ("todo_cli.cli.init", "Account", "Make a list of your own on this machine."),
    "login": ("todo_cli.cli.login", "Account", "Sign in to a server or a database with a token."),
    "logout": ("todo_cli.cli.logout", "Account", "Forget the token on this machine."),
    "whoami": ("todo_cli.cli.whoami", "Account", "Say who is signed in, with what, and where."),
    "token": ("todo_cli.cli.token", "Account", "Make, list and revoke tokens."),
    "space": ("todo_cli.cli.space", "Account", "List spaces and choose one to work in."),
    "prefs": ("todo_cli.cli.prefs", "Account", "Show and change my preferences."),
    "config": ("todo_cli.cli.config", "Account", "Show and edit the settings."),
    "doctor": ("todo_cli.cli.doctor", "Account", "Check everything, and say what to do."),
    "serve": ("todo_cli.cli.serve", "Operate", "Run a server."),
    "mcp": ("todo_cli.cli.mcp", "Operate", "Serve the list to an MCP client."),
    "db": ("todo_cli.cli.db", "Operate", "Migrate a database and look at its schema."),
    "admin": ("todo_cli.cli.admin", "Operate", "Manage people."),
    "completion": ("todo_cli.cli.completion", "Operate", "Print the completion script for a shell."),
}

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)  # what a write to stdout may end with

GLOBAL_FLAGS = {"--no-color": 0, "--debug": 0, "--profile": 1}  # flag -> values that follow it


def main() -> None:
    """The `todo` command."""
    if "_TODO_COMPLETE" in os.environ:
        _complete()
        return
    gc.set_threshold(
        50_000
    )  # imports make no garbage: looking for it dozens of times is a thirtieth of a command's work
    _with_streams()
    sys.exit(run(sys.argv[1:]))


def _with_streams() -> None:
    """A stream that was closed before we began (`>&-`) is an empty one."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        sys.stdin, sys.stdout, sys.stderr = (
            stream or open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115  # for as long as we run
            for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
        )


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; every error becomes one line here."""
    from todo_cli.errors import TodoError

    try:
        code = _program(arguments)
        sys.stdout.flush()
        return code
    except TodoError as error:
        if "--debug" in arguments:
            import traceback

            traceback.print_exc()
        return _report(error, arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _abandon_output()  # the reader has had enough
        return 0
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # so rich ends it
            return 0
        raise
    except OSError as error:
        return _bug(error, arguments) if error.errno not in FULL or error.filename else _unwritten(error, arguments)
    except Exception as error:
        return _bug(error, arguments)


def _program(arguments: list[str]) -> int:
    from todo_cli.cli.group import call

    return call(arguments)


def _report(error: object, arguments: list[str]) -> int:
    from todo_cli.cli.report import report

    return report(error, as_json=_wants_json(arguments))


def _abandon_output() -> None:
    # the interpreter's own flush at exit must not find the same fault again
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unwritten(error: OSError, arguments: list[str]) -> int:
    from todo_cli.errors import TodoError

    _abandon_output()
    hint = "make room; if it was a change, it has been made, see: todo log"
    return _report(TodoError(f"the output cannot be written: {error.strerror}", hint=hint), arguments)


def _bug(error: Exception, arguments: list[str]) -> int:
    if "--debug" in arguments:
        raise error
    from todo_cli.cli.report import report_bug

    return report_bug(error, as_json=_wants_json(arguments))


def _wants_json(arguments: list[str]) -> bool:
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options or "--jsonl" in options


def _complete() -> None:
    if not _completed_by_table():
        from todo_cli.cli.complete import complete

        complete()


def _completed_by_table() -> bool:
    """Complete a command's name from COMMANDS, before anything is imported; False when it is something else."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    if os.environ["_TODO_COMPLETE"] != "names" or len(words) > 2 or words[-1].startswith("-"):
        return False
    typed = words[1] if len(words) > 1 else ""
    sys.stdout.write("".join(f"{name}\t{line}\n" for name, (_, _, line) in COMMANDS.items() if name.startswith(typed)))
    return True


if __name__ == "__main__":
    main()
