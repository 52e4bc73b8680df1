"""The root command: every command is listed from COMMANDS, only the one that runs is imported."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer
from typer import _click
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from todo_cli.cli.session import Session
from todo_cli.command_table import COMMANDS, GLOBAL_FLAGS
from todo_cli.errors import Invalid

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"]}


class LazyGroup(TyperGroup):
    """Lists every command from COMMANDS; imports only the one that runs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {
            name: TyperCommand(name, help=line, rich_help_panel=panel) for name, (_, panel, line) in COMMANDS.items()
        }

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Global options may stand anywhere before `--`."""
        return super().parse_args(ctx, _global_first(args))

    def list_commands(self, ctx: Any) -> list[str]:
        """In the table's order."""
        return list(COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Import the module of the command that runs."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else None, rest


def load_command(name: str) -> Any:
    """The command of one module: its `app`."""
    command = get_command(importlib.import_module(COMMANDS[name][0]).app)
    command.context_settings = {**CONTEXT_SETTINGS, **command.context_settings}
    return command


def _global_first(args: list[str]) -> list[str]:
    first: list[str] = []
    rest: list[str] = []
    remaining = iter(args)
    for arg in remaining:
        name = arg.partition("=")[0]
        if arg == "--":
            return [*first, *rest, arg, *remaining]
        if name in GLOBAL_FLAGS:
            first.append(arg)
            if GLOBAL_FLAGS[name] and "=" not in arg:
                first.extend([value for value in [next(remaining, None)] if value is not None])
        else:
            rest.append(arg)
    return first + rest


def _print_version(ctx: typer.Context, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from todo_cli import __version__

        typer.echo(f"todo {__version__}")
        raise typer.Exit


def _complete_profile(incomplete: str) -> list[str]:
    from todo_cli.settings.settings import profile_names

    return profile_names(incomplete)


def _root(
    ctx: typer.Context,
    profile: Annotated[
        str | None, typer.Option(help="Use this profile of the configuration.", autocompletion=_complete_profile)
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours (also: NO_COLOR).")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A todo list that lives in a shared Postgres: every machine sees the same list, at the same instant.

    [bold]todo init[/bold] makes one here; [bold]todo login[/bold] joins one that is there.
    [bold]todo[/bold] alone lists what is open.
    """
    ctx.obj = Session(profile=profile, color=not no_color, debug=debug)
    if ctx.invoked_subcommand is None:
        command = load_command("list")
        with command.make_context("list", [], parent=ctx) as inner:
            command.invoke(inner)


app = typer.Typer(cls=LazyGroup, invoke_without_command=True, add_completion=False, context_settings=CONTEXT_SETTINGS)
app.callback()(_root)


def run_command_line(arguments: list[str]) -> int:
    """Run one command; its exit code. Raises TodoError; usage errors become Invalid."""
    command = get_command(app)
    try:
        # not command.main(): it ends the process with 1 where a pipe is closed
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


def _format_usage_error(error: Any) -> str:
    text: str = error.format_message().strip().rstrip(".")
    return text[:1].lower() + text[1:]


def _usage_hint(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return f"see: {context.command_path} --help" if context else "see: todo --help"
