"""Alembic's entry point: it runs in the transaction of the connection that `db.migrate` passes."""

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
