"""A usual small server as the yardstick: FastAPI, SQLAlchemy's ORM and psycopg, one insert and one list.

No sign-in, no journal, no idempotency, no row-level security: the user is a number in the query.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine(os.environ["YARDSTICK_URL"], pool_size=10)
app = FastAPI()


class Base(DeclarativeBase):
    """The base of the models."""

    metadata = MetaData(schema="yardstick")


class Todo(Base):
    """A stored task."""

    __tablename__ = "todo"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    title: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    priority: Mapped[int | None]
    project: Mapped[str | None]
    due: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=datetime.now)


class TodoIn(BaseModel):
    """A task to add."""

    title: str
    priority: int | None = None
    project: str | None = None
    due: datetime | None = None


class TodoOut(TodoIn):
    """A task in an answer."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    status: str
    created_at: datetime


def session() -> Iterator[Session]:
    """Yield a session for one request."""
    with Session(engine) as database:
        yield database


Database = Annotated[Session, Depends(session)]


@app.post("/todos", status_code=201)
def add(user: int, todo: TodoIn, database: Database) -> TodoOut:
    """Insert a task."""
    task = Todo(user_id=user, **todo.model_dump())
    database.add(task)
    database.commit()
    return TodoOut.model_validate(task)


@app.get("/todos")
def list_open(user: int, database: Database, limit: int = 20) -> list[TodoOut]:
    """List the user's open tasks."""
    statement = select(Todo).where(Todo.user_id == user, Todo.status == "open").order_by(Todo.due, Todo.id).limit(limit)
    return [TodoOut.model_validate(task) for task in database.scalars(statement)]


if __name__ == "__main__":
    import sys

    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
