"""Alembic's entry: it runs on the connection that `db.migrate` hands it, in that one's transaction."""

from alembic import context

from todo_cli.db.schema import SCHEMA, metadata


def _configure_and_run(connection: object) -> None:
    context.configure(
        connection=connection,  # type: ignore[arg-type]  # alembic's own example types it no better
        target_metadata=metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
    )
    with context.begin_transaction():
        context.run_migrations()


connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run: todo db migrate")
_configure_and_run(connection)
