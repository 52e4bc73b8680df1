"""Figures of the whole database, for administrators and for the metrics of a server."""

from msgspec import Struct

from todo_cli.contract.base import Request


class ServerStats(Struct, frozen=True, kw_only=True):
    """How much the database has. `tasks`, `changes` and `messages` are the planner's estimates.

    `running_turns` counts turns that run or wait for a process, `due_jobs` jobs that wait for a worker, and `dead_jobs`
    those that were given up. `unsettled_files` counts attachments that are unfinished, were removed lately, or have an
    uploaded object to remove; `file_bytes` is the size of all attachments.
    """

    schema: int
    users: int
    disabled_users: int
    spaces: int
    tokens: int
    sessions: int
    tasks: int
    changes: int
    messages: int
    running_turns: int
    due_jobs: int
    dead_jobs: int
    files: int
    file_bytes: int
    unsettled_files: int
    table_bytes: int


class ReadServerStats(Request[ServerStats], frozen=True, kw_only=True):
    """Read figures of the whole database, as an administrator."""

    verb = "ReadServerStats"
    label = "admin stats"
    route = "GET /v1/server_stats"
    scope = "admin"
    write = False
    personal = True
