"""Run a server."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todo_cli.cli.render import text
from todo_cli.cli.session import Session, session_of
from todo_cli.errors import Unavailable

if TYPE_CHECKING:
    import socket

    import uvicorn
    from uvicorn.supervisors import Multiprocess

PANEL = "Operate"
app = typer.Typer(add_completion=False)


@app.command()
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8000,
    uds: Annotated[str | None, typer.Option(help="Listen on a unix socket instead.", metavar="PATH")] = None,
    workers: Annotated[int, typer.Option(help="Processes.", min=1, max=64)] = 1,
    grace: Annotated[int, typer.Option(help="Seconds that requests and turns have at a stop.", min=1, max=600)] = 10,
    certificate: Annotated[str | None, typer.Option(help="TLS certificate chain, PEM.", metavar="FILE")] = None,
    certificate_key: Annotated[str | None, typer.Option(help="TLS key, PEM.", metavar="FILE")] = None,
) -> None:
    """Run a server. It keeps nothing between requests: run as many as you like over one database.

    todo serve --port 8000 --workers 2

    TODO_SERVER_DATABASE_URL=postgresql://todo_server@db/todo todo serve --host 0.0.0.0
    """
    session = session_of(ctx)
    # uvicorn's workers are new processes: they read it again, from the environment
    os.environ["TODO_SERVER_DATABASE_URL"] = _database(session)
    os.environ["TODO_SERVE_GRACE"] = str(grace)
    _run(
        session,
        {
            "host": host,
            "port": port,
            "uds": uds,
            "workers": workers,
            "timeout_graceful_shutdown": grace,
            "ssl_certfile": certificate,
            "ssl_keyfile": certificate_key,
        },
    )


def _database(session: Session) -> str:
    settings = session.settings
    if settings.serve_database_url is None:
        return _embedded(session)
    from todo_cli.db.login_check import refuse_owner

    url = settings.serve_database_url.reveal()
    refuse_owner(url)
    return url


def _embedded(session: Session) -> str:
    from pathlib import Path

    from todo_cli.local_postgres.cluster import LocalPostgres

    named = session.settings.embedded
    embedded = LocalPostgres(Path(named) if named else None)
    if not embedded.exists():
        raise Unavailable(
            "there is no database to serve",
            hint="set TODO_SERVER_DATABASE_URL to the login todo_server, or make one here with: todo init",
        )
    embedded.start()
    return embedded.url("todo_server", embedded.secret("server"))


def _run(session: Session, options: dict[str, Any]) -> None:
    import uvicorn

    from todo_cli.server.sockets import listen, require_certificate

    require_certificate(options["ssl_certfile"], options["ssl_keyfile"])
    sockets = listen(options["host"], options["port"], options["uds"])
    text.note(f"todo serve: {_where(sockets[0], options)}, {options['workers']} worker(s); stop with Ctrl-C")
    config = uvicorn.Config(
        "todo_cli.server.app:create_app",
        factory=True,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=session.settings.serve_proxies,
        timeout_keep_alive=75,
        h11_max_incomplete_event_size=64 * 1024,
        **options,
    )
    _until_a_signal(config, sockets)


def _until_a_signal(config: uvicorn.Config, sockets: list[socket.socket]) -> None:
    """Serve; what runs when a signal comes is finished, within the configured grace."""
    import uvicorn

    from todo_cli.server.sockets import release

    # uvicorn raises a signal again once it has stopped for it; that is an orderly end
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if config.workers > 1:
            _workers(config, sockets).run()
        else:
            uvicorn.Server(config).run(sockets)
    except KeyboardInterrupt:
        pass
    except SystemExit as end:
        if end.code:
            raise Unavailable("the server could not start", hint="the lines above say why") from None
    finally:
        release(sockets, config.uds)


def _workers(config: uvicorn.Config, sockets: list[socket.socket]) -> Multiprocess:
    from uvicorn.supervisors import Multiprocess

    class Workers(Multiprocess):
        """Their parent holds the sockets too: unless it lets go first, connections would be taken, by nobody."""

        def terminate_all(self) -> None:
            for sock in self.sockets:
                sock.close()
            super().terminate_all()

    return Workers(config, sockets)


def _where(sock: Any, options: dict[str, Any]) -> str:
    if options["uds"]:
        return f"unix://{options['uds']}"
    host = f"[{options['host']}]" if ":" in options["host"] else options["host"]
    return f"{'https' if options['ssl_certfile'] else 'http'}://{host}:{sock.getsockname()[1]}"
