"""Save, list and remove named filters."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import session_of
from todo_cli.contract.views import ChooseView, ListViews, RemoveView, SaveView, View

PANEL = "Tasks"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Save, list and remove named filters.")

EMPTY_MESSAGE = "No views yet. Save one with: todo view save calls '@phone due<=7d'"

ViewArgument = Annotated[str, typer.Argument(help="Name of the view, without the colon.", metavar="NAME")]


@app.command(cls=FilterCommand)
def save(
    ctx: typer.Context,
    name: ViewArgument,
    words: Annotated[list[str], typer.Argument(help="Filter of the view.", metavar="FILTER", show_default=False)],
    sort: Annotated[str | None, typer.Option(help="Sort keys, such as priority,-due.", metavar="KEYS")] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Save a filter as a view. Use :NAME wherever a filter is expected.

    todo view save work '#work and not @waiting' --sort priority,due

    todo view save soon 'due<=7d or p1'
    """
    view = session_of(ctx).send(SaveView(name=name, filter=" ".join(words), sort=sort), key)
    _print_view(view, "Saved", as_json=as_json)


@app.command("list")
def list_views(ctx: typer.Context, as_json: Json = False) -> None:
    """List your views. A star marks the default one.

    todo view list

    todo view list --json
    """
    session = session_of(ctx)
    page = session.send(ListViews())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    cells = [("*" if view.default else "", view.name, view.filter, view.sort or "") for view in page.views]
    print_rows(session, ("", "Name", "Filter", "Sort"), cells, nothing=EMPTY_MESSAGE)


@app.command()
def rm(ctx: typer.Context, name: ViewArgument, key: Key = None, as_json: Json = False) -> None:
    """Remove a view. Its tasks stay as they are.

    todo view rm soon

    todo view rm work --json
    """
    _print_view(session_of(ctx).send(RemoveView(name=name), key), "Removed", as_json=as_json)


@app.command()
def default(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the view, or none.", metavar="NAME")],
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Set the view that "todo list" shows without a filter; none shows all open tasks.

    todo view default work

    todo view default none
    """
    page = session_of(ctx).send(ChooseView(name=None if name == "none" else name), key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    view = name.removeprefix(":")
    text.write(escape("There is no default view now." if name == "none" else f"The default view is :{view}."))


def _print_view(view: View, past: str, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(view)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    text.write(escape(f"{past} :{view.name}: {view.filter}"))
