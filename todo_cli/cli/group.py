"""The root command. It lists every command from COMMANDS and imports only the one that runs."""

from __future__ import annotations

import importlib
import os
from typing import Annotated, Any

import typer
from typer import _click
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from todo_cli.cli.session import Session
from todo_cli.command_table import COMMANDS, GLOBAL_FLAGS
from todo_cli.errors import Invalid

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"]}
MAX_HELP_COLUMNS = 100
TOPICS_AND_COMMANDS = ("chat",)
"""Names of which `todo help` shows the topic; the options of the command are in its --help."""
ALIASES = ("ls", "version", "help")
"""Words that `_expand_alias` translates."""
JSON_FLAGS = ("--json", "--jq", "--template")


class LazyGroup(TyperGroup):
    """List every command from COMMANDS; import only the one that runs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {
            name: TyperCommand(name, help=line, rich_help_panel=panel) for name, (_, panel, line) in COMMANDS.items()
        }

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Accept global options anywhere before `--`, and the aliases of commands."""
        _run_plugin_command(args)
        if not any(arg.startswith(JSON_FLAGS) for arg in args):
            options, rest = _split_global_options(args)
            return super().parse_args(ctx, options + _expand_alias(rest))
        from todo_cli.cli.json_options import add_json, take_json_fields

        options, rest = _split_global_options(take_json_fields(args))
        return super().parse_args(ctx, options + add_json(options, _expand_alias(rest)))

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Import the module of the command that is to run."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else None, rest


def load_command(name: str) -> Any:
    """Import a command's module and return the command that its `app` makes."""
    command = get_command(importlib.import_module(COMMANDS[name][0]).app)
    command.context_settings = {**CONTEXT_SETTINGS, **command.context_settings}
    return command


def _split_global_options(args: list[str]) -> tuple[list[str], list[str]]:
    """Return the global options with their values, and the other arguments."""
    options: list[str] = []
    rest: list[str] = []
    remaining = iter(args)
    for arg in remaining:
        name = arg.partition("=")[0]
        if arg == "--":
            return options, [*rest, arg, *remaining]
        if name in GLOBAL_FLAGS:
            options.append(arg)
            if GLOBAL_FLAGS[name] and "=" not in arg:
                options.extend([value for value in [next(remaining, None)] if value is not None])
        else:
            rest.append(arg)
    return options, rest


def _run_plugin_command(args: list[str]) -> None:
    """Run the program `todo-NAME` in place of this one where the first word is no command of ours."""
    place = 0
    while place < len(args) and args[place] in GLOBAL_FLAGS:
        place += 1 + GLOBAL_FLAGS[args[place]]
    name = args[place] if place < len(args) else "-"
    if name in COMMANDS or name in ALIASES or name.startswith("-"):
        return
    from todo_cli.cli.plugins import find_plugin, run_plugin

    if program := find_plugin(name):
        run_plugin(program, args[place + 1 :], args[:place])


def _expand_alias(args: list[str]) -> list[str]:
    """Translate `ls`, `version` and `help COMMAND`, which users of other tools type. A topic of help is no command."""
    match args:
        case ["ls", *rest]:
            return ["list", *rest]
        case ["version"]:
            return ["--version"]
        case ["help", name, *rest] if name in COMMANDS and not (name in TOPICS_AND_COMMANDS and not rest):
            return [name, *rest, "--help"]
    return args


def _print_version(ctx: typer.Context, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from todo_cli import __version__

        typer.echo(f"todo {__version__}")
        raise typer.Exit


def _complete_profile(incomplete: str) -> list[str]:
    from todo_cli.settings.settings_file import profile_names

    return profile_names(incomplete)


def _root(
    ctx: typer.Context,
    profile: Annotated[
        str | None, typer.Option(help="Use this profile from the settings.", autocompletion=_complete_profile)
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="Print without colours (also: NO_COLOR).")] = False,
    no_pager: Annotated[
        bool, typer.Option("--no-pager", help="Print long output without a pager (also: TODO_PAGER=cat).")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the trace of an error.")] = False,
    jq: Annotated[str | None, typer.Option(help="Print the JSON through a jq filter.", metavar="EXPR")] = None,
    template: Annotated[
        str | None, typer.Option(help="Print the JSON through a Jinja template.", metavar="TEXT")
    ] = None,
    fence: Annotated[
        list[str] | None,
        typer.Option(help="Write only while this claim is the task's last (also: TODO_FENCE).", metavar="NUMBER"),
    ] = None,
    json_fields: Annotated[str | None, typer.Option(hidden=True)] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A todo list and chat client whose state lives in a shared Postgres: every machine shows the same list.

    [bold]todo init[/bold] creates a list on this machine; [bold]todo login[/bold] joins an existing one.
    [bold]todo[/bold] without a command lists the open tasks; [bold]todo help COMMAND[/bold] shows examples.
    [bold]todo help TOPIC[/bold] explains agents, chat, configuration, dates, exit-codes,
    filters, formats, limits, output, reminders and scripts.
    """
    ctx.obj = Session(profile=profile, color=not no_color, pager=not no_pager, debug=debug, fences=fence or ())
    if jq is not None or template is not None or json_fields is not None:
        from todo_cli.cli.json_options import read_json_options

        ctx.obj.json_options = read_json_options(json_fields, jq, template)
    if ctx.invoked_subcommand is None:
        command = load_command("list")
        with command.make_context("list", [], parent=ctx) as inner:
            command.invoke(inner)


app = typer.Typer(cls=LazyGroup, invoke_without_command=True, add_completion=False, context_settings=CONTEXT_SETTINGS)
app.callback()(_root)


def run_command_line(arguments: list[str]) -> int:
    """Run one command and return its exit code. Raises TodoError; usage errors become Invalid."""
    command = get_command(app)
    _limit_help_width()
    try:
        # command.main() would end the process with exit code 1 when the pipe behind stdout is closed
        with command.make_context("todo", arguments) as context:
            code = command.invoke(context)
    except typer.Exit as error:
        return int(error.exit_code)
    except _click.exceptions.NoArgsIsHelpError as error:
        typer.echo(error.format_message())
        return 2
    except _click.exceptions.ClickException as error:
        raise Invalid(_format_usage_error(error), hint=_usage_hint(error)) from None
    except (typer.Abort, EOFError):
        return 130
    return code if isinstance(code, int) else 0


def _limit_help_width() -> None:
    """Make typer format help for at most 100 columns; it reads the width from a variable."""
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
    except (ValueError, OSError):
        return
    if columns > MAX_HELP_COLUMNS:
        os.environ.setdefault("TERMINAL_WIDTH", str(MAX_HELP_COLUMNS))


def _format_usage_error(error: Any) -> str:
    is_option = isinstance(error, _click.exceptions.NoSuchOption)
    text: str = (error.message if is_option else error.format_message()).strip().rstrip(".")
    return text[:1].lower() + text[1:]


def _usage_hint(error: Any) -> str:
    context = getattr(error, "ctx", None)
    see = f"see: {context.command_path} --help" if context else "see: todo --help"
    if isinstance(error, _click.exceptions.NoSuchOption):
        if error.possibilities:
            return f"did you mean {' or '.join(sorted(error.possibilities))}? {see}"
        return f"put -- before words that begin with a minus; {see}"
    return see
