"""Run a server."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todo_cli.cli.render import text
from todo_cli.cli.session import Session, session_of
from todo_cli.errors import Invalid, Unavailable

if TYPE_CHECKING:
    import socket

    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from todo_cli.local_service.process import ServicePlace

PANEL = "Operate"
app = typer.Typer(add_completion=False)

LOCAL_OPTIONS = {"host": "", "port": 0, "workers": 1, "loop": "asyncio", "ssl_certfile": None, "ssl_keyfile": None}


@app.command()
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.", min=0, max=65535)] = 8000,
    uds: Annotated[str | None, typer.Option(help="Unix socket to listen on instead.", metavar="PATH")] = None,
    workers: Annotated[int, typer.Option(help="Number of processes.", min=1, max=64)] = 1,
    grace: Annotated[int, typer.Option(help="Seconds that running requests get on shutdown.", min=1, max=600)] = 10,
    certificate: Annotated[str | None, typer.Option(help="TLS certificate chain in PEM.", metavar="FILE")] = None,
    certificate_key: Annotated[str | None, typer.Option(help="TLS key in PEM.", metavar="FILE")] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Serve the local list on its own socket, with a worker, as commands do.")
    ] = False,
) -> None:
    """Run a server. Servers are stateless: any number can run over one database.

    todo serve --port 8000 --workers 2

    TODO_SERVER_DATABASE_URL=postgresql://todo_server@db/todo todo serve
    """
    session = session_of(ctx)
    if local:
        _serve_local(session)
        return
    # uvicorn's workers are new processes, which read these settings from the environment
    os.environ["TODO_SERVER_DATABASE_URL"] = _database_url(session)
    os.environ["TODO_SERVE_GRACE"] = str(grace)
    if session.settings.serve_worker:
        from todo_cli.cli.commands.worker import find_database_url

        os.environ["TODO_WORKER_DATABASE_URL"] = find_database_url(session)
    options = {
        "host": host,
        "port": port,
        "uds": uds,
        "workers": workers,
        "timeout_graceful_shutdown": grace,
        "ssl_certfile": certificate,
        "ssl_keyfile": certificate_key,
    }
    from todo_cli.server.metrics_directory import create_metrics_directory

    with create_metrics_directory(is_needed=session.settings.serve_metrics and workers > 1):
        _run(session, options)


def _serve_local(session: Session) -> None:
    """Be the local service of the profile's list, unless another process is."""
    from pathlib import Path

    from todo_cli.cli.commands.worker import prepare_local_login
    from todo_cli.db.schema_check import require_current_schema
    from todo_cli.local_service.process import GRACE_SECONDS, ServicePlace

    settings = session.settings
    if settings.embedded is None:
        raise Invalid(f"the profile {settings.profile!r} has no local list", hint="create one with: todo init")
    if not settings.service:
        raise Invalid(f"the service of the profile {settings.profile!r} is off", hint="turn it on: todo init --service")
    place = ServicePlace(Path(settings.embedded), settings)
    if not place.take():
        if session.is_interactive:
            text.note("The local service runs already.")
        return
    try:
        url = _local_database_url(session)
        require_current_schema(url, hint="upgrade it with: todo init")
        os.environ |= {
            "TODO_CONFIG": os.path.abspath(settings.path),
            "TODO_PROFILE": settings.profile,
            "TODO_SERVER_DATABASE_URL": url,
            "TODO_WORKER_DATABASE_URL": prepare_local_login(session),
            "TODO_SERVE_WORKER": "true",
            "TODO_SERVE_GRACE": str(GRACE_SECONDS),
            "TODO_RATE_LIMIT": "false",
            "TODO_ACCESS_LOG": "false",
        }
        os.chdir("/")  # the directory of the command that started the service may be removed
        _find_session_bus()
        _run(session, LOCAL_OPTIONS | {"uds": place.new_socket, "timeout_graceful_shutdown": GRACE_SECONDS}, place)
    finally:
        place.leave()


def _find_session_bus() -> None:
    """Set the address of the user's session bus where a bare environment lacks it, so that the desktop is reached."""
    path = f"/run/user/{os.geteuid()}/bus"
    if os.path.exists(path):
        os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", f"unix:path={path}")


def _database_url(session: Session) -> str:
    settings = session.settings
    if settings.serve_database_url is None:
        return _local_database_url(session)
    from todo_cli.db.login_check import refuse_owner

    url = settings.serve_database_url.reveal()
    refuse_owner(url)
    return url


def _local_database_url(session: Session) -> str:
    from pathlib import Path

    from todo_cli.local_postgres.cluster import LocalPostgres

    home = session.settings.embedded
    postgres = LocalPostgres(Path(home) if home else None)
    if not postgres.exists():
        raise Unavailable(
            "no database is configured",
            hint="set TODO_SERVER_DATABASE_URL with the login todo_server, or create a local database: todo init",
        )
    postgres.start()
    os.environ.setdefault("TODO_RATE_LIMIT", "false")  # its users share one machine already
    return postgres.url("todo_server", postgres.secret("server"))


def _run(session: Session, options: dict[str, Any], place: ServicePlace | None = None) -> None:
    import uvicorn

    from todo_cli.server.http_protocol import BoundedHttpProtocol
    from todo_cli.server.json_log import LOG_CONFIG
    from todo_cli.server.proxies import check_proxies
    from todo_cli.server.sockets import listen, require_certificate

    check_proxies(session.settings.serve_proxies)
    require_certificate(options["ssl_certfile"], options["ssl_keyfile"])
    sockets = listen(options["host"], options["port"], options["uds"], is_private=place is not None)
    if place is None:
        address = _format_address(sockets[0], options)
        text.note(f"todo serve: {address}, {options['workers']} worker(s); stop with Ctrl-C")
    config = uvicorn.Config(
        "todo_cli.server.app:create_app",
        factory=True,
        access_log=False,
        log_config=LOG_CONFIG,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # ForwardedAddress does it
        http=BoundedHttpProtocol,
        limit_concurrency=session.settings.serve_connections,
        ws="none",
        timeout_keep_alive=75,
        **options,
    )
    _serve_until_signal(config, sockets, _make_local_server(session, config, place) if place else None)


def _make_local_server(session: Session, config: uvicorn.Config, place: ServicePlace) -> uvicorn.Server:
    from pathlib import Path

    from todo_cli.local_postgres.cluster import LocalPostgres
    from todo_cli.server.local_list_server import LocalListServer

    postgres = LocalPostgres(Path(session.settings.embedded or ""))
    return LocalListServer(config, place.open, lambda: place.is_open() and postgres.running() is not None)


def _serve_until_signal(
    config: uvicorn.Config, sockets: list[socket.socket], local_server: uvicorn.Server | None
) -> None:
    """Serve until a signal arrives, then finish the running requests within the configured grace."""
    import uvicorn

    from todo_cli.server.sockets import release

    # uvicorn raises a signal again after it has stopped for it; this makes that a normal exit
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if config.workers > 1:
            _workers(config, sockets).run()
        else:
            (local_server or uvicorn.Server(config)).run(sockets)
    except KeyboardInterrupt:
        pass
    except SystemExit as end:
        if end.code:
            raise Unavailable("the server could not start", hint="see the lines above") from None
    finally:
        release(sockets, config.uds)


def _workers(config: uvicorn.Config, sockets: list[socket.socket]) -> Multiprocess:
    from uvicorn.supervisors import Multiprocess

    class Workers(Multiprocess):
        """Close the parent's copies of the sockets first, or it would accept connections that no worker serves."""

        def terminate_all(self) -> None:
            for sock in self.sockets:
                sock.close()
            super().terminate_all()

    return Workers(config, sockets)


def _format_address(sock: Any, options: dict[str, Any]) -> str:
    if options["uds"]:
        return f"unix://{options['uds']}"
    host = f"[{options['host']}]" if ":" in options["host"] else options["host"]
    return f"{'https' if options['ssl_certfile'] else 'http'}://{host}:{sock.getsockname()[1]}"
