"""Manage channels for reminders and webhooks."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.channels import AddChannel, Channel, ChannelKind, ListChannels, RemoveChannel, TryChannel
from todo_cli.contract.jobs import Delivery, ListJobs
from todo_cli.errors import Invalid, TodoError

PANEL = "Account"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Manage channels for reminders and webhooks.")

EMPTY_MESSAGE = "No channels yet. Add one with: todo channel add mail email ana@example.org"
SECRET_BYTES = 32
TEST_SECONDS = 10.0
POLL_SECONDS = 0.3

ChannelArgument = Annotated[str, typer.Argument(help="Name of the channel.", metavar="NAME")]


@app.command()
def add(
    ctx: typer.Context,
    name: ChannelArgument,
    kind: Annotated[ChannelKind, typer.Argument(help="webhook, email, push or desktop.", metavar="KIND")],
    address: Annotated[
        str | None,
        typer.Argument(help="URL or e-mail address; without it, read from a prompt or stdin.", metavar="[ADDRESS]"),
    ] = None,
    changes: Annotated[
        str | None,
        typer.Option(help="Send a webhook the changes of this space: all, or of commands: add,done.", metavar="LIST"),
    ] = None,
    with_token: Annotated[
        bool, typer.Option("--with-token", help="Read the push server's token from a prompt or stdin's second line.")
    ] = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Add a channel, to which your reminders go. A webhook's signing secret is printed once.

    The URL of a push topic is a secret, so it is read from a prompt or stdin.

    todo channel add mail email ana@example.org

    todo channel add phone push < topic-url.txt

    todo channel add ci webhook https://ci.example.org/hook --changes add,done
    """
    session = session_of(ctx)
    lines = _read_lines(session, kind, address, with_token=with_token)
    secret = _make_secret() if kind == "webhook" else lines[1] if with_token else None
    added = session.send(
        AddChannel(
            name=name,
            kind=kind,
            target=lines[0],
            secret=secret,
            space=_find_space(session) if changes else None,
            commands=() if changes in (None, "all") else tuple(word.strip() for word in changes.split(",")),
        ),
        key,
    )
    _print_channel(added, "Added", secret if kind == "webhook" else None, as_json=as_json)


def _read_lines(session: Session, kind: str, address: str | None, *, with_token: bool) -> list[str]:
    """Return the address and the token, as far as the kind has them; raises Invalid."""
    if with_token and kind != "push":
        raise Invalid("--with-token is for push servers")
    if address and kind == "push":
        raise Invalid(
            "the URL of a push topic is a secret, which other users of this machine could read in the process list",
            hint="leave it out and type it at the prompt, or pipe it to stdin",
        )
    if address or kind == "desktop":
        return [address or ""]
    from todo_cli.cli.prompts import read_secret, read_secret_lines

    if not session.is_interactive:
        return read_secret_lines(2 if with_token else 1, noun="address")
    lines = [read_secret(session, "Address: ", noun="address").reveal()]
    return lines + ([read_secret(session, "Token: ").reveal()] if with_token else [])


def _make_secret() -> str:
    import secrets

    return f"whsec_{secrets.token_urlsafe(SECRET_BYTES)}"


def _find_space(session: Session) -> str:
    from todo_cli.contract.base import token_user

    settings = session.settings
    return settings.space or token_user(settings.require_token().reveal())


@app.command("list")
def list_channels(ctx: typer.Context, as_json: Json = False) -> None:
    """List your channels. Secrets are not shown.

    todo channel list

    todo channel list --json
    """
    session = session_of(ctx)
    page = session.send(ListChannels())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    cells = [(channel.name, channel.kind, channel.target, _describe_use(channel)) for channel in page.channels]
    print_rows(session, ("Name", "Kind", "Address", "Gets"), cells, nothing=EMPTY_MESSAGE)


@app.command()
def rm(ctx: typer.Context, name: ChannelArgument, key: Key = None, as_json: Json = False) -> None:
    """Remove a channel. Nothing more is sent to it.

    todo channel rm phone

    todo channel rm phone --json
    """
    _print_channel(session_of(ctx).send(RemoveChannel(name=name), key), "Removed", None, as_json=as_json)


@app.command("test")
def send_test(ctx: typer.Context, name: ChannelArgument, key: Key = None, as_json: Json = False) -> None:
    """Send a test message to a channel, and wait until a worker has sent it.

    todo channel test phone

    todo channel test phone --json
    """
    session = session_of(ctx)
    delivery = _wait_for(session, session.send(TryChannel(name=name), key))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(delivery)
    elif delivery.state == "sent":
        from todo_cli.cli.render import text

        text.write(f"Sent a test message to {name}.")
    if delivery.state in ("waiting", "sending"):
        raise TodoError(
            f"no worker has sent the message within {TEST_SECONDS:.0f} seconds",
            hint="run one with: todo worker; the message waits, see: todo jobs list",
        )
    if delivery.state != "sent":
        raise TodoError(
            f"the message was not accepted: {delivery.error}",
            hint="see: todo jobs list; failed messages are tried again, dead ones by: todo jobs retry",
        )


def _wait_for(session: Session, delivery: Delivery) -> Delivery:
    deadline = time.monotonic() + TEST_SECONDS
    while delivery.state in ("waiting", "sending") and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        page = session.send(ListJobs(limit=1_000))
        delivery = next((each for each in page.deliveries if each.id == delivery.id), delivery)
    return delivery


def _describe_use(channel: Channel) -> str:
    if channel.space is None:
        return "reminders"
    from todo_cli.contract.registry import label_of

    labels = dict.fromkeys(label_of(verb) for verb in channel.verbs or ())
    return f"changes: {', '.join(labels) or 'all'}"


def _print_channel(channel: Channel, past: str, secret: str | None, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        from todo_cli.cli.render import json

        json.write_document(msgspec.to_builtins(channel) | ({"secret": secret} if secret else {}))
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    place = f" to {channel.target}" if channel.target else ""
    text.write(escape(f"{past} {channel.name}: {channel.kind}{place}, {_describe_use(channel)}"))
    if secret:
        text.note("Its posts are signed with the secret below, which will not be shown again:")
        text.write(secret)
